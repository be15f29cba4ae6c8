#!/usr/bin/env node
// `auth0-emulator`: a tenant on this machine, until Ctrl-C.
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

import { portIn, runCommand, type Running } from "emulator-server/command";
import { startAuth0Emulator } from "./emulator.ts";
import type { LoginSettings } from "./login/application.ts";
import { isPlan } from "./rate-limit.ts";

const USAGE = `auth0-emulator [options]

  --port PORT            where it listens on 127.0.0.1; 3001, and 0 takes any free port
  --roles NAME,NAME      the roles that the tenant has; none
  --plan PLAN            how it limits calls: free, essentials, enterprise or none; none
  --client-id ID         the machine-to-machine application; local-client
  --client-secret SECRET and its secret; local-secret
  --login URL            people can log in to the page at this address, as the application local-app
  --api IDENTIFIER       with --login: an API that its access tokens may be for
  --action FILE          with --login: a post-login Action, run as Auth0 runs it; can be given more than once
  --help                 this text
`;

await runCommand("auth0-emulator", USAGE, begin);

async function begin(): Promise<Running> {
  const { values } = parseArgs({
    options: { port: { type: "string", default: "3001" }, roles: { type: "string", default: "" },
      plan: { type: "string", default: "none" }, "client-id": { type: "string", default: "local-client" },
      "client-secret": { type: "string", default: "local-secret" }, login: { type: "string" }, api: { type: "string" },
      action: { type: "string", multiple: true, default: [] } },
  });
  const { plan: limits, "client-id": clientId, "client-secret": clientSecret, login: page, api, action } = values;
  if (!isPlan(limits)) throw new Error(`--plan ${limits}: it takes free, essentials, enterprise or none`);
  if (page === undefined && (api !== undefined || action.length > 0)) {
    throw new Error("--api and --action need --login");
  }
  const roles = values.roles.split(",").map((name) => name.trim()).filter((name) => name !== "");
  const auth0 = await startAuth0Emulator({ port: portIn(values.port), roles, limits, clientId, clientSecret,
    ...(page === undefined ? {} : { login: loginOf(page, api, action) }) });
  return { lines: [
    `Tenant          ${auth0.url}`,
    `Management API  ${auth0.url}/api/v2/  client ${clientId}, secret ${clientSecret}`,
    `Roles           ${roles.join(", ") || "none"}`,
    `Limits          ${limits}`,
    ...(page === undefined
      ? []
      : [`Login           ${auth0.url}/authorize  client local-app, leading back to ${page}`,
        `Mails           ${auth0.url}/_emulator/inbox`]),
    `Look inside     ${auth0.url}/_emulator/users, …/mails, …/calls`,
  ], stop: () => auth0.stop() };
}

function loginOf(page: string, api: string | undefined, actions: readonly string[]): LoginSettings {
  const { origin } = new URL(page);
  return {
    applications: [{ clientId: "local-app", name: "Local app", callbacks: [page], logoutUrls: [page],
      origins: [origin], url: page }],
    apis: api === undefined ? [] : [{ identifier: api }],
    actions: actions.map((file) => ({ name: path.basename(file), code: readFileSync(file, "utf8") })),
  };
}

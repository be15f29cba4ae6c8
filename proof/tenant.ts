/**
 * `npm run proof:tenant`: `auth0-deploy-cli` imports the tenant as code into the Auth0 emulator, over its real calls and
 * with no more scopes than tenant/README.md asks for; then again. The tool compares nothing and writes all anew: that
 * must make nothing, and leave everything as it is.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";

import { startAuth0Emulator } from "auth0-emulator";
import { ADMIN_CLIENT } from "auth0-emulator/options";
import * as z from "zod";

import { writeTenant } from "../scripts/tenant-build.ts";
import policy from "../src/products.ts";
import { roleNames } from "../tenant/role-names.ts";
import { MANAGEMENT_SCOPES } from "../tenant/scopes.ts";
import { PROVISIONING_CLIENT, type TenantSettings } from "../tenant/tenant.ts";
import { install } from "./install.ts";

const SETTINGS: TenantSettings = { connection: "Username-Password-Authentication",
  api: { name: "Courses API", identifier: "https://api.shop.test" },
  app: { name: "Courses", url: "https://courses.shop.test", callbacks: ["https://courses.shop.test/callback"],
    logoutUrls: ["https://courses.shop.test"], origins: ["https://courses.shop.test"] },
  rolesClaim: "https://shop.test/roles", bindUrl: "https://service.shop.test/bind", otherApps: [],
  otherLoginActions: [], ownEmailProvider: true };
/** What tenant/README.md lets the tool's application do. */
const SCOPES = ["clients", "client_grants", "connections", "resource_servers", "roles", "actions", "email_templates"]
  .flatMap((kind) => ["read", "create", "update"].map((verb) => `${verb}:${kind}`));
const CLI = path.join(import.meta.dirname, "node_modules/auth0-deploy-cli/lib/index.js");

const say = (text: string) => process.stdout.write(`${text}\n`);
const faults: string[] = [];
const must = (holds: boolean, rule: string) => {
  if (!holds) faults.push(rule);
};

install();
const folder = mkdtempSync(path.join(tmpdir(), "tenant-"));
const auth0 = await startAuth0Emulator({ deployment: true, adminScopes: SCOPES });
try {
  const { config, input } = await writeTenant(folder, SETTINGS, policy);

  /** Runs the tool; gives the calls that were to change something. */
  async function imports(): Promise<readonly string[]> {
    const before = auth0.calls.length;
    const child = spawn(process.execPath, ["--import", path.join(import.meta.dirname, "plain-http.mjs"), CLI, "import",
      "-c", config, "-i", input], { cwd: folder, stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], AUTH0_DOMAIN: new URL(auth0.url).host, AUTH0_CLIENT_ID: ADMIN_CLIENT.id,
        AUTH0_CLIENT_SECRET: ADMIN_CLIENT.secret, GUMROAD_AUTH0_BIND_TOKEN: "a-token", NO_COLOR: "1" } });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part) => (said += part));
    const code = await new Promise((resolve) => child.once("close", resolve));
    if (code !== 0) throw new Error(`auth0-deploy-cli ended with ${String(code)}:\n${said}`);
    const calls = auth0.calls.slice(before).filter(({ api }) => api === "management");
    return calls.filter(({ method }) => method !== "GET").map(({ method, path: called }) => `${method} ${called}`);
  }

  const first = await imports();
  const imported = await stateOf(auth0.url);
  const again = await imports();
  const created = again.filter((call) => call.startsWith("POST") && !call.endsWith("/deploy"));

  must(first.length > 0, "the first import wrote nothing");
  must(imported.roles.join() === roleNames(policy).join(), `the roles are ${imported.roles.join()}`);
  must(isDeepStrictEqual([...imported.granted].sort(), [...MANAGEMENT_SCOPES].sort()),
    `the service's application was granted ${imported.granted.join()}`);
  must(imported.enabled === 2, `${String(imported.enabled)} applications may use the connection`);
  must(created.length === 0, `the second import made something: ${created.join(", ")}`);
  must(isDeepStrictEqual(await stateOf(auth0.url), imported), "the second import changed something");
  must(auth0.failures.length === 0, auth0.failures.join("\n"));
  for (const fault of faults) say(fault);
  say(
    `auth0-deploy-cli: ${String(first.length)} writing calls at the first import; ${String(again.length)} at the ` +
      `second, which made ${String(created.length)} and changed nothing; ${String(faults.length)} wrong`,
  );
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  await auth0.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** All that the tool can have set, read back as it reads it. */
async function stateOf(url: string) {
  const granted = await fetch(`${url}/oauth/token`, { method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify({ grant_type: "client_credentials", audience: `${url}/api/v2/`, client_id: ADMIN_CLIENT.id,
      client_secret: ADMIN_CLIENT.secret }) });
  const { access_token: token } = z.object({ access_token: z.string() }).parse(await granted.json());
  const read = async <T>(what: string, shape: z.ZodType<T>): Promise<T> => {
    const answer = await fetch(`${url}/api/v2/${what}`, { headers: { authorization: `Bearer ${token}` } });
    return shape.parse(await answer.json());
  };
  const named = z.array(z.looseObject({ name: z.string() }));
  const clients = await read("clients", z.array(z.looseObject({ name: z.string(), client_id: z.string() })));
  const service = clients.find(({ name }) => name === PROVISIONING_CLIENT)?.client_id ?? "";
  const grants = await read("client-grants", z.array(z.object({ client_id: z.string(), audience: z.string(),
    scope: z.array(z.string()) })));
  const connections = await read("connections", z.array(z.looseObject({ id: z.string(), name: z.string() })));
  const database = connections.find(({ name }) => name === SETTINGS.connection)?.id ?? "";
  const enabled = await read(`connections/${database}/clients`,
    z.object({ clients: z.array(z.object({ client_id: z.string() })) }));
  const ours = enabled.clients.filter(({ client_id: id }) => clients.find((each) => each.client_id === id)?.name !==
    "local-client");
  return { clients, grants, connections, enabled: ours.length, roles: (await read("roles", named)).map(({ name }) => name),
    granted: grants.find(({ client_id: id }) => id === service)?.scope ?? [],
    apis: await read("resource-servers", named),
    actions: await read("actions/actions", z.object({ actions: named })),
    bound: await read("actions/triggers/post-login/bindings", z.looseObject({ bindings: z.array(z.unknown()) })),
    mail: await read("email-templates/reset_email", z.looseObject({ template: z.string() })) };
}

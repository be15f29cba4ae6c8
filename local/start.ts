// `npm start`: bundles the functions and runs them over embedded parts, until Ctrl-C.
import { randomBytes } from "node:crypto";
import { createWriteStream, mkdirSync } from "node:fs";
import path from "node:path";

import type { Policy } from "../src/access/policy.ts";
import { readPolicy, withProducts } from "../scripts/bundling/policy.ts";
import { requireStart } from "../scripts/bundling/starting.ts";
import { roleNames } from "../tenant/role-names.ts";
import { endWithParent } from "../scripts/end-with-parent.ts";
import { projectRoot } from "../scripts/project-root.ts";
import { messageOf } from "./aws/errors.ts";
import { frontPages } from "./front/front.ts";
import { readFunctionLog } from "./function-log.ts";
import { buildOwnBundles } from "./own-bundles.ts";
import { environmentWith, isOnThisMachine, readStartSettings, START_USAGE,
  type StartSettings } from "./start-settings.ts";
import { shopProducts } from "./shop-products.ts";
import { LOCAL_STAGE, type Stack, startStack } from "./stack.ts";
import { LOCAL_CLIENT } from "./known-values.ts";
import { removeStackFile, writeStackFile } from "./stack-file.ts";

const LOCAL_FOLDER = path.join(projectRoot, ".local");
const LOG_FILE = path.join(LOCAL_FOLDER, "functions.log");
/** How long Ctrl-C lets the queue be worked off. */
const DRAIN_MS = 10_000;
/** A terminal sends Ctrl-C to npm and to us, and npm passes it on: what comes this soon is the same keystroke. */
const SAME_KEYSTROKE_MS = 500;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function main(): Promise<void> {
  const settings = readStartSettings(process.argv.slice(2),
    environmentWith(path.join(projectRoot, ".env"), process.env));
  if (settings === "help") {
    print(START_USAGE);
    return;
  }
  const began = performance.now();
  // Checked before anything starts: its mistakes would otherwise show in every function's log.
  const [policy, bundlesDir] = await Promise.all([readPolicy().then(withProducts), buildOwnBundles()]);
  const { params } = settings;
  if (Object.keys(params).length > 0) await requireStart(bundlesDir, { stage: LOCAL_STAGE, params });
  await run(settings, policy, bundlesDir, began);
}

async function run(settings: StartSettings, policy: Policy, bundlesDir: string, began: number): Promise<void> {
  const { port, auth0Port, gumroadPort, readBack, dataDir, tenant, params } = settings;
  mkdirSync(LOCAL_FOLDER, { recursive: true });
  // Appending, so that two stacks can share the file.
  const logs = createWriteStream(LOG_FILE, { flags: "a" });
  const stack = await startStack({
    port,
    auth0Port,
    gumroadPort,
    readBack,
    tenant,
    params,
    roles: roleNames(policy),
    gumroad: { products: shopProducts(policy) },
    bundlesDir,
    schedules: true,
    login: tenant.domain === undefined,
    pages: (running) => frontPages(running, policy),
    // With a word that stands in the README any page could post a ping here, and roles of a real tenant would follow.
    ...(isOnThisMachine(tenant) ? {} : { token: randomBytes(24).toString("base64url") }),
    ...(dataDir === undefined ? {} : { dataDir }),
    onLog: (functionKey, line) => {
      const { short, json } = readFunctionLog(functionKey, line);
      logs.write(`${json}\n`);
      if (short !== undefined) print(`${clock()}  ${short}`);
    },
    onAnswer: ({ routeKey, status, ms }) => {
      // A function logs what it answers; this is where none was asked, or where it could not answer.
      if (routeKey === undefined || status >= 500) {
        print(`${clock()}  ${routeKey ?? "no such route"}: ${String(status)} after ${String(ms)} ms`);
      }
    },
    onError: (text) => print(`${clock()}  ${text}`),
  });
  const stackFile = writeStackFile(LOCAL_FOLDER, Number(new URL(stack.url).port), describe(stack, settings));
  stopOnSignals(stack, stackFile);
  introduce(stack, settings);
  const usual = new URL(stack.url).port === "3000" && isOnThisMachine(tenant);
  const elsewhere = usual ? "" : ` --to ${stack.pingUrl}`;
  print(
    `ready after ${
      ((performance.now() - began) / 1000).toFixed(1)
    } s. Send a ping: npm run replay -- fixtures/pings/sale.txt${elsewhere}`,
  );
}

function introduce(stack: Stack, { tenant, dataDir, readBack }: StartSettings): void {
  const emulated = `${stack.auth0.url} (emulator; client ${LOCAL_CLIENT.id}, secret ${LOCAL_CLIENT.secret})`;
  print(`Open      ${stack.url}/ in a browser: the shop, the courses, the inbox, what happens`);
  print(`API       ${stack.url}`);
  print(`Ping URL  ${stack.pingUrl}`);
  if (tenant.domain === undefined) print(`Auth0     ${emulated}`);
  else print(`Auth0     ${tenant.domain}; not used: ${emulated}`);
  const trust = readBack
    ? "purchases are read back"
    : "pings are taken on trust; with npm start -- --read-back purchases are read back";
  print(`Gumroad   ${stack.gumroad.url} (emulator; ${trust})`);
  print(
    `Kept      ${
      dataDir === undefined ? "in memory; on disk with: npm start -- --data .local/data" : path.resolve(dataDir)
    }`,
  );
  const days = Math.round(stack.ahead() / 86_400_000);
  if (days > 0) print(`Time      ${String(days)} ${days === 1 ? "day" : "days"} ahead, as it was left`);
  print(`Logs      ${path.relative(process.cwd(), LOG_FILE)}`);
}

function describe(stack: Stack, { tenant, readBack }: StartSettings): Parameters<typeof writeStackFile>[2] {
  return { pid: process.pid, url: stack.url, pingUrl: stack.pingUrl,
    auth0: { domain: stack.gates.auth0, emulator: tenant.domain === undefined ? stack.auth0.url : null },
    gumroad: { emulator: stack.gumroad.url, readBack },
    sqs: { endpoint: stack.endpoints.sqs,
      queues: Object.fromEntries(
        stack.template.queues.map(({ logicalId }) => [logicalId, stack.queueUrl(logicalId)]),
      ) },
    dynamodb: { endpoint: stack.endpoints.dynamodb,
      tables: Object.fromEntries(stack.template.tables.map(({ logicalId, TableName }) => [logicalId, TableName])) },
    lambda: { endpoint: stack.endpoints.lambda }, secretsmanager: { endpoint: stack.endpoints.secretsmanager },
    ...stack.choices, logs: LOG_FILE };
}

/**
 * Ctrl-C, SIGTERM or a closed terminal: no more requests, what runs or waits is finished, exit 0. A second one doesn't
 * wait.
 */
function stopOnSignals(stack: Stack, stackFile: string): void {
  let since: number | undefined;
  const stop = (): void => {
    if (since !== undefined) {
      if (performance.now() - since < SAME_KEYSTROKE_MS) return;
      removeStackFile(stackFile);
      process.exit(130);
    }
    since = performance.now();
    print("stopping: no new requests; finishing what runs and what is queued");
    void stack.stop(DRAIN_MS).then((left) => {
      removeStackFile(stackFile);
      if (left > 0) {
        print(`${String(left)} messages were still waiting to be tried again; the local queue forgets them`);
      }
      print("stopped");
      process.exit(0);
    });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}

endWithParent();
// A terminal that was closed takes no more lines; stopping goes on without them.
process.stdout.on("error", () => undefined);
await main().catch((error: unknown) => {
  const [line = ""] = messageOf(error).split("\n");
  process.stderr.write(`npm start: ${line}\n`);
  process.exit(1);
});

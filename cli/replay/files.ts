import path from "node:path";

import { projectRoot } from "../../scripts/project-root.ts";
import { readStackFile, type StackFile } from "../../local/stack-file.ts";
import { environmentWith, portOf, tenantOf } from "../../local/start-settings.ts";
import { LOCAL_CLIENT, LOCAL_TOKEN } from "../../local/known-values.ts";
import { isLoopback } from "../../src/config/base-url.ts";
import { ConfigError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { pingUrl } from "../pings/ping-url.ts";
import { postPing, readPing, type ReplayAnswer, type ReplayPing } from "./pings.ts";
import { waitForQueue } from "./queue.ts";
import { buyerTable, pingTable, type ReplayReport, reportResult } from "./report.ts";
import { type BuyerRoles, directoryRoles, emulatorRoles, type RoleReader, settledRoles,
  tenantRoles } from "./roles.ts";
import { seedGumroad } from "./rows.ts";
import { countOf, replayFiles, replayTarget, type ReplayTarget } from "./settings.ts";
import { pingToken } from "../pings/service-ping.ts";
import { LOCAL } from "../stage/stage.ts";
import { serviceDirectory } from "../stage/directory.ts";

/** How wire bodies are posted. */
export interface FileFlags {
  readonly to?: string;
  readonly token?: string;
  readonly repeat: string;
  readonly atOnce?: true;
}

/** How long a local queue may take. A message that failed comes back after seconds, then longer. */
const QUEUE_LIMIT_MS = 20_000;
/** A service elsewhere: roles that stay the same this long are taken as final. */
const CALM_MS = 4_000;
const CALM_LIMIT_MS = 60_000;

/**
 * Posts wire bodies as Gumroad does, and shows what became of the buyers.
 * @throws {ConfigError} REPLAY_FILE, REPLAY_SETTING, REPLAY_NO_SERVICE, REPLAY_GUMROAD
 */
export async function replayBodies(paths: readonly string[], flags: FileFlags, context: Context): Promise<ExitCode> {
  const { output } = context;
  const environment = environmentWith(path.join(projectRoot, ".env"), context.env);
  const files = replayFiles(paths);
  const pings = Array.from({ length: countOf("--repeat", flags.repeat) }, () => files.map(readPing)).flat();
  const target = await targetOf(flags, environment, context);

  const stack = isLoopback(target.url)
    ? readStackFile(path.join(projectRoot, ".local"), Number(target.url.port))
    : undefined;
  await seed(stack, files, output.say);
  const answers = await post(pings, target, flags.atOnce === true);
  if (answers.every(({ refused }) => refused)) {
    throw new ConfigError("REPLAY_NO_SERVICE",
      `nothing listens at ${target.url.origin}${isLoopback(target.url) ? ": start it with npm start" : ""}`);
  }
  output.say(pingTable(answers));

  const reader = await roleReader(target, stack, environment, context);
  const buyers = [...new Set(pings.flatMap(({ buyer }) => buyer ?? []))];
  const waiting = stack === undefined ? 0 : await waitForQueue(stack, QUEUE_LIMIT_MS);
  const roles = await rolesOf(reader, buyers, stack);
  const report: ReplayReport = { pings: answers, buyers: roles, waiting,
    managementCalls: (await reader?.managementCalls()) ?? null };
  showBuyers(report, reader, output.say);
  output.result(reportResult(report));
  return answers.every(({ status }) => status !== null && status >= 200 && status < 300) ? EXIT.ok : EXIT.failed;
}

/** `--to`, or the stage's ping URL. The local one is known without a stage: whatever listens there is posted to. */
async function targetOf({ to, token }: FileFlags, environment: NodeJS.ProcessEnv,
  context: Context): Promise<ReplayTarget> {
  const port = portOf("PORT", environment["PORT"], 3000);
  const isRunning = readStackFile(path.join(projectRoot, ".local"), port) !== undefined;
  // Of a running stage the token in force is asked for: the one it started with may have been replaced since.
  if (to !== undefined || (context.stageName() === LOCAL && !isRunning)) {
    return replayTarget(to ?? `http://127.0.0.1:${String(port)}`, token ?? LOCAL_TOKEN);
  }
  const stage = await context.stage();
  const url = pingUrl(stage, token ?? (await pingToken(stage, context)));
  return replayTarget(url, LOCAL_TOKEN);
}

/**
 * The emulated API shows what the pings tell of before they come, as the real one does. Only a stack that reads back
 * looks at it.
 */
async function seed(stack: StackFile | undefined, files: readonly string[],
  show: (line: string) => void): Promise<void> {
  if (stack === undefined) return;
  const rows = await seedGumroad(stack.gumroad.emulator, files);
  if (rows === undefined || !stack.gumroad.readBack) return;
  const sales = (rows.sales?.length ?? 0) + (rows.unlistedSales?.length ?? 0);
  show(
    `Gumroad's API has their rows now, to be read back: ${String(sales)} of sales, ${
      String(rows.subscribers?.length ?? 0)
    } of subscribers\n`,
  );
}

async function post(pings: readonly ReplayPing[], target: ReplayTarget, atOnce: boolean): Promise<ReplayAnswer[]> {
  if (atOnce) return Promise.all(pings.map((ping) => postPing(ping, target)));
  const answers: ReplayAnswer[] = [];
  for (const ping of pings) {
    const answer = await postPing(ping, target);
    answers.push(answer);
    // Nobody is there: the next ones would only say so again.
    if (answer.refused) break;
  }
  return answers;
}

/** Reads Auth0 where the service's roles are; undefined if that isn't known. */
async function roleReader(target: ReplayTarget, stack: StackFile | undefined, environment: NodeJS.ProcessEnv,
  context: Context): Promise<RoleReader | undefined> {
  if (typeof stack?.auth0.emulator === "string") return emulatorRoles(stack.auth0.emulator);
  const tenant = tenantOf(environment);
  const domain = stack?.auth0.domain ?? tenant.domain;
  if (domain !== undefined) {
    return tenantRoles({ domain, client_id: tenant.clientId ?? LOCAL_CLIENT.id,
      client_secret: tenant.clientSecret ?? LOCAL_CLIENT.secret });
  }
  if (context.stageName() !== LOCAL) return directoryRoles(await serviceDirectory(context));
  if (!isLoopback(target.url)) return undefined;
  return emulatorRoles(`http://127.0.0.1:${String(portOf("AUTH0_PORT", environment["AUTH0_PORT"], 3001))}`);
}

async function rolesOf(reader: RoleReader | undefined, buyers: readonly string[],
  stack: StackFile | undefined): Promise<BuyerRoles[]> {
  if (reader === undefined || buyers.length === 0) return [];
  return stack === undefined ? settledRoles(reader, buyers, CALM_MS, CALM_LIMIT_MS) : reader.roles(buyers);
}

function showBuyers({ buyers, waiting, managementCalls }: ReplayReport, reader: RoleReader | undefined,
  show: (line: string) => void): void {
  show("");
  if (reader === undefined) {
    show("Roles are not shown: set AUTH0_DOMAIN, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET to read them.");
  } else if (buyers.length === 0) show("No body names a buyer.");
  else show(buyerTable(buyers));
  if (waiting > 0) show(`\n${String(waiting)} messages wait to be tried or read again: npm start prints why.`);
  if (managementCalls !== null) show(`\nManagement calls since the emulator's start: ${String(managementCalls)}`);
}

// `npm run replay -- FILE|DIR…`: posts wire bodies as Gumroad does, then shows what became of the buyers.
import path from "node:path";

import { Command } from "commander";

import { projectRoot } from "../bundling/bundle.ts";
import { readStackFile, type StackFile } from "../emulators/stack-file.ts";
import { environmentWith, portOf, tenantOf } from "../emulators/start-settings.ts";
import { LOCAL_CLIENT, LOCAL_TOKEN } from "../emulators/stack.ts";
import { ConfigError, NeedsPersonError, TemporaryError } from "../errors.ts";
import { postPing, readPing, type ReplayAnswer, type ReplayPing } from "./replay-pings.ts";
import { waitForQueue } from "./replay-queue.ts";
import { buyerTable, pingTable, reportJson, type ReplayReport } from "./replay-report.ts";
import { type BuyerRoles, emulatorRoles, type RoleReader, settledRoles, tenantRoles } from "./replay-roles.ts";
import { seedGumroad } from "./replay-rows.ts";
import { countOf, isLoopback, replayFiles, replayTarget, type ReplayTarget } from "./replay-settings.ts";

interface Flags {
  readonly to?: string;
  readonly token: string;
  readonly repeat: string;
  readonly atOnce?: true;
  readonly json?: true;
}

/** How long a local queue may take. A message that failed comes back after seconds, then longer. */
const QUEUE_LIMIT_MS = 20_000;
/** A service elsewhere: roles that stay the same this long are taken as final. */
const CALM_MS = 4_000;
const CALM_LIMIT_MS = 60_000;

const command = new Command("npm run replay --")
  .description("Posts wire bodies as Gumroad does, and shows each answer and each buyer's roles in Auth0.")
  .argument("<paths...>", "files with a body each, or folders of .txt files")
  .option("--to <url>", "the ping URL, or the API's address; the local service if left out")
  .option("--token <token>", "the token where --to has no path", LOCAL_TOKEN)
  .option("--repeat <count>", "post each body this often", "1")
  .option("--at-once", "post all bodies at the same time, not one after the other")
  .option("--json", "print one JSON object, no tables")
  .addHelpText("after", "\nAuth0 is the one of AUTH0_DOMAIN, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET (from the environment or .env), or the local emulator.")
  .action(replay);

async function replay(paths: readonly string[], flags: Flags): Promise<void> {
  const environment = environmentWith(path.join(projectRoot, ".env"), process.env);
  const port = portOf("PORT", environment["PORT"], 3000);
  const target = replayTarget(flags.to ?? `http://127.0.0.1:${String(port)}`, flags.token);
  const files = replayFiles(paths);
  const pings = Array.from({ length: countOf("--repeat", flags.repeat) }, () => files.map(readPing)).flat();
  const show = flags.json === true ? () => undefined : console.log;

  const stack = isLoopback(target.url) ? readStackFile(path.join(projectRoot, ".local"), Number(target.url.port)) : undefined;
  await seed(stack, files, show);
  const answers = await post(pings, target, flags.atOnce === true);
  if (answers.every(({ refused }) => refused)) {
    throw new ConfigError("REPLAY_NO_SERVICE", `nothing listens at ${target.url.origin}${isLoopback(target.url) ? ": start it with npm start" : ""}`);
  }
  show(pingTable(answers));

  const reader = roleReader(target, stack, environment);
  const buyers = [...new Set(pings.flatMap(({ buyer }) => buyer ?? []))];
  const waiting = stack === undefined ? 0 : await waitForQueue(stack, QUEUE_LIMIT_MS);
  const roles = await rolesOf(reader, buyers, stack);
  const report: ReplayReport = { pings: answers, buyers: roles, waiting, managementCalls: (await reader?.managementCalls()) ?? null };
  if (flags.json === true) console.log(reportJson(report));
  else showBuyers(report, reader);
  process.exitCode = answers.every(({ status }) => status !== null && status >= 200 && status < 300) ? 0 : 1;
}

/** The emulated API shows what the pings tell of before they come, as the real one does. Only a stack that reads back looks at it. */
async function seed(stack: StackFile | undefined, files: readonly string[], show: (line: string) => void): Promise<void> {
  if (stack === undefined) return;
  const rows = await seedGumroad(stack.gumroad.emulator, files);
  if (rows === undefined || !stack.gumroad.readBack) return;
  const sales = (rows.sales?.length ?? 0) + (rows.unlistedSales?.length ?? 0);
  show(`Gumroad's API has their rows now, to be read back: ${String(sales)} of sales, ${String(rows.subscribers?.length ?? 0)} of subscribers\n`);
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
function roleReader(target: ReplayTarget, stack: StackFile | undefined, environment: NodeJS.ProcessEnv): RoleReader | undefined {
  if (typeof stack?.auth0.emulator === "string") return emulatorRoles(stack.auth0.emulator);
  const tenant = tenantOf(environment);
  const domain = stack?.auth0.domain ?? tenant.domain;
  if (domain !== undefined) {
    return tenantRoles({ domain, client_id: tenant.clientId ?? LOCAL_CLIENT.id, client_secret: tenant.clientSecret ?? LOCAL_CLIENT.secret });
  }
  if (!isLoopback(target.url)) return undefined;
  return emulatorRoles(`http://127.0.0.1:${String(portOf("AUTH0_PORT", environment["AUTH0_PORT"], 3001))}`);
}

async function rolesOf(reader: RoleReader | undefined, buyers: readonly string[], stack: StackFile | undefined): Promise<BuyerRoles[]> {
  if (reader === undefined || buyers.length === 0) return [];
  return stack === undefined ? settledRoles(reader, buyers, CALM_MS, CALM_LIMIT_MS) : reader.roles(buyers);
}

function showBuyers({ buyers, waiting, managementCalls }: ReplayReport, reader: RoleReader | undefined): void {
  console.log("");
  if (reader === undefined) console.log("Roles are not shown: set AUTH0_DOMAIN, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET to read them.");
  else if (buyers.length === 0) console.log("No body names a buyer.");
  else console.log(buyerTable(buyers));
  if (waiting > 0) console.log(`\n${String(waiting)} messages wait to be tried or read again: npm start prints why.`);
  if (managementCalls !== null) console.log(`\nManagement calls since the emulator's start: ${String(managementCalls)}`);
}

try {
  await command.parseAsync();
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof NeedsPersonError || error instanceof TemporaryError)) throw error;
  console.error(`npm run replay: ${error.message}`);
  process.exitCode = 1;
}

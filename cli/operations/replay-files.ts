import path from "node:path";

import { LOCAL_CLIENT, LOCAL_TOKEN } from "../../local/known-values.ts";
import { readStackFile, type StackFile } from "../../local/stack-file.ts";
import { environmentWith, portOf, tenantOf } from "../../local/start-settings.ts";
import { projectRoot } from "../../scripts/project-root.ts";
import { isLoopback } from "../../src/config/base-url.ts";
import { ConfigError } from "../../src/errors.ts";
import { pingUrl } from "../pings/ping-url.ts";
import { pingToken } from "../pings/service-ping.ts";
import { postPing, readPing, type ReplayAnswer, type ReplayPing } from "../replay/pings.ts";
import { waitForQueue } from "../replay/queue.ts";
import { type BuyerRoles, directoryRoles, emulatorRoles, type RoleReader, settledRoles,
  tenantRoles } from "../replay/roles.ts";
import { seedGumroad } from "../replay/rows.ts";
import { replayFiles, replayTarget, type ReplayTarget } from "../replay/settings.ts";
import { serviceDirectory, type StageAt } from "../stage/directory.ts";
import type { Stage } from "../stage/stage.ts";

/** Wire bodies, and how they are posted. */
export interface FilesRequest {
  /** Files, or folders of them. */
  readonly paths: readonly string[];
  /** The ping URL, or the API's address; left out: the stage's. */
  readonly to: string | undefined;
  readonly token: string | undefined;
  readonly repeat: number;
  readonly atOnce: boolean;
}

/** What posting works with: bodies go to whatever listens, also where no stage can be opened. */
export interface Posting extends Pick<StageAt, "commandLine"> {
  readonly isLocal: boolean;
  readonly stage: () => Promise<Stage>;
  readonly env: NodeJS.ProcessEnv;
}

/** What is told while it goes on: rows for Gumroad's emulated API to show, then the answers. */
export type Posted =
  | { readonly kind: "rows"; readonly sales: number; readonly subscribers: number }
  | { readonly kind: "answers"; readonly answers: readonly ReplayAnswer[] };

/** All that a replay found out. */
export interface ReplayReport {
  readonly pings: readonly ReplayAnswer[];
  /** Null: nobody knows where the service's roles are. */
  readonly buyers: readonly BuyerRoles[] | null;
  /** Messages that the local queue still holds, to be tried again. */
  readonly waiting: number;
  /** Calls that the functions made to the emulated Management API since its start; null for a real tenant. */
  readonly managementCalls: number | null;
}

/** How long a local queue may take. A message that failed comes back after seconds, then longer. */
const QUEUE_LIMIT_MS = 20_000;
/** A service elsewhere: roles that stay the same this long are taken as final. */
const CALM_MS = 4_000;
const CALM_LIMIT_MS = 60_000;

/**
 * Posts wire bodies as Gumroad does, and looks what became of the buyers.
 * @throws {ConfigError} REPLAY_FILE, REPLAY_SETTING, REPLAY_NO_SERVICE, REPLAY_GUMROAD
 */
export async function filesReplayed(request: FilesRequest, told: (posted: Posted) => void,
  posting: Posting): Promise<ReplayReport> {
  const env = environmentWith(path.join(projectRoot, ".env"), posting.env);
  const files = replayFiles(request.paths);
  const pings = Array.from({ length: request.repeat }, () => files.map(readPing)).flat();
  const target = await targetOf(request, { ...posting, env });

  const stack = isLoopback(target.url)
    ? readStackFile(path.join(projectRoot, ".local"), Number(target.url.port))
    : undefined;
  await seed(stack, files, told);
  const answers = await post(pings, target, request.atOnce);
  if (answers.every(({ refused }) => refused)) {
    throw new ConfigError("REPLAY_NO_SERVICE",
      `nothing listens at ${target.url.origin}${isLoopback(target.url) ? ": start it with npm start" : ""}`);
  }
  told({ kind: "answers", answers });

  const reader = await roleReader(target, stack, { ...posting, env });
  const buyers = [...new Set(pings.flatMap(({ buyer }) => buyer ?? []))];
  const waiting = stack === undefined ? 0 : await waitForQueue(stack, QUEUE_LIMIT_MS);
  return { pings: answers, buyers: reader === undefined ? null : await rolesOf(reader, buyers, stack), waiting,
    managementCalls: (await reader?.managementCalls()) ?? null };
}

/** `to`, or the stage's ping URL. The local one is known without a stage: whatever listens there is posted to. */
async function targetOf({ to, token }: FilesRequest, posting: Posting): Promise<ReplayTarget> {
  const port = portOf("PORT", posting.env["PORT"], 3000);
  const isRunning = readStackFile(path.join(projectRoot, ".local"), port) !== undefined;
  // Of a running stage the token in force is asked for: the one it started with may have been replaced since.
  if (to !== undefined || (posting.isLocal && !isRunning)) {
    return replayTarget(to ?? `http://127.0.0.1:${String(port)}`, token ?? LOCAL_TOKEN);
  }
  const stage = await posting.stage();
  return replayTarget(pingUrl(stage, token ?? (await pingToken(stage, posting))), LOCAL_TOKEN);
}

/**
 * The emulated API shows what the pings tell of before they come, as the real one does. Only a stack that reads back
 * looks at it.
 */
async function seed(stack: StackFile | undefined, files: readonly string[],
  told: (posted: Posted) => void): Promise<void> {
  if (stack === undefined) return;
  const rows = await seedGumroad(stack.gumroad.emulator, files);
  if (rows === undefined || !stack.gumroad.readBack) return;
  const { sales = [], unlistedSales = [], subscribers = [] } = rows;
  told({ kind: "rows", sales: sales.length + unlistedSales.length, subscribers: subscribers.length });
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
async function roleReader(target: ReplayTarget, stack: StackFile | undefined,
  { isLocal, stage, env, commandLine }: Posting): Promise<RoleReader | undefined> {
  if (typeof stack?.auth0.emulator === "string") return emulatorRoles(stack.auth0.emulator);
  const tenant = tenantOf(env);
  const domain = stack?.auth0.domain ?? tenant.domain;
  if (domain !== undefined) {
    return tenantRoles({ domain, client_id: tenant.clientId ?? LOCAL_CLIENT.id,
      client_secret: tenant.clientSecret ?? LOCAL_CLIENT.secret });
  }
  if (!isLocal) return directoryRoles(await serviceDirectory({ stage: await stage(), commandLine }));
  if (!isLoopback(target.url)) return undefined;
  return emulatorRoles(`http://127.0.0.1:${String(portOf("AUTH0_PORT", env["AUTH0_PORT"], 3001))}`);
}

async function rolesOf(reader: RoleReader, buyers: readonly string[],
  stack: StackFile | undefined): Promise<readonly BuyerRoles[]> {
  if (buyers.length === 0) return [];
  return stack === undefined ? settledRoles(reader, buyers, CALM_MS, CALM_LIMIT_MS) : reader.roles(buyers);
}

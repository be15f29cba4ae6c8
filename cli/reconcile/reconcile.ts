import { randomUUID } from "node:crypto";

import { NeedsPersonError, TemporaryError } from "../../src/errors.ts";
import { dynamoSurvey } from "../../src/ledger/survey.ts";
import { dynamoSweeps } from "../../src/ledger/sweeps.ts";
import { bulkQueue } from "../../src/queue/queue.ts";
import type { SweepState } from "../../src/sweeping/reconcile.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { grouped } from "../terminal/progress.ts";
import { lookAhead } from "./ahead.ts";
import { askForSweep, type AskableSweep } from "./call.ts";
import { openShop } from "../shop/service-shop.ts";
import type { Stage } from "../stage/stage.ts";
import { lastReport } from "../ledger/sweep-reports.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";

/** The flags of `reconcile`, as commander gives them. */
export interface ReconcileFlags {
  readonly goOn?: true;
  readonly dryRun?: true;
}

/** Between two slices where the queue wants to be emptied first, and how long nothing may get on. */
const PAUSE_MS = 2_000;
const STALLED_MS = 5 * 60_000;
/** How long the queue may take for what was found. Nothing is lost after that: only the count isn't final. */
const WORK_LIMIT_MS = 60_000;
/** Findings that people are shown; a script gets all. */
const SHOWN = 20;

/** Has the service make a sweep now, or looks what it would find. */
export async function reconcile(sweep: AskableSweep, flags: ReconcileFlags, context: Context): Promise<ExitCode> {
  return flags.dryRun === true ? dryRun(sweep, context) : sweepNow(sweep, flags, context);
}

async function sweepNow(sweep: AskableSweep, flags: ReconcileFlags, context: Context): Promise<ExitCode> {
  const { output, commandLine } = context;
  const stage = await context.stage();
  const state = await toItsEnd(sweep, flags.goOn === true, stage, context);
  if (!state.token) {
    output.say(
      `${output.tone("warning", "without a Gumroad token")} lost pings can't be found: ${commandLine("setup")}`,
    );
  }
  if (state.sent > 0) await workedOff(stage, context);
  const report = await lastReport(ledgerTable(stage.dynamo, stage.ledger), sweep);
  const changed = report?.changed ?? 0;
  output.table(["sweep", "read", "differed", "sent", "changed"], [[sweep,
    ...[state.read, state.differed, state.sent, changed].map(grouped)]]);
  output.result({ stage: stage.name, dryRun: false, sweep, read: state.read, differed: state.differed,
    sent: state.sent, changed, token: state.token });
  return state.token ? EXIT.ok : EXIT.failed;
}

/** The function works in slices of less than a minute: it is asked until the sweep has ended. */
async function toItsEnd(sweep: AskableSweep, goOn: boolean, stage: Stage,
  { wait, output, commandLine }: Context): Promise<SweepState> {
  let last: SweepState | null = null;
  let idleMs = 0;
  for (let asked = goOn;; asked = true) {
    const state: SweepState | null = await askForSweep(stage, sweep, asked);
    if (state?.finished === true) return state;
    if (state === null && last === null && !asked) {
      throw new NeedsPersonError("RECONCILE_FAILED",
        `the sweep could not begin: Gumroad can't be read, or another run was first. ${
          commandLine("doctor")
        } finds why; the function's log says it too`);
    }
    if (state !== null && state.read !== last?.read) {
      output.say(`${grouped(state.read)} read so far, ${grouped(state.differed)} differ`);
      idleMs = 0;
    }
    if (idleMs >= STALLED_MS) {
      throw new TemporaryError("RECONCILE_STALLED",
        `the sweep has not got on for five minutes: ${
          commandLine("doctor")
        } finds why. It goes on by itself, every minute`);
    }
    last = state ?? last;
    await wait(PAUSE_MS);
    idleMs += PAUSE_MS;
  }
}

/** Waits for what was found to be worked off: until then, how many records change isn't known. */
async function workedOff(stage: Stage, { wait }: Context): Promise<void> {
  const queue = bulkQueue(stage.sqs, stage.queue, "all");
  const pause = stage.emulators === null ? PAUSE_MS : 100;
  for (let waited = 0; waited < WORK_LIMIT_MS && (await queue.depth()) > 0; waited += pause) await wait(pause);
}

async function dryRun(sweep: AskableSweep, context: Context): Promise<ExitCode> {
  const { output, commandLine } = context;
  const policy = await context.policy();
  const stage = await context.stage();
  const shop = sweep === "daily" ? await openShop(stage, context).catch(withoutToken) : await openShop(stage, context);
  const { read, differed, found } = await lookAhead(sweep, { shop,
    survey: dynamoSurvey(ledgerTable(stage.dynamo, stage.ledger)),
    last: await dynamoSweeps(ledgerTable(stage.dynamo, stage.ledger)).load(sweep), policy, now: context.now,
    wait: context.wait, requestId: randomUUID() });
  output.say(
    `${grouped(read)} read, ${grouped(differed)} differ; would have ${
      grouped(found.length)
    } read back or worked out anew: ${commandLine(`reconcile ${sweep}`)}`,
  );
  if (found.length > 0) output.table(["buyer", "what"], found.slice(0, SHOWN).map(({ buyer, what }) => [buyer, what]));
  if (found.length > SHOWN) output.say(`and ${grouped(found.length - SHOWN)} more; --json lists all`);
  output.result({ stage: stage.name, dryRun: true, sweep, read, differed, found });
  return EXIT.ok;
}

function withoutToken(error: unknown): null {
  if (error instanceof NeedsPersonError && error.code === "GUMROAD_TOKEN_MISSING") return null;
  throw error;
}

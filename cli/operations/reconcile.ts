import { randomUUID } from "node:crypto";

import { NeedsPersonError, TemporaryError } from "../../src/errors.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoSurvey } from "../../src/ledger/survey.ts";
import { dynamoSweeps } from "../../src/ledger/sweeps.ts";
import { bulkQueue } from "../../src/queue/queue.ts";
import type { SweepState } from "../../src/sweeping/reconcile.ts";
import { lastReport } from "../ledger/sweep-reports.ts";
import { type Ahead, lookAhead } from "../reconcile/ahead.ts";
import { type AskableSweep, askForSweep } from "../reconcile/call.ts";
import { openShop } from "../shop/service-shop.ts";
import type { Operating } from "./operating.ts";

/** Which sweep; `goOn` with the one that is under way, if one is. */
export interface SweepRequest {
  readonly sweep: AskableSweep;
  readonly goOn: boolean;
}

/** What came of a sweep. */
export interface Swept extends Pick<SweepState, "read" | "differed" | "sent" | "token"> {
  /** Records that were changed because of it, so far. */
  readonly changed: number;
}

/** Between two slices where the queue wants to be emptied first, and how long nothing may get on. */
const PAUSE_MS = 2_000;
const STALLED_MS = 5 * 60_000;
/** How long the queue may take for what was found. Nothing is lost after that: only the count isn't final. */
const WORK_LIMIT_MS = 60_000;

/**
 * Has the service make a sweep now, to its end; what was read so far is told as it gets on.
 * @throws {NeedsPersonError} RECONCILE_FAILED; {TemporaryError} RECONCILE_STALLED
 */
export async function swept({ sweep, goOn }: SweepRequest,
  told: (soFar: Pick<SweepState, "read" | "differed">) => void, operating: Operating): Promise<Swept> {
  const { stage } = operating;
  const { read, differed, sent, token } = await toItsEnd(sweep, goOn, told, operating);
  if (sent > 0) await workedOff(operating);
  const report = await lastReport(ledgerTable(stage.dynamo, stage.ledger), sweep);
  return { read, differed, sent, token, changed: report?.changed ?? 0 };
}

/** The function works in slices of less than a minute: it is asked until the sweep has ended. */
async function toItsEnd(sweep: AskableSweep, goOn: boolean, told: Parameters<typeof swept>[1],
  { stage, wait, commandLine }: Operating): Promise<SweepState> {
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
      told(state);
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
async function workedOff({ stage, wait }: Operating): Promise<void> {
  const queue = bulkQueue(stage.sqs, stage.queue, "all");
  const pause = stage.emulators === null ? PAUSE_MS : 100;
  for (let waited = 0; waited < WORK_LIMIT_MS && (await queue.depth()) > 0; waited += pause) await wait(pause);
}

/** Looks what a sweep would find; sends and writes nothing. Throws as `openShop` and `lookAhead`. */
export async function sweptAhead(sweep: AskableSweep, operating: Operating): Promise<Ahead> {
  const { stage, policy, now, wait } = operating;
  const opened = openShop(operating);
  return lookAhead(sweep, { shop: await (sweep === "daily" ? opened.catch(withoutToken) : opened),
    survey: dynamoSurvey(ledgerTable(stage.dynamo, stage.ledger)),
    last: await dynamoSweeps(ledgerTable(stage.dynamo, stage.ledger)).load(sweep), policy: await policy(), now, wait,
    requestId: randomUUID() });
}

function withoutToken(error: unknown): null {
  if (error instanceof NeedsPersonError && error.code === "GUMROAD_TOKEN_MISSING") return null;
  throw error;
}

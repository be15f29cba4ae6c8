import * as z from "zod/mini";

import { NeedsPersonError, TemporaryError } from "../errors.ts";
import type { GumroadApi } from "../gumroad/api.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { sweepKinds, sweepName, type Checkpoint, type Sweeps } from "../ledger/sweeps.ts";
import { causesOf, log } from "../log.ts";
import { needsPerson } from "../metrics.ts";
import type { BulkQueue } from "../queue/queue.ts";
import { runningAccess } from "./daily.ts";
import { queueFeed, sendDueBuyers, type Feed } from "./feed.ts";
import { allSales, recentSales } from "./sales.ts";
import type { shopOf } from "./shop.ts";
import type { Sweep, SweepPage, SweepTools } from "./sweep.ts";

/** What reconciling works with. */
export interface Reconciling extends Omit<SweepTools, "shop" | "sweep"> {
  readonly ledger: Pick<Ledger, "due">;
  readonly sweeps: Sweeps;
  readonly queue: BulkQueue;
  readonly openShop: ReturnType<typeof shopOf>;
  readonly wait: (ms: number) => Promise<unknown>;
}

/** How far a sweep is after this run; the counts are of the whole sweep. */
export type SweepState = ReturnType<typeof stateOf>;

const SWEEPS: readonly Sweep[] = [recentSales, runningAccess, allSales];
const MINUTE_MS = 60_000;
/** The schedule's minutes come a few seconds early or late: without it, some sweeps would begin a minute late. */
const SLACK_MS = 30_000;

/** Each has its minute in front: a busy shop's last days, or a sweep that fails, must not keep the others from it. */
function orderAt(now: number): readonly Sweep[] {
  const first = [recentSales, allSales, runningAccess][Math.floor(now / MINUTE_MS) % SWEEPS.length] ?? recentSales;
  return [first, ...SWEEPS.filter((sweep) => sweep !== first)];
}

/** `goOn`: with the one that is under way. Left out: begin anew. */
const askedShape = z.strictObject({ sweep: z.enum(sweepKinds), goOn: z.optional(z.boolean()) });

/** A sweep asked for by hand. */
export type AskedSweep = Readonly<z.infer<typeof askedShape>>;

/** The sweep that an event asks for: `{"sweep": "recent"}`. Null for the schedule's event, and for everything else. */
export function askedSweep(event: unknown): AskedSweep | null {
  return askedShape.safeParse(event).data ?? null;
}

/**
 * One run: the due buyers, then as much of the sweeps as fits. With a sweep asked for: a slice of that one, and
 * nothing else. A Gumroad that can't be read ends the sweeps for this minute, and nothing more.
 * @throws {TemporaryError} LEDGER_UNREACHABLE, QUEUE_UNREACHABLE
 */
export async function reconcile(asked: AskedSweep | null, work: Reconciling) {
  const feed = queueFeed(work);
  const due = asked === null ? await sendDueBuyers(work.ledger, feed, work.now(), work.requestId) : 0;
  if (due > 0) log.info("sent due buyers to the queue", { sent: due });

  const sweeps: SweepState[] = [];
  try {
    for (const sweep of orderAt(work.now())) {
      if (work.enough.aborted || (asked !== null && asked.sweep !== sweep.kind)) continue;
      const before = feed.sent();
      const state = await turnOf(sweep, asked, feed, work);
      if (state !== null) sweeps.push(state);
      // The next sweep would find the same once more, as nobody has read it back yet.
      if (feed.sent() > before) break;
    }
  } catch (error) {
    leaveForNextRun(error, work);
  }
  return { due, sweeps };
}

/** A slice of a sweep that is under way, due or asked for; null if it isn't, can't be, or another run was first. */
async function turnOf(sweep: Sweep, asked: AskedSweep | null, feed: Feed,
  work: Reconciling): Promise<SweepState | null> {
  const last = await work.sweeps.load(sweep.kind);
  const isUnderWay = last !== null && last.finishedAt === null;
  const isDue = last === null || (last.finishedAt !== null && work.now() >= last.startedAt + sweep.everyMs - SLACK_MS);
  if (asked === null && !isUnderWay && !isDue) return null;
  if (asked?.goOn === true && last !== null && !isUnderWay) return stateOf(last, true);

  const shop = await work.openShop(work.deadline);
  // Nothing is written down: once there is a token, it begins at once.
  if (shop === null && sweep.needsShop) {
    return asked === null ? null : { sweep: sweep.kind, read: 0, differed: 0, sent: 0, finished: true, token: false };
  }
  const goesOn = isUnderWay && (asked === null || asked.goOn === true);
  const begun = goesOn ? last : await work.sweeps.save(fresh(sweep, last, work));
  if (begun === null) return null;
  return stateOf(await slice(sweep, begun, shop, feed, work), shop !== null);
}

function fresh({ kind, begin }: Sweep, last: Checkpoint | null, { policy, now }: Reconciling): Checkpoint {
  const startedAt = now();
  return { kind, startedAt, position: begin(startedAt, last, policy), read: 0, differed: 0, sent: 0, finishedAt: null,
    version: last?.version ?? 0 };
}

/**
 * Page by page, until the sweep ends, the time is up, or the queue has enough. A page's findings are sent before it is
 * ticked off, on the version that was read: a crash repeats one page, and of two at once only one goes on.
 */
async function slice(sweep: Sweep, begun: Checkpoint, shop: GumroadApi | null, feed: Feed,
  work: Reconciling): Promise<Checkpoint> {
  const name = sweepName(begun);
  let checkpoint = begun;
  while (checkpoint.finishedAt === null && (await feed.ready())) {
    const page = await pageAt(checkpoint, sweep, { ...work, shop, sweep: name });
    await feed.send(page.found);
    const following: Checkpoint = { ...checkpoint, position: page.next ?? checkpoint.position,
      read: checkpoint.read + page.read, differed: checkpoint.differed + page.differed,
      sent: checkpoint.sent + page.found.length, finishedAt: page.next === null ? work.now() : null };
    if (following.finishedAt !== null) await work.sweeps.report(following);
    const saved = await work.sweeps.save(following);
    if (saved === null) {
      log.info("another run goes on with this sweep", { sweep: name });
      return checkpoint;
    }
    checkpoint = saved;
    const { startedAt, finishedAt, read, differed, sent } = saved;
    if (finishedAt !== null) {
      log.info("sweep finished", { sweep: name, read, differed, sent, tookMs: finishedAt - startedAt });
    }
  }
  return checkpoint;
}

/** A sweep whose page Gumroad refuses goes on around it at the next run: its page keys may be none any more. */
async function pageAt(checkpoint: Checkpoint, sweep: Sweep,
  work: SweepTools & Pick<Reconciling, "sweeps">): Promise<SweepPage> {
  try {
    return await sweep.page(checkpoint.position, work);
  } catch (error) {
    if (error instanceof NeedsPersonError && error.code === "GUMROAD_REFUSED") {
      await work.sweeps.save({ ...checkpoint, position: sweep.around(checkpoint.position, work.policy) });
    }
    throw error;
  }
}

/** `token`: false where none of Gumroad's is configured, so that nothing of Gumroad's was read. */
function stateOf({ kind, read, differed, sent, finishedAt }: Checkpoint, token: boolean) {
  return { sweep: kind, read, differed, sent, finished: finishedAt !== null, token };
}

/** Gumroad's failures are counted where it is called. The ledger's and the queue's are our own, and fail the run. */
function leaveForNextRun(error: unknown, { requestId }: Reconciling): void {
  if (error instanceof NeedsPersonError) {
    needsPerson(error.message, { requestId, causes: causesOf(error) });
    return;
  }
  if (!(error instanceof TemporaryError) || !/^(?:GUMROAD|SECRET)_/.test(error.code)) throw error;
  log.warn("a sweep goes on at the next run", { requestId, causes: causesOf(error) });
}

import * as z from "zod";

import { NeedsPersonError, TemporaryError } from "../../src/errors.ts";
import type { GumroadApi } from "../../src/gumroad/api.ts";
import type { Survey } from "../../src/ledger/survey.ts";
import { sweepName, type Checkpoint, type Sweeps } from "../../src/ledger/sweeps.ts";
import type { BulkQueue } from "../../src/queue/queue.ts";
import { hintFor } from "../../src/sweeping/sweep.ts";
import { besidePage, compared, type SalesPosition, unlike } from "../../src/sweeping/sales.ts";
import { sendingWindow } from "./window.ts";
import { patiently } from "../shop/patience.ts";

/** What a backfill was begun with. It stays so until its end, however often it is stopped. */
export interface BackfillTerms {
  /** The first day (YYYY-MM-DD, UTC); null for all. */
  readonly since: string | null;
  /** Whether roles that buyers have already are counted as ours. */
  readonly adopt: boolean;
  readonly invite: boolean;
}

/** What a backfill works with. `now` gives epoch milliseconds. */
export interface Backfilling {
  readonly shop: GumroadApi;
  readonly survey: Survey;
  readonly sweeps: Pick<Sweeps, "save" | "report">;
  readonly queue: BulkQueue;
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<unknown>;
  /** Names this run in the log of the functions. */
  readonly requestId: string;
  /** How often the ledger and the queue are looked at, and how late the queue's count may be (ms). */
  readonly pollMs: number;
  readonly countLagMs: number;
}

/** A listing, counted. */
export interface SalesCount {
  readonly sales: number;
  readonly buyers: number;
  /** Sales that the ledger doesn't have, or has otherwise, and their buyers. */
  readonly news: number;
  readonly newsBuyers: number;
}

/** What came of a run. */
export interface BackfillOutcome {
  readonly checkpoint: Checkpoint;
  /** Sales that the ledger took in during this run. */
  readonly taken: number;
  /** See `SendingWindow.untaken`. */
  readonly untaken: readonly string[];
  /** Gifts whose receiver Gumroad doesn't name. */
  readonly nobodys: readonly string[];
}

const positionShape = z.object({ since: z.string().nullable(), adopt: z.boolean(), invite: z.boolean(),
  total: z.number(), pageKey: z.string().nullable(), before: z.string().optional(), reached: z.string().optional() });

/** Where a backfill is: its terms, and how many sales there are in all. */
export type BackfillPosition = z.infer<typeof positionShape>;

const CALL_MS = 30_000;

/** Reads where a backfill is. */
export function positionOf({ position }: Pick<Checkpoint, "position">): BackfillPosition {
  return positionShape.parse(JSON.parse(position));
}

/** The checkpoint of a backfill that begins now, in place of the one before. */
export function beginning(terms: BackfillTerms, total: number, last: Checkpoint | null, now: number): Checkpoint {
  const position: BackfillPosition = { ...terms, total, pageKey: null };
  return { kind: "backfill", startedAt: now, position: JSON.stringify(position), read: 0, differed: 0, sent: 0,
    finishedAt: null, version: last?.version ?? 0 };
}

/** Walks over the listing once: Gumroad doesn't say how many there are. `counted` is told the sales so far. */
export async function countSales({ since, adopt }: BackfillTerms, work: PageReading,
  counted: (sales: number) => void): Promise<SalesCount> {
  const buyers = new Set<string>();
  const news = new Set<string>();
  const newsBuyers = new Set<string>();
  // What is gone around is listed twice in part.
  const seen = new Set<string>();
  const pages = listing(adopt, work);
  for (let place: SalesPosition | null = { after: since, pageKey: null }; place !== null;) {
    const { sales, next }: ComparedPage = await pages(place);
    for (const { row, buyer, what } of sales) {
      seen.add(row.id);
      if (buyer === null) continue;
      buyers.add(buyer);
      if (what === null) continue;
      news.add(row.id);
      newsBuyers.add(buyer);
    }
    counted(seen.size);
    place = next;
  }
  return { sales: seen.size, buyers: buyers.size, news: news.size, newsBuyers: newsBuyers.size };
}

/**
 * Goes on from a checkpoint, page by page, newest sales first. A page's hints are in the queue before it is ticked
 * off: who kills this loses nothing, and the next run, from any machine, repeats one page at most, of which the ledger
 * knows by then.
 * @throws {TemporaryError} BACKFILL_STALLED, BACKFILL_ELSEWHERE, or what Gumroad, the ledger or the queue throw
 */
export async function runBackfill(begun: Checkpoint, work: Backfilling,
  progress: (read: number) => void): Promise<BackfillOutcome> {
  const { wait, now } = work;
  const { adopt, invite } = positionOf(begun);
  const about = { requestId: work.requestId, sweep: sweepName(begun), now };
  const window = sendingWindow({ ...work,
    queue: { send: (messages) => patiently(() => work.queue.send(messages), wait),
      depth: () => patiently(() => work.queue.depth(), wait) },
    survey: { owned: (ids) => patiently(() => work.survey.owned(ids), wait) },
    isKnown: (row, owned) => adopting(adopt)(row, owned, now()) === null });
  const nobodys: string[] = [];
  const pages = listing(adopt, work);
  let checkpoint = begun;
  while (checkpoint.finishedAt === null) {
    await window.room();
    const { since, ...place } = positionOf(checkpoint);
    const { sales, differing, next } = await pages({ ...place, after: since });
    const told = differing.flatMap(({ row, buyer, what }) =>
      buyer === null ? [] : [{ row, message: hintFor(buyer, what, about, { adopt, invite }) }]
    );
    nobodys.push(...differing.flatMap(({ row, buyer }) => (buyer === null ? [row.id] : [])));
    await window.send(told);
    checkpoint = await ticked(checkpoint, { ...checkpoint, read: checkpoint.read + sales.length,
      differed: checkpoint.differed + differing.length, sent: checkpoint.sent + told.length }, next, work);
    progress(checkpoint.read);
  }
  await window.emptied();
  return { checkpoint, taken: window.taken, untaken: window.untaken, nobodys };
}

async function ticked(last: Checkpoint, counted: Checkpoint, next: SalesPosition | null,
  { sweeps, now, wait }: Backfilling): Promise<Checkpoint> {
  const { pageKey = null, before, reached } = next ?? {};
  const position: BackfillPosition = { ...positionOf(last), pageKey, before, reached };
  const following: Checkpoint = { ...counted, position: JSON.stringify(position),
    finishedAt: next === null ? now() : null };
  if (following.finishedAt !== null) await patiently(() => sweeps.report(following), wait);
  const saved = await patiently(() => sweeps.save(following), wait);
  if (saved === null) {
    throw new TemporaryError("BACKFILL_ELSEWHERE",
      "another backfill of this stage goes on with this one: leave it to that, or run it again once that has ended");
  }
  return saved;
}

/** What to read back of a row; also where its buyer is yet to adopt, if they are to. */
function adopting(adopt: boolean): typeof unlike {
  return (row, source, at) =>
    unlike(row, source, at) ?? (adopt && source?.record?.adopts !== true ? `sale:${row.id}` : null);
}

type PageReading = Pick<Backfilling, "shop" | "survey" | "now" | "wait">;
type ComparedPage = Awaited<ReturnType<typeof compared>>;

/**
 * The weekly sweep's step over the listing, and its way around a page that Gumroad refuses, whose key may be none any
 * more: from the day of the last row read. Refused there again, it is the shop that can't be read.
 */
function listing(adopt: boolean, work: PageReading): (place: SalesPosition) => Promise<ComparedPage> {
  const read = (place: SalesPosition): Promise<ComparedPage> =>
    patiently(() => compared(place, { ...work, deadline: AbortSignal.timeout(CALL_MS) }, adopting(adopt)), work.wait);
  let last: string | null = null;
  return async (place) => {
    try {
      return await read(place);
    } catch (error) {
      const aside = besidePage(place);
      const isRefused = error instanceof NeedsPersonError && error.code === "GUMROAD_REFUSED";
      if (!isRefused || place.pageKey === null || aside.before === last) throw error;
      last = aside.before ?? null;
      return read(aside);
    }
  };
}

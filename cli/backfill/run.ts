import * as z from "zod";

import { TemporaryError } from "../../src/errors.ts";
import type { GumroadApi, Page } from "../../src/gumroad/api.ts";
import { ownerOfRow, sourceOfRow } from "../../src/gumroad/facts-of-rows.ts";
import type { SaleRow } from "../../src/gumroad/rows.ts";
import type { OwnedSource, Survey } from "../../src/ledger/survey.ts";
import { sweepName, type Checkpoint, type Sweeps } from "../../src/ledger/sweeps.ts";
import type { BulkQueue } from "../../src/queue/queue.ts";
import { unlike } from "../../src/sweeping/sales.ts";
import { sendingWindow, type Told } from "./window.ts";
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
  readonly survey: Pick<Survey, "owned">;
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
  total: z.number(), pageKey: z.string().nullable() });

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
export async function countSales({ since, adopt }: BackfillTerms,
  { shop, survey, wait }: Pick<Backfilling, "shop" | "survey" | "wait">,
  counted: (sales: number) => void): Promise<SalesCount> {
  const buyers = new Set<string>();
  const newsBuyers = new Set<string>();
  let sales = 0;
  let news = 0;
  for (let pageKey: string | null = null;;) {
    const { rows, next }: Page<SaleRow> = await pageAt(shop, since, pageKey, wait);
    const owned = await patiently(() => survey.owned(rows.map(sourceOfRow)), wait);
    for (const row of rows) {
      const known = owned.get(sourceOfRow(row));
      const buyer = known?.buyer ?? ownerOfRow(row);
      if (buyer === null) continue;
      buyers.add(buyer);
      if (isKnown(row, known, adopt)) continue;
      news += 1;
      newsBuyers.add(buyer);
    }
    sales += rows.length;
    counted(sales);
    if (next === null) return { sales, buyers: buyers.size, news, newsBuyers: newsBuyers.size };
    pageKey = next;
  }
}

/**
 * Goes on from a checkpoint, page by page, newest sales first. A page's hints are in the queue before it is ticked
 * off: who kills this loses nothing, and the next run, from any machine, repeats one page at most, of which the ledger
 * knows by then.
 * @throws {TemporaryError} BACKFILL_STALLED, BACKFILL_ELSEWHERE, or what Gumroad, the ledger or the queue throw
 */
export async function runBackfill(begun: Checkpoint, work: Backfilling,
  progress: (read: number) => void): Promise<BackfillOutcome> {
  const { shop, wait } = work;
  const { since, adopt } = positionOf(begun);
  const survey = { owned: (ids: Parameters<Survey["owned"]>[0]) => patiently(() => work.survey.owned(ids), wait) };
  const queue: BulkQueue = { send: (messages) => patiently(() => work.queue.send(messages), wait),
    depth: () => patiently(() => work.queue.depth(), wait) };
  const window = sendingWindow({ ...work, queue, survey, isKnown: (row, owned) => isKnown(row, owned, adopt) });
  const nobodys: string[] = [];
  let checkpoint = begun;
  while (checkpoint.finishedAt === null) {
    await window.room();
    const position = positionOf(checkpoint);
    const { rows, next } = await pageAt(shop, since, position.pageKey, wait);
    const owned = await survey.owned(rows.map(sourceOfRow));
    const found = rows.filter((row) => !isKnown(row, owned.get(sourceOfRow(row)), adopt));
    const told = found.flatMap((row) =>
      hint(row, owned.get(sourceOfRow(row))?.buyer ?? ownerOfRow(row), checkpoint, work)
    );
    nobodys.push(
      ...found.filter((row) => owned.get(sourceOfRow(row)) === undefined && ownerOfRow(row) === null).map(({ id }) =>
        id
      ),
    );
    await window.send(told);
    checkpoint = await ticked(checkpoint, { ...checkpoint, read: checkpoint.read + rows.length,
      differed: checkpoint.differed + found.length, sent: checkpoint.sent + told.length }, next, work);
    progress(checkpoint.read);
  }
  await window.emptied();
  return { checkpoint, taken: window.taken, untaken: window.untaken, nobodys };
}

async function ticked(before: Checkpoint, counted: Checkpoint, next: string | null,
  { sweeps, now, wait }: Backfilling): Promise<Checkpoint> {
  const position: BackfillPosition = { ...positionOf(before), pageKey: next };
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

/** Whether there is nothing to tell of a row: the ledger has it, and adopts if it should. */
function isKnown(row: SaleRow, owned: OwnedSource | undefined, adopt: boolean): boolean {
  // When it was read doesn't matter: what it says does.
  return owned !== undefined && unlike(row, owned.known, 0) === null && (owned.record?.adopts === true || !adopt);
}

function hint(row: SaleRow, buyer: string | null, checkpoint: Checkpoint,
  { requestId, now }: Backfilling): readonly Told[] {
  if (buyer === null) return [];
  const sweep = sweepName(checkpoint);
  const { adopt, invite } = positionOf(checkpoint);
  return [
    { row,
      message: {
        message: { v: 1, kind: "hint", requestId, buyer, hops: 0, saleId: row.id, subscriptionId: null, sweep,
          foundAt: now(), adopt, invite },
        id: `${sweep} sale ${row.id}`,
      } },
  ];
}

async function pageAt(shop: GumroadApi, since: string | null, pageKey: string | null,
  wait: Backfilling["wait"]): Promise<Page<SaleRow>> {
  return patiently(
    () =>
      shop.sales({ ...(since === null ? {} : { after: since }), ...(pageKey === null ? {} : { pageKey }) },
        AbortSignal.timeout(CALL_MS)),
    wait,
  );
}

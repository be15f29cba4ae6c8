import * as z from "zod/mini";

import type { Source } from "../access/facts.ts";
import { endOf, tellsMore } from "../access/known.ts";
import { factsOfSale, ownerOfRow, sourceOfRow } from "../gumroad/facts-of-rows.ts";
import type { SaleRow } from "../gumroad/rows.ts";
import { log } from "../log.ts";
import type { BulkMessage } from "../queue/queue.ts";
import { distinct, hintFor, type ToReadBack } from "./hints.ts";
import type { Sweep, SweepPage, SweepTools } from "./sweep.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** The schedule's minutes come a few seconds early or late: without it, some sweeps would begin a minute late. */
const SLACK_MS = 30_000;

/** Listings go by days. `before`: without what was read already; `reached`: the day of the last row read. */
const positionShape = z.object({ after: z.nullable(z.string()), pageKey: z.nullable(z.string()),
  before: z.optional(z.string()), reached: z.optional(z.string()) });

/** Every 15 minutes the sales of the last two days: a lost sale, refund or dispute of those days is found. */
export const recentSales: Sweep = {
  kind: "recent",
  everyMs: 15 * MINUTE_MS - SLACK_MS,
  needsShop: true,
  // From before the last one began: had it taken days, only the weekly one would see the sales of those.
  begin: (now, last) => written({ after: dayOf(Math.min(now - 2 * DAY_MS, last?.startedAt ?? now)), pageKey: null }),
  page: salesPage,
  around,
};

/** Every week all sales: refunds and disputes of old ones, that no ping told. */
export const allSales: Sweep = { kind: "weekly", everyMs: 7 * DAY_MS - SLACK_MS, needsShop: true,
  begin: () => written({ after: null, pageKey: null }), page: salesPage, around };

/** From the day of the last row read, which is read once more, instead of by page key. */
function around(text: string): string {
  const { after, before, reached } = positionShape.parse(JSON.parse(text));
  const last = reached === undefined ? before : dayOf(Date.parse(reached) + DAY_MS);
  return written({ after, pageKey: null, before: last });
}

async function salesPage(position: string, tools: SweepTools): Promise<SweepPage> {
  const { shop, survey, deadline, now } = tools;
  const { after, pageKey, before, reached } = positionShape.parse(JSON.parse(position));
  if (shop === null) return { read: 0, differed: 0, found: [], next: position };
  const at = now();
  const { rows, next } = await shop.sales({ ...(after === null ? {} : { after }),
    ...(before === undefined ? {} : { before }), ...(pageKey === null ? {} : { pageKey }) }, deadline);
  const owned = await survey.owned(rows.map(sourceOfRow));

  const found: BulkMessage[] = [];
  let differed = 0;
  for (const row of rows) {
    const source = owned.get(sourceOfRow(row));
    const what = unlike(row, source?.known, at);
    if (what === null) continue;
    differed += 1;
    const buyer = source?.buyer ?? ownerOfRow(row);
    if (buyer === null) log.warn("a gift whose receiver Gumroad doesn't name", { sale: row.id, sweep: tools.sweep });
    else found.push(hintFor(buyer, what, tools));
  }
  const last = rows.at(-1);
  const following = { after, pageKey: next, before, reached: last === undefined ? reached : dayOf(last.soldAt) };
  return { read: rows.length, differed, found: distinct(found), next: next === null ? null : written(following) };
}

/** What to read back where a row differs from what is known, or null. A dead membership's doesn't say since when. */
export function unlike(row: SaleRow, known: Source | undefined, at: number): ToReadBack | null {
  if (tellsMore(known, { ...factsOfSale(row, at), read: null })) return { saleId: row.id };
  if (known === undefined || row.subscriptionId === null || row.dead === (endOf(known) !== null)) return null;
  return { subscriptionId: row.subscriptionId };
}

function written(position: z.infer<typeof positionShape>): string {
  return JSON.stringify(position);
}

/** Listings go by whole days, UTC. */
function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

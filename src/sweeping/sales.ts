import * as z from "zod/mini";

import type { SourceId } from "../access/facts.ts";
import { endOf, tellsMore } from "../access/known.ts";
import type { GumroadApi } from "../gumroad/api.ts";
import { factsOfSale, ownerOfRow, sourceOfRow } from "../gumroad/facts.ts";
import { dayOf } from "../gumroad/moment.ts";
import type { SaleRow } from "../gumroad/rows.ts";
import type { OwnedSource } from "../ledger/survey.ts";
import { log } from "../log.ts";
import { distinct, hintFor, type Sweep, type SweepPage, type SweepTools } from "./sweep.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Listings go by days. `before`: without what was read already; `reached`: the day of the last row read. */
const positionShape = z.object({ after: z.nullable(z.string()), pageKey: z.nullable(z.string()),
  before: z.optional(z.string()), reached: z.optional(z.string()) });

/** Where in the listing a walk is. */
export type SalesPosition = z.infer<typeof positionShape>;

const walk = { needsShop: true, page: salesPage,
  around: (text: string) => JSON.stringify(besidePage(positionShape.parse(JSON.parse(text)))) };

/** Every 15 minutes the sales of the last two days: a lost sale, refund or dispute of those days is found. */
export const recentSales: Sweep = {
  ...walk,
  kind: "recent",
  everyMs: 15 * MINUTE_MS,
  // From before the last one began: had it taken days, only the weekly one would see the sales of those.
  begin: (now, last) =>
    JSON.stringify({ after: dayOf(Math.min(now - 2 * DAY_MS, last?.startedAt ?? now)), pageKey: null }),
};

/** Every week all sales: refunds and disputes of old ones, that no ping told. */
export const allSales: Sweep = { ...walk, kind: "weekly", everyMs: 7 * DAY_MS,
  begin: () => JSON.stringify({ after: null, pageKey: null }) };

/** From the day of the last row read, which is read once more, instead of by page key. */
export function besidePage({ after, before, reached }: SalesPosition): SalesPosition {
  return { after, pageKey: null, before: reached === undefined ? before : dayOf(Date.parse(reached) + DAY_MS) };
}

async function salesPage(position: string, tools: SweepTools): Promise<SweepPage> {
  const { shop } = tools;
  if (shop === null) return { read: 0, differed: 0, found: [], next: position };
  const { sales, differing, next } = await compared(positionShape.parse(JSON.parse(position)), { ...tools, shop });
  const found = differing.flatMap(({ row, buyer, what }) => {
    if (buyer !== null) return [hintFor(buyer, what, tools)];
    log.warn("a gift whose receiver Gumroad doesn't name", { sale: row.id, sweep: tools.sweep });
    return [];
  });
  return { read: sales.length, differed: differing.length, found: distinct(found),
    next: next === null ? null : JSON.stringify(next) };
}

/** A page of the listing beside what the ledger knows: whose each sale is, and what to read back (`differs`) of it. */
export async function compared({ after, pageKey, before, reached }: SalesPosition,
  { shop, survey, deadline, now }: Pick<SweepTools, "survey" | "deadline" | "now"> & { readonly shop: GumroadApi },
  differs = unlike) {
  const at = now();
  const { rows, next } = await shop.sales({ after, before, pageKey }, deadline);
  const owned = await survey.owned(rows.map(sourceOfRow));
  const sales = rows.map((row) => {
    const source = owned.get(sourceOfRow(row));
    return { row, buyer: source?.buyer ?? ownerOfRow(row), what: differs(row, source, at) };
  });
  const last = rows.at(-1);
  const following = { after, pageKey: next, before, reached: last === undefined ? reached : dayOf(last.soldAt) };
  const differing = sales.flatMap(({ row, buyer, what }) => (what === null ? [] : [{ row, buyer, what }]));
  return { sales, differing, next: next === null ? null : following };
}

/** What to read back of a row that tells something new; or null. */
export function unlike(row: SaleRow, source: OwnedSource | undefined, at: number): SourceId | null {
  const known = source?.known;
  if (tellsMore(known, { ...factsOfSale(row, at), read: null })) return `sale:${row.id}`;
  // A dead membership's row doesn't say since when.
  if (known !== undefined && row.subscriptionId !== null && row.dead !== (endOf(known) !== null)) {
    return `subscription:${row.subscriptionId}`;
  }
  // What came with it stands until the buyer's sales are listed: that failed, or an earlier version did without.
  const isUnlisted = known?.listedAt === null && row.bundle === "bundle" && row.gone && at - row.soldAt > 3 * DAY_MS;
  return isUnlisted ? `sale:${row.id}` : null;
}

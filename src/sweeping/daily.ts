import * as z from "zod/mini";

import { tellsMore } from "../access/known.ts";
import type { Policy } from "../access/policy.ts";
import type { ItemKey } from "../dynamo/table.ts";
import type { GumroadApi } from "../gumroad/api.ts";
import { factsOfSubscriber, ownerOfRow } from "../gumroad/facts.ts";
import type { SubscriberRow } from "../gumroad/rows.ts";
import { recordKey } from "../ledger/keys.ts";
import { newRecord, type BuyerRecord } from "../ledger/record.ts";
import type { Survey } from "../ledger/survey.ts";
import { log } from "../log.ts";
import { needsPerson } from "../metrics.ts";
import type { BulkMessage } from "../queue/queue.ts";
import { isNamed, isToComeIn } from "../provisioning/apart.ts";
import { isStale, productsHeld, unlikeGumroad } from "./record-check.ts";
import { distinct, dueFor, eachRow, hintFor, type Sweep, type SweepPage, type SweepTools } from "./sweep.ts";

const positionShape = z.discriminatedUnion("step", [
  /** The running subscriptions of one product after the other. `again`: its page keys were refused once. */
  z.object({ step: z.literal("subscribers"), productId: z.string(), pageKey: z.nullable(z.string()),
    again: z.optional(z.boolean()) }),
  /** All records. `holders`: how many buyers had each product so far; pairs, because an id comes from outside. */
  z.object({ step: z.literal("records"), after: z.nullable(z.object({ pk: z.string(), sk: z.string() })),
    holders: z.array(z.tuple([z.string(), z.number()])) }),
]);
type Position = z.infer<typeof positionShape>;

/**
 * Every day what no listing of sales shows: subscriptions that run or ended unknown to us; what became of givers'
 * sales; and records for which the policy has changed. The last needs no token of Gumroad's.
 */
export const runningAccess: Sweep = {
  kind: "daily",
  everyMs: 24 * 60 * 60_000,
  needsShop: false,
  begin: (_now, _last, policy) => JSON.stringify(listingOf(policy.keys().next().value)),
  page: async (text, tools) => {
    const position = positionShape.parse(JSON.parse(text));
    if (position.step === "records") return recordsPage(position, tools);
    if (tools.shop === null) {
      log.warn("no token of Gumroad's: lost pings can't be found", { sweep: tools.sweep });
      return { read: 0, differed: 0, found: [], next: JSON.stringify(firstRecords) };
    }
    return subscribersPage(position, tools.shop, tools);
  },
  // First the product from its beginning, then without it: one that Gumroad won't list must not hold up the others.
  around: (text, policy) => {
    const position = positionShape.parse(JSON.parse(text));
    if (position.step === "records") return text;
    const isRepeated = position.pageKey === null || position.again === true;
    return JSON.stringify(
      isRepeated ? productAfter(position.productId, policy) : { ...position, pageKey: null, again: true },
    );
  },
};

const firstRecords: Position = { step: "records", after: null, holders: [] };

function listingOf(productId: string | undefined): Position {
  return productId === undefined ? firstRecords : { step: "subscribers", productId, pageKey: null };
}

/** Subscriptions that run by Gumroad and not by our record. Whose a new one is, its first sale tells. */
async function subscribersPage(position: Extract<Position, { step: "subscribers" }>, shop: GumroadApi,
  tools: SweepTools): Promise<SweepPage> {
  const at = tools.now();
  const { rows, next } = await shop.subscribers(position.productId, position.pageKey, tools.deadline);
  tools.running.note(tools.sweep, rows);
  const owned = await tools.survey.owned(rows.map(({ id }) => `subscription:${id}` as const));
  const differing = rows.filter((row) =>
    tellsMore(owned.get(`subscription:${row.id}`)?.known, factsOfSubscriber(row, at))
  );
  const found = await eachRow(differing, tools.sweep, async (row): Promise<readonly BulkMessage[]> => {
    const buyer = owned.get(`subscription:${row.id}`)?.buyer ?? (await buyerOf(row, shop, tools));
    if (buyer !== null) return [hintFor(buyer, `subscription:${row.id}`, tools)];
    log.warn("a subscription whose buyer Gumroad doesn't name", { subscription: row.id, sweep: tools.sweep });
    return [];
  });
  return { read: rows.length, differed: differing.length, found,
    next: JSON.stringify(
      next === null ? productAfter(position.productId, tools.policy) : { ...position, pageKey: next },
    ) };
}

async function buyerOf({ saleIds }: SubscriberRow, shop: GumroadApi,
  { deadline }: SweepTools): Promise<string | null> {
  const [first] = saleIds;
  const sale = first === undefined ? null : await shop.sale(first, deadline);
  return sale === null ? null : ownerOfRow(sale);
}

/** One that is no longer in the policy counts as the last: its place is lost, and the records matter more. */
function productAfter(productId: string, policy: Policy): Position {
  const ids = [...policy.keys()];
  return listingOf(ids.includes(productId) ? ids[ids.indexOf(productId) + 1] : undefined);
}

/** Looks at records one after the other, so that a part can end in the middle when the time is up. */
async function recordsPage({ after, holders }: Extract<Position, { step: "records" }>,
  tools: SweepTools): Promise<SweepPage> {
  const part = await tools.survey.records(after);
  if (part.broken > 0) {
    const mend = "Records in the ledger's table can't be read: see which, and by what they were written.";
    needsPerson(mend, { records: part.broken, causes: ["RECORD_BROKEN"] });
  }
  const held = new Map(holders);
  const found = [...(await comingIn(part.apart, tools))];
  let read = 0;
  let next: ItemKey | null = part.next;
  for (const record of part.records) {
    found.push(...(await wrongIn(record, tools)));
    read += 1;
    for (const productId of productsHeld(record)) held.set(productId, (held.get(productId) ?? 0) + 1);
    if (tools.enough.aborted && read < part.records.length) {
      next = recordKey(record.email);
      break;
    }
  }
  // A product that nobody has is counted too: it may have had holders yesterday.
  const counted = next === null ? new Set([...tools.policy.keys(), ...held.keys()]) : [];
  for (const productId of counted) await tools.setHolders(productId, held.get(productId) ?? 0);
  return { read, differed: found.length, found: distinct(found),
    next: next === null ? null : JSON.stringify({ step: "records", after: next, holders: [...held] }) };
}

/** What was kept apart of records that should have it by now: the policy was edited since. */
async function comingIn(apart: Awaited<ReturnType<Survey["records"]>>["apart"],
  tools: SweepTools): Promise<readonly BulkMessage[]> {
  const { policy, survey } = tools;
  const candidates = apart.filter(({ facts }) => isNamed(facts, policy));
  const owned = await survey.owned(candidates.map(({ id }) => id));
  return candidates.flatMap(({ id, facts }) => {
    const owner = owned.get(id);
    const isLacking = owner !== undefined && isToComeIn(id, facts, owner.record ?? newRecord(owner.buyer), policy);
    return isLacking ? [hintFor(owner.buyer, id, tools)] : [];
  });
}

async function wrongIn(record: BuyerRecord, tools: SweepTools): Promise<readonly BulkMessage[]> {
  const stale = isStale(record, tools.policy, tools.now()) ? [dueFor(record.email, tools)] : [];
  if (tools.shop === null) return stale;
  const toReadBack = await unlikeGumroad(record, tools.shop, tools);
  return [...stale, ...toReadBack.map((id) => hintFor(record.email, id, tools))];
}

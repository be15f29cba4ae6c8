import { entitlements, withHeld } from "../access/entitlements.ts";
import { entriesOf, isSubscription, type Charge, type SourceId } from "../access/facts.ts";
import { sidesOf } from "../access/gifts.ts";
import { endOf, flagsOf, tellsMore } from "../access/known.ts";
import type { Policy } from "../access/policy.ts";
import type { GumroadApi } from "../gumroad/api.ts";
import { factsOfSale } from "../gumroad/facts.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { isTold } from "../provisioning/apply.ts";
import { changesOf, marked, needsUsers } from "../provisioning/marks.ts";
import { isMine } from "../provisioning/owners.ts";
import { eachRow, type SweepTools } from "./sweep.ts";

const WEEK_MS = 7 * 24 * 60 * 60_000;

/**
 * Whether a record's roles are not what facts, policy and time say by now (what is held gives on), and nothing would
 * bring it back by itself: the policy was edited since it was last worked on.
 */
export function isStale(record: BuyerRecord, policy: Policy, now: number): boolean {
  const isInHand = record.dueAt !== null && (record.unsettled !== null || changesOf(record).length > 0);
  if (isInHand) return false;
  const access = entitlements(record.sources, policy, now);
  const roles = withHeld(access.roles, record);
  return needsUsers(record, roles) || !Object.values(record.users).every((user) => isTold(user, roles)) ||
    changesOf(marked(record, roles)).length > 0 ||
    (access.changesAt !== null && (record.dueAt === null || record.dueAt > access.changesAt));
}

/** The products that give a buyer roles, as the record was last worked on. */
export function productsHeld({ sources, gave }: BuyerRecord): ReadonlySet<string> {
  const giving = entriesOf(sources).filter(([id, { productId }]) => (gave[id] ?? []).length > 0 && productId !== "");
  return new Set(giving.map(([, { productId }]) => productId));
}

/**
 * What gives this buyer access and stands otherwise at Gumroad: subscriptions that ended, the giver's sides of gifts,
 * and received gifts whose giver isn't known yet. What Gumroad doesn't find changes nothing.
 */
export async function unlikeGumroad(record: BuyerRecord, shop: GumroadApi,
  tools: Pick<SweepTools, "policy" | "now" | "deadline" | "sweep" | "running">): Promise<readonly SourceId[]> {
  const own = entriesOf(record.sources).filter(([id]) => isMine(record, id));
  // Those that the same sweep has just listed as running need no call each.
  const unlisted = own
    .filter(([id, source]) => isSubscription(id) && source.charges.some(({ seen }) => seen) && endOf(source) === null)
    .map(([id]) => ({ id: id.slice("subscription:".length) }))
    .filter(({ id }) => !tools.running.has(tools.sweep, id));
  const ended = await eachRow(unlisted, tools.sweep, async ({ id }) => {
    const row = await shop.subscriber(id, tools.deadline);
    return row === null || row.ended === null ? [] : [`subscription:${id}` as const];
  });
  const given = own.flatMap(([, source]) =>
    source.charges.filter(isLiveGiven).map(({ saleId }) => ({ source, id: saleId }))
  );
  const changed = await eachRow(given, tools.sweep, async ({ source, id }) => {
    const at = tools.now();
    const row = await shop.sale(id, tools.deadline);
    return row === null || !tellsMore(source, factsOfSale(row, at)) ? [] : [`sale:${id}` as const];
  });
  return [...ended, ...changed, ...giftsWithoutGiver(record, tools.now())];
}

/** A giver's sale whose gift still stands. What a gone one may become yet (a dispute won), the weekly sweep sees. */
function isLiveGiven(charge: Charge): boolean {
  const { refunded, disputed, disputeWon } = flagsOf(charge);
  return charge.gift === "given" && charge.seen && !refunded && (!disputed || disputeWon);
}

/** A week of days is enough to ask: a giver's sale that is found later, the weekly sweep finds. */
function giftsWithoutGiver(record: BuyerRecord, now: number): readonly SourceId[] {
  // What came with a gifted bundle has no giver's side of its own.
  return entriesOf(record.sources).filter(([id]) => isMine(record, id)).flatMap(([, { charges, productId }]) =>
    charges.filter((charge) =>
      charge.seen && charge.gift === "received" && now - charge.soldAt < WEEK_MS && charge.read?.bundle !== "child" &&
      sidesOf("given", charge, productId, record.sources).length === 0
    )
  ).map(({ saleId }) => `sale:${saleId}` as const);
}

import { entriesOf, type Act, type Charge, type Plan, type Source, type SourceId, type Sources,
  type TierChange } from "./facts.ts";

/**
 * The merge table of the design: commutative, associative, idempotent. Every field is joined by `or`, by the greater
 * value, by the newer of two readings or acts, or by the union of a set, so that no order, no duplicate and no crash
 * can make a difference.
 *
 * What Gumroad never changes about a charge (its time, price, variants) is the same in every ping; should two ever
 * differ, the rule below still picks the same one whichever came first.
 */
export function mergeSource(a: Source, b: Source): Source {
  return {
    productId: greater(a.productId, b.productId),
    charges: unionBy([...a.charges, ...b.charges], (charge) => charge.saleId, mergeCharge),
    ended: latestEnd(a.ended, b.ended),
    restartedAt: latest(a.restartedAt, b.restartedAt),
    cancelledAt: latest(a.cancelledAt, b.cancelledAt),
    tierChanges: unionBy([...a.tierChanges, ...b.tierChanges], tierChangeKey, (kept) => kept),
    read: newest(a.read, b.read),
    act: lastAct(a.act, b.act),
  };
}

/** Adds what is known of one source to a buyer's sources. */
export function addFacts(sources: Sources, id: SourceId, facts: Source): Sources {
  const known = sources[id];
  return { ...sources, [id]: known === undefined ? mergeSource(facts, facts) : mergeSource(known, facts) };
}

/** All that either of two records knows. */
export function mergeSources(a: Sources, b: Sources): Sources {
  return entriesOf(b).reduce((sources, [id, facts]) => addFacts(sources, id, facts), a);
}

function mergeCharge(a: Charge, b: Charge): Charge {
  return {
    saleId: a.saleId,
    seen: a.seen || b.seen,
    soldAt: Math.min(a.soldAt, b.soldAt),
    priceCents: Math.max(a.priceCents, b.priceCents),
    variants: JSON.stringify(a.variants) >= JSON.stringify(b.variants) ? a.variants : b.variants,
    recurrence: (a.recurrence ?? "") >= (b.recurrence ?? "") ? a.recurrence : b.recurrence,
    recurring: a.recurring || b.recurring,
    preorder: a.preorder || b.preorder,
    test: a.test || b.test,
    gift: a.gift === "none" ? b.gift : b.gift === "none" ? a.gift : a.gift >= b.gift ? a.gift : b.gift,
    refunded: a.refunded || b.refunded,
    partlyRefunded: a.partlyRefunded || b.partlyRefunded,
    disputed: a.disputed || b.disputed,
    disputeWon: a.disputeWon || b.disputeWon,
    read: newest(a.read, b.read),
  };
}

/**
 * The newer reading of Gumroad's API. Two of one moment are picked from by their text: which, doesn't matter, as long
 * as it is always the same.
 */
function newest<T extends { readonly at: number }>(a: T | null, b: T | null): T | null {
  if (a === null || b === null) return a ?? b;
  if (a.at !== b.at) return a.at > b.at ? a : b;
  return JSON.stringify(a) >= JSON.stringify(b) ? a : b;
}

/** The act that counts: the later one, and of one moment the one with the greater id. */
export function lastAct(a: Act | null, b: Act | null): Act | null {
  if (a === null || b === null || a.at !== b.at || a.id === b.id) return newest(a, b);
  return a.id > b.id ? a : b;
}

function latestEnd(a: Source["ended"], b: Source["ended"]): Source["ended"] {
  if (a === null || b === null) return a ?? b;
  if (a.at !== b.at) return a.at > b.at ? a : b;
  return a.reason >= b.reason ? a : b;
}

function latest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function greater(a: string, b: string): string {
  return a >= b ? a : b;
}

/** Sorts by time first, so that a stored record reads as a history. */
function tierChangeKey(change: TierChange): string {
  return JSON.stringify([change.at.toString().padStart(16, "0"), change.type, ...planKey(change.from),
    ...planKey(change.to)]);
}

function planKey({ tier, recurrence, priceCents, quantity }: Plan) {
  return [tier, recurrence, priceCents, quantity];
}

/** The union of a set, sorted by key; members of one key are joined. Sorting makes equal sets equal text. */
function unionBy<T>(members: readonly T[], keyOf: (member: T) => string, join: (a: T, b: T) => T): readonly T[] {
  const byKey = new Map<string, T>();
  for (const member of members) {
    const key = keyOf(member);
    const known = byKey.get(key);
    byKey.set(key, known === undefined ? member : join(known, member));
  }
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, member]) => member);
}

import type { Act, Charge, Names, Source, SourceId, Sources, TierChange } from "./facts.ts";

/** More than a seller ever renames one option; who has the ping URL could make up any number. */
const MOST_NAMES = 8;
/** Likewise of addresses. */
const MOST_EMAILS = 5;

/**
 * Merges what is known of a source: commutative, associative, idempotent, so that no order, duplicate or crash makes a
 * difference. Every field is joined by `or`, by the greater or lesser value, by the newer of two readings or acts, or
 * by the union of a set; also those that never change (a charge's time, its price), should two pings ever differ.
 */
export function mergeSource(a: Source, b: Source): Source {
  return { ...carried(a, b),
    charges: unionBy([...a.charges, ...b.charges].map(named), (charge) => charge.saleId, mergeCharge),
    ended: newest(a.ended, b.ended), restartedAt: latest(a.restartedAt, b.restartedAt),
    cancelledAt: latest(a.cancelledAt, b.cancelledAt),
    tierChanges: unionBy([...a.tierChanges, ...b.tierChanges], tierChangeKey,
      (one, other) => ({ ...carried(one, other), toldAt: earlier(one.toldAt, other.toldAt) })),
    changesDroppedAt: latest(a.changesDroppedAt, b.changesDroppedAt), holds: texts(a.holds, b.holds),
    listedAt: latest(a.listedAt, b.listedAt), emails: texts(a.emails, b.emails).slice(0, MOST_EMAILS),
    read: newest(a.read, b.read), act: lastAct(a.act, b.act) };
}

/** Adds what is known of one source to a buyer's sources. */
export function addFacts(sources: Sources, id: SourceId, facts: Source): Sources {
  const known = sources[id];
  return { ...sources, [id]: known === undefined ? mergeSource(facts, facts) : mergeSource(known, facts) };
}

function mergeCharge(a: Charge, b: Charge): Charge {
  return {
    // The flags among them turn true, and stay so.
    ...carried(a, b),
    soldAt: Math.min(a.soldAt, b.soldAt),
    priceCents: Math.max(a.priceCents, b.priceCents),
    names: mergeNames([...a.names, ...b.names]),
    gift: a.gift === "none" ? b.gift : b.gift === "none" ? a.gift : a.gift >= b.gift ? a.gift : b.gift,
    receivedAt: earlier(a.receivedAt, b.receivedAt),
    revoked: newest(a.revoked, b.revoked),
    read: newest(a.read, b.read),
  };
}

/** Each with the first time that it was seen, and of too many the first ones. */
function mergeNames(names: readonly Names[]): readonly Names[] {
  const distinct = unionBy(names.filter(({ variants }) => variants.length > 0),
    ({ variants }) => JSON.stringify(variants),
    (one, other) => ({ ...carried(one, other), at: Math.min(one.at, other.at) }));
  return [...distinct].sort((one, other) => one.at - other.at).slice(0, MOST_NAMES);
}

/** With the names that its reading shows: they would go once a newer reading takes its place. */
function named(charge: Charge): Charge {
  const { names, read } = charge;
  return { ...charge,
    names: mergeNames(read === null ? names : [...names, { at: read.at, variants: read.variants }]) };
}

/**
 * Both; where they differ, something over nothing, `true` over `false`, else the greater text. The rule for fields
 * that have none of their own, such as a later version's, which must not be lost.
 */
function carried<T extends object>(a: T, b: T): T {
  const both = { ...a, ...b };
  for (const key in a) if (rank(a[key]) > rank(both[key])) both[key] = a[key];
  return both;
}

function rank(value: unknown): string {
  return value === null || value === undefined ? "" : JSON.stringify(value);
}

/** The newer reading of Gumroad's API, or the later end; of two of one moment always the same one. */
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

function latest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

/** The earlier of two moments; null is none. */
export function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

function texts(a: readonly string[], b: readonly string[]): readonly string[] {
  return [...new Set([...a, ...b])].sort();
}

/** Sorts by time first, so that a stored record reads as a history. */
function tierChangeKey({ at, type, from, to }: TierChange): string {
  const plans = [from, to].flatMap((plan) => [plan.tier, plan.recurrence, plan.priceCents, plan.quantity]);
  return JSON.stringify([at.toString().padStart(16, "0"), type, ...plans]);
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

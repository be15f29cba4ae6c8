/**
 * What is known of a purchase: facts, never conclusions. Every field only grows (a flag that turns true, a time that
 * gets later, a set that gains members), so facts can be merged in any order, any number of times: see `merge.ts`.
 */

/** The thing that gives access: a single sale, or a subscription with all its charges. The prefix keeps Gumroad's ids apart, and harmless as keys. */
export type SourceId = `sale:${string}` | `subscription:${string}`;

/** What happened to one charge (one Gumroad sale), as pings told it. Times are epoch milliseconds. */
export interface Charge {
  readonly saleId: string;
  /** A `sale` ping told of it. A refund that arrives before its sale leaves this false, and the charge gives nothing. */
  readonly seen: boolean;
  readonly soldAt: number;
  readonly priceCents: number;
  /** The chosen options as [category, name], sorted: [["Tier", "Basic"]]. Pairs, because a category may be called `__proto__`. */
  readonly variants: readonly (readonly [string, string])[];
  /** How often a membership is charged ("monthly"), where the ping says so. */
  readonly recurrence: string | null;
  readonly recurring: boolean;
  /** A preorder's authorization: money not taken yet. The release comes as a sale of its own. */
  readonly preorder: boolean;
  /** The seller bought their own product. */
  readonly test: boolean;
  /** The receiver's side of a gift. */
  readonly gift: boolean;
  readonly refunded: boolean;
  readonly partlyRefunded: boolean;
  readonly disputed: boolean;
  readonly disputeWon: boolean;
}

/** Why Gumroad ended a subscription; `unknown` is any reason it may invent later. */
export type EndReason = "cancelled" | "failed_payment" | "fixed_subscription_period_ended" | "unknown";

/** A membership's plan, as far as it is known. Gumroad treats a change of any of these as a change of plan. */
export interface Plan {
  readonly tier: string | null;
  readonly recurrence: string | null;
  readonly priceCents: number | null;
  readonly quantity: number | null;
}

/** A change of plan told by `subscription_updated`. `at` is its `effective_as_of`, which for a downgrade lies in the future. */
export interface TierChange {
  readonly at: number;
  readonly type: "upgrade" | "downgrade";
  readonly from: Plan;
  readonly to: Plan;
}

/** All that is known of one source. A ping is a small one of these; a buyer's record holds the merged whole. */
export interface Source {
  readonly productId: string;
  /** Sorted by sale id. A single sale has exactly one. */
  readonly charges: readonly Charge[];
  readonly ended: { readonly at: number; readonly reason: EndReason } | null;
  readonly restartedAt: number | null;
  /** Cancelled for some later day: shown, nothing more. */
  readonly cancelledAt: number | null;
  /** Sorted by time. */
  readonly tierChanges: readonly TierChange[];
}

/** A buyer's sources by id. */
export type Sources = Readonly<Record<SourceId, Source>>;

/** A source of which nothing but its product is known: where every ping's facts begin. */
export function emptySource(productId: string): Source {
  return { productId, charges: [], ended: null, restartedAt: null, cancelledAt: null, tierChanges: [] };
}

/** Whether a text is a source's id. */
function isSourceId(text: string): text is SourceId {
  return text.startsWith("sale:") || text.startsWith("subscription:");
}

/** A buyer's sources with their ids: what `Object.entries` would give, had it not forgotten the key's type. */
export function entriesOf(sources: Sources): (readonly [SourceId, Source])[] {
  const entries: (readonly [SourceId, Source])[] = [];
  for (const [key, source] of Object.entries(sources)) if (isSourceId(key)) entries.push([key, source]);
  return entries;
}

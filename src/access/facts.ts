/**
 * What is known of a purchase: facts, never conclusions. Every field only grows (a flag that turns true, a later time,
 * a greater set, a newer reading), so facts can be merged in any order: see `merge.ts`. All times are epoch
 * milliseconds.
 */

/**
 * The thing that gives access: a sale, a subscription with its charges, or a role that an operator gave for nothing.
 */
export type SourceId = `sale:${string}` | `subscription:${string}` | `grant:${string}`;

/** What became of a charge's money. */
export interface Flags {
  readonly refunded: boolean;
  readonly partlyRefunded: boolean;
  /** Ever disputed. */
  readonly disputed: boolean;
  readonly disputeWon: boolean;
}

/** What Gumroad's API says of a charge at a moment. It stands for the flags of every ping. */
export interface ChargeRead extends Flags {
  /** When it was asked for, not when the answer came. */
  readonly at: number;
  /** The chosen options by their names of that moment: a seller may rename them, or change a buyer's. */
  readonly variants: Options;
  /** The API tells bundles and what came with one; pings don't. */
  readonly bundle: "bundle" | "child" | "none";
}

/** Chosen options as [category, name], sorted: [["Tier", "Basic"]]. Pairs: a category may be called `__proto__`. */
export type Options = readonly (readonly [string, string])[];

/** Names that a charge's options were seen under, and when first. A seller may rename them; Gumroad tells nobody. */
export interface Names {
  readonly at: number;
  readonly variants: Options;
}

/** What happened to one charge (one Gumroad sale), as pings told it, or as the API says. */
export interface Charge extends Flags {
  readonly saleId: string;
  /** A `sale` ping or a row of the API told of it. False: a refund came before its sale; the charge gives nothing. */
  readonly seen: boolean;
  readonly soldAt: number;
  readonly priceCents: number;
  /** The chosen options, under one of their names. */
  readonly variants: Options;
  /** A growing set: all names that the options were seen under; a few, the first ones. */
  readonly names: readonly Names[];
  /** How often a membership is charged ("monthly"), where the ping says so. */
  readonly recurrence: string | null;
  readonly recurring: boolean;
  /** A preorder's authorization: money not taken yet. The release comes as a sale of its own. */
  readonly preorder: boolean;
  /** The seller bought their own product. */
  readonly test: boolean;
  /**
   * Which side of a gift it is. Gumroad makes two sales of one: what the giver paid for, and what the receiver got.
   * Both belong to the receiver's record; nobody refunds or disputes the second.
   */
  readonly gift: "none" | "received" | "given";
  /** When its `sale` ping first came in: the least. Null where only the API told of it. */
  readonly receivedAt: number | null;
  /** Whether the seller took access away by hand: the newest answer of the API that says, as not every one does. */
  readonly revoked: { readonly at: number; readonly is: boolean } | null;
  readonly read: ChargeRead | null;
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

/** A change of plan told by `subscription_updated`. The API doesn't show it before the next charge. */
export interface TierChange {
  /** Its `effective_as_of`, which for a downgrade lies in the future. */
  readonly at: number;
  /** When its ping first came in: the least. Null: before this was kept. */
  readonly toldAt: number | null;
  readonly type: "upgrade" | "downgrade";
  readonly from: Plan;
  readonly to: Plan;
}

/** An operator's word: `give` (until a moment, or for good), `take`, `move` to another buyer, `follow` the facts. */
export type Decision =
  | { readonly kind: "give"; readonly until: number | null }
  | { readonly kind: "take" }
  | { readonly kind: "move"; readonly to: string }
  | { readonly kind: "follow" };

/** Whether a later version knows what was decided, and this one doesn't. Of nothing decided (undefined), no. */
export function isOfLater(kind: string | undefined): boolean {
  return kind !== undefined && !["give", "take", "move", "follow"].includes(kind);
}

/** An operator's act: it beats whatever Gumroad says, until the next act. */
export interface Act {
  readonly at: number;
  /** Tells acts of one moment apart. */
  readonly id: string;
  readonly by: string;
  readonly why: string;
  readonly decision: Decision;
  /** Changes of plan that no charge has confirmed until then count no more. Left out: they do. */
  readonly dropsChanges?: boolean | undefined;
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
  /** Changes of plan told until then an operator dropped: the last time counts. */
  readonly changesDroppedAt: number | null;
  /** Of a bundle, a growing set: the ids of the products that it was ever seen to hold. */
  readonly holds: readonly string[];
  /** Of a bundle: when the buyer's other sales were listed, all of them, the last time. */
  readonly listedAt: number | null;
  /** A growing set: the buyer's emails that its sales were seen under, sorted. A few. */
  readonly emails: readonly string[];
  /** How the API says that it stands, over every ping's ends and restarts; `ended` is null while it runs. */
  readonly read: Pick<Source, "ended"> & { readonly at: number } | null;
  readonly act: Act | null;
}

/** A buyer's sources by id. */
export type Sources = Readonly<Record<SourceId, Source>>;

/** A source of which nothing but its product is known: where every ping's facts begin. */
export function emptySource(productId: string): Source {
  return { productId, charges: [], ended: null, restartedAt: null, cancelledAt: null, tierChanges: [],
    changesDroppedAt: null, holds: [], listedAt: null, emails: [], read: null, act: null };
}

/** The role of a source that gives it for nothing, or null. */
export function grantedRole(id: SourceId): string | null {
  return id.startsWith("grant:") ? id.slice("grant:".length) : null;
}

/** Whether a source is a subscription, with all its charges. */
export function isSubscription(id: SourceId): boolean {
  return id.startsWith("subscription:");
}

/** Whether a text is a source's id. */
export function isSourceId(text: string): text is SourceId {
  return /^(?:sale|subscription|grant):./.test(text);
}

/** A buyer's sources with their ids: what `Object.entries` would give, had it not forgotten the key's type. */
export function entriesOf(sources: Sources): (readonly [SourceId, Source])[] {
  return Object.entries(sources).flatMap(([key, source]) => (isSourceId(key) ? [[key, source] as const] : []));
}

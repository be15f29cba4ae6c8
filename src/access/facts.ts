import * as z from "zod/mini";

/**
 * What is known of a purchase: facts, never conclusions, and how they are written down in records and messages. Every
 * field only grows (a flag that turns true, a later time, a greater set, a newer reading), so facts can be merged in
 * any order: see `merge.ts`. All times are epoch milliseconds. Fields of a later version pass through here and through
 * merging, and are kept; one that an earlier version didn't write has a default.
 */

/** What nobody changes once it is read. */
export type Fixed<T> = T extends object ? { readonly [Key in keyof T]: Fixed<T[Key]> } : T;

/** An object that keeps fields of a later version, which its type doesn't know. */
export function kept<Shape extends z.core.$ZodShape>(shape: Shape): z.ZodMiniObject<Shape>;
export function kept(shape: z.core.$ZodShape): z.ZodMiniObject {
  return z.looseObject(shape);
}

/**
 * A word that this version knows, or a later one's, which is kept and does nothing: an end is an end whatever its
 * reason, a new kind of gift or part of a bundle is a purchase by itself, a new change of plan changes no plan.
 */
export function wordOf<T extends string>(): z.ZodMiniType<T> {
  return z.custom<T>((value) => typeof value === "string");
}

/** What gives access: a sale, a subscription with its charges, or a role that an operator gave for nothing. */
export const sourceIdShape = z.templateLiteral([z.enum(["sale", "subscription", "grant"]), ":", z.string()]);
/** A source's id. */
export type SourceId = z.infer<typeof sourceIdShape>;

/** Who shows a licence key: a verified email at Auth0, or an account of the self-built login. */
export const claimantShape = z.templateLiteral([z.enum(["email", "name"]), ":", z.string()]);
/** Such a claimant. */
export type Claimant = z.infer<typeof claimantShape>;

const text = z.string();
const moment = z.number();
const laterText = z._default(z.array(text), []);
const laterMoment = z._default(z.nullable(moment), null);

/** `disputed`: ever. */
const flags = { refunded: z.boolean(), partlyRefunded: z.boolean(), disputed: z.boolean(), disputeWon: z.boolean() };
/** What became of a charge's money. */
export type Flags = Readonly<Record<keyof typeof flags, boolean>>;

const options = z.array(z.tuple([text, text]));
/** Chosen options as [category, name], sorted: [["Tier", "Basic"]]. Pairs: a category may be called `__proto__`. */
export type Options = Fixed<z.infer<typeof options>>;

const names = kept({ at: moment, variants: options });
/** Names that a charge's options were seen under, and when first. A seller may rename them; Gumroad tells nobody. */
export type Names = Fixed<z.infer<typeof names>>;

/** What Gumroad's API says of a charge at a moment. It stands for the flags of every ping. */
const chargeRead = kept({
  /** When it was asked for, not when the answer came. */
  at: moment,
  ...flags,
  /** The chosen options by their names of that moment: a seller may rename them, or change a buyer's. */
  variants: options,
  /** The API tells bundles and what came with one; pings don't. */
  bundle: wordOf<"bundle" | "child" | "none">(),
});

const charge = kept({
  saleId: text,
  /** A `sale` ping or a row of the API told of it. False: a refund came before its sale; the charge gives nothing. */
  seen: z.boolean(),
  soldAt: moment,
  priceCents: z.number(),
  /** The chosen options, under one of their names. */
  variants: options,
  /** A growing set: all names that the options were seen under; a few, the first ones. */
  names: z._default(z.array(names), []),
  /** How often a membership is charged ("monthly"), where the ping says so. */
  recurrence: z.nullable(text),
  recurring: z.boolean(),
  /** A preorder's authorization: money not taken yet. The release comes as a sale of its own. */
  preorder: z.boolean(),
  /** The seller bought their own product. */
  test: z.boolean(),
  /**
   * Which side of a gift it is. Gumroad makes two sales of one: what the giver paid for, and what the receiver got.
   * Both belong to the receiver's record; nobody refunds or disputes the second.
   */
  gift: wordOf<"none" | "received" | "given">(),
  ...flags,
  /** When its `sale` ping first came in: the least. Null where only the API told of it. */
  receivedAt: laterMoment,
  /** Whether the seller took access away by hand: the newest answer of the API that says, as not every one does. */
  revoked: z._default(z.nullable(kept({ at: moment, is: z.boolean() })), null),
  read: z.nullable(chargeRead),
});
/** What happened to one charge (one Gumroad sale), as pings told it, or as the API says. */
export type Charge = Fixed<z.infer<typeof charge>>;

/** Why Gumroad ended a subscription; `unknown` is any reason it may invent later. */
export type EndReason = "cancelled" | "failed_payment" | "fixed_subscription_period_ended" | "unknown";
const end = kept({ at: moment, reason: wordOf<EndReason>() });

/** How a plan is written down. */
export const planShape = kept({ tier: z.nullable(text), recurrence: z.nullable(text),
  priceCents: z.nullable(z.number()), quantity: z.nullable(z.number()) });
/** A membership's plan, as far as it is known. Gumroad treats a change of any of these as a change of plan. */
export type Plan = Fixed<z.infer<typeof planShape>>;

const tierChange = kept({
  /** Its `effective_as_of`, which for a downgrade lies in the future. */
  at: moment,
  /** When its ping first came in: the least. Null: before this was kept. */
  toldAt: laterMoment,
  type: wordOf<"upgrade" | "downgrade">(),
  from: planShape,
  to: planShape,
});
/** A change of plan told by `subscription_updated`. The API doesn't show it before the next charge. */
export type TierChange = Fixed<z.infer<typeof tierChange>>;

const decision = z.discriminatedUnion("kind", [kept({ kind: z.literal("give"), until: z.nullable(moment) }),
  kept({ kind: z.literal("take") }), kept({ kind: z.literal("move"), to: text, only: z.optional(z.boolean()) }),
  kept({ kind: z.literal("follow") })]);
/**
 * What an operator decides: `give` (until a moment, or for good), `take`, `move` to another buyer (with what was
 * bought together, unless it is `only` that one), or `follow` the facts.
 */
export type Decision = Fixed<z.infer<typeof decision>>;
const ofLater = z.custom<Decision>((value) => isOfLater(z.object({ kind: text }).safeParse(value).data?.kind));

/** Whether a later version knows what was decided, and this one doesn't. Of nothing decided (undefined), no. */
export function isOfLater(kind: string | undefined): boolean {
  return kind !== undefined && !["give", "take", "move", "follow"].includes(kind);
}

/** How an act is written down. */
export const actShape = kept({
  at: moment,
  /** Tells acts of one moment apart. */
  id: text,
  by: text,
  why: text,
  /** Changes of plan that no charge has confirmed until then count no more. Left out: they do. */
  dropsChanges: z.optional(z.boolean()),
  decision: z.union([decision, ofLater]),
});
/** An operator's act: it beats whatever Gumroad says, until the next act. */
export type Act = Fixed<z.infer<typeof actShape>>;

/** How facts about one source are written down. */
export const sourceShape = kept({
  productId: text,
  /** Sorted by sale id. A single sale has exactly one. */
  charges: z.array(charge),
  ended: z.nullable(end),
  restartedAt: z.nullable(moment),
  /** Cancelled for some later day: shown, nothing more. */
  cancelledAt: z.nullable(moment),
  /** Sorted by time. */
  tierChanges: z.array(tierChange),
  /** Changes of plan told until then an operator dropped: the last time counts. */
  changesDroppedAt: laterMoment,
  /** Of a bundle, a growing set: the ids of the products that it was ever seen to hold. */
  holds: laterText,
  /** Of a bundle: when the buyer's other sales were listed, all of them, the last time. */
  listedAt: laterMoment,
  /** A growing set: the buyer's emails that its sales were seen under, sorted. A few. */
  emails: laterText,
  /** How the API says that it stands, over every ping's ends and restarts; `ended` is null while it runs. */
  read: z.nullable(kept({ at: moment, ended: z.nullable(end) })),
  act: z.nullable(actShape),
});
/** All that is known of one source. A ping is a small one of these; a buyer's record holds the merged whole. */
export type Source = Fixed<z.infer<typeof sourceShape>>;

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

/** All but what is under these keys. */
export function without<T>(values: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> {
  const gone = new Set(keys);
  return Object.fromEntries(Object.entries(values).filter(([key]) => !gone.has(key)));
}

/** What is known by source, with the ids: `Object.entries` forgets the key's type. */
export function entriesOf<T>(bySource: Readonly<Record<SourceId, T>>): (readonly [SourceId, T])[] {
  return Object.entries(bySource).flatMap(([key, value]) => (isSourceId(key) ? [[key, value] as const] : []));
}

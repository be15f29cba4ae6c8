import * as z from "zod/mini";

import { isOfLater, type Act, type Charge, type ChargeRead, type Decision, type EndReason, type Source,
  type TierChange } from "./facts.ts";

/**
 * How facts are written down, in records and in messages. Fields of a later version pass through here and through
 * merging, and are kept; one that an earlier version didn't write has a default, so that its records can be read.
 */

/**
 * One of the words that this version knows, or a later one's: that is kept as it is, and does nothing. An end is an
 * end, whatever its reason; a gift of a new kind is a purchase by itself, and so is a new part of a bundle; a new
 * change of plan changes none; a new place of a role is none that this version looks at.
 */
export function wordOf<T extends string>(): z.ZodMiniType<T> {
  return z.custom<T>((value) => typeof value === "string");
}

const end = z.looseObject({ at: z.number(), reason: wordOf<EndReason>() });
const variants = z.array(z.tuple([z.string(), z.string()]));
const laterText = z._default(z.array(z.string()), []);
const laterMoment = z._default(z.nullable(z.number()), null);
const flags = { refunded: z.boolean(), partlyRefunded: z.boolean(), disputed: z.boolean(), disputeWon: z.boolean() };
const chargeRead = z.looseObject({ at: z.number(), ...flags, variants, bundle: wordOf<ChargeRead["bundle"]>() });

const charge = z.looseObject({ saleId: z.string(), seen: z.boolean(), soldAt: z.number(), priceCents: z.number(),
  variants, names: z._default(z.array(z.looseObject({ at: z.number(), variants })), []),
  recurrence: z.nullable(z.string()), recurring: z.boolean(), preorder: z.boolean(), test: z.boolean(),
  gift: wordOf<Charge["gift"]>(), ...flags, receivedAt: laterMoment,
  revoked: z._default(z.nullable(z.looseObject({ at: z.number(), is: z.boolean() })), null),
  read: z.nullable(chargeRead) });

const plan = z.looseObject({ tier: z.nullable(z.string()), recurrence: z.nullable(z.string()),
  priceCents: z.nullable(z.number()), quantity: z.nullable(z.number()) });

const later = z.looseObject({ kind: z.string() });
const decisions = z.discriminatedUnion("kind", [
  z.looseObject({ kind: z.literal("give"), until: z.nullable(z.number()) }),
  z.looseObject({ kind: z.literal("take") }),
  z.looseObject({ kind: z.literal("move"), to: z.string() }),
  z.looseObject({ kind: z.literal("follow") }),
]);
/** An operator's act. */
export const actShape: z.ZodMiniType<Act> = z.looseObject({ at: z.number(), id: z.string(), by: z.string(),
  why: z.string(), dropsChanges: z.optional(z.boolean()),
  decision: z.union([decisions, z.custom<Decision>((value) => isOfLater(later.safeParse(value).data?.kind))]) });

/** Facts about one source. */
export const sourceShape: z.ZodMiniType<Source> = z.looseObject({ productId: z.string(), charges: z.array(charge),
  ended: z.nullable(end), restartedAt: z.nullable(z.number()), cancelledAt: z.nullable(z.number()),
  tierChanges: z.array(
    z.looseObject({ at: z.number(), toldAt: laterMoment, type: wordOf<TierChange["type"]>(), from: plan, to: plan }),
  ), changesDroppedAt: laterMoment, holds: laterText, listedAt: laterMoment, emails: laterText,
  read: z.nullable(z.looseObject({ at: z.number(), ended: z.nullable(end) })), act: z.nullable(actShape) });

/** Who shows a licence key: a verified email at Auth0, or an account of the self-built login. */
export const claimantShape = z.templateLiteral([z.enum(["email", "name"]), ":", z.string()]);

/** Who shows a licence key. */
export type Claimant = z.infer<typeof claimantShape>;

/** A source's id. */
export const sourceIdShape = z.templateLiteral([z.enum(["sale", "subscription", "grant"]), ":", z.string()]);

import * as z from "zod/mini";

import type { Act, Source } from "./facts.ts";

/**
 * How facts are written down, in records and in messages. The types are those of the heart, which knows nothing of
 * storing.
 *
 * What this version doesn't know is kept: fields of a later one pass through here, and through merging. A field that
 * an earlier version didn't write has a default, so that its records can be read.
 */

const endReason = z.enum(["cancelled", "failed_payment", "fixed_subscription_period_ended", "unknown"]);
const end = z.looseObject({ at: z.number(), reason: endReason });
const variants = z.array(z.tuple([z.string(), z.string()]));
const laterText = z._default(z.array(z.string()), []);
const laterMoment = z._default(z.nullable(z.number()), null);
const chargeRead = z.looseObject({
  at: z.number(),
  refunded: z.boolean(),
  partlyRefunded: z.boolean(),
  disputed: z.boolean(),
  disputeWon: z.boolean(),
  variants,
  bundle: z.enum(["bundle", "child", "none"]),
});

const charge = z.looseObject({
  saleId: z.string(),
  seen: z.boolean(),
  soldAt: z.number(),
  priceCents: z.number(),
  variants,
  names: z._default(z.array(z.looseObject({ at: z.number(), variants })), []),
  recurrence: z.nullable(z.string()),
  recurring: z.boolean(),
  preorder: z.boolean(),
  test: z.boolean(),
  gift: z.enum(["none", "received", "given"]),
  refunded: z.boolean(),
  partlyRefunded: z.boolean(),
  disputed: z.boolean(),
  disputeWon: z.boolean(),
  receivedAt: laterMoment,
  revoked: z._default(z.nullable(z.looseObject({ at: z.number(), is: z.boolean() })), null),
  read: z.nullable(chargeRead),
});

const plan = z.looseObject({ tier: z.nullable(z.string()), recurrence: z.nullable(z.string()),
  priceCents: z.nullable(z.number()), quantity: z.nullable(z.number()) });

/** An operator's act. */
export const actShape: z.ZodMiniType<Act> = z.looseObject({
  at: z.number(),
  id: z.string(),
  by: z.string(),
  why: z.string(),
  decision: z.discriminatedUnion("kind", [
    z.looseObject({ kind: z.literal("give"), until: z.nullable(z.number()) }),
    z.looseObject({ kind: z.literal("take") }),
    z.looseObject({ kind: z.literal("move"), to: z.string() }),
    z.looseObject({ kind: z.literal("follow") }),
  ]),
});

/** Facts about one source. */
export const sourceShape: z.ZodMiniType<Source> = z.looseObject({
  productId: z.string(),
  charges: z.array(charge),
  ended: z.nullable(end),
  restartedAt: z.nullable(z.number()),
  cancelledAt: z.nullable(z.number()),
  tierChanges: z.array(
    z.looseObject({ at: z.number(), toldAt: laterMoment, type: z.enum(["upgrade", "downgrade"]), from: plan,
      to: plan }),
  ),
  changesDroppedAt: laterMoment,
  holds: laterText,
  listedAt: laterMoment,
  emails: laterText,
  read: z.nullable(z.looseObject({ at: z.number(), ended: z.nullable(end) })),
  act: z.nullable(actShape),
});

/** A source's id. */
export const sourceIdShape = z.templateLiteral([z.enum(["sale", "subscription", "grant"]), ":", z.string()]);

import * as z from "zod/mini";

import type { Act, Source } from "./facts.ts";

/**
 * How facts are written down, in records and in messages. The types are those of the heart, which knows nothing of
 * storing.
 */

const endReason = z.enum(["cancelled", "failed_payment", "fixed_subscription_period_ended", "unknown"]);
const end = z.object({ at: z.number(), reason: endReason });
const chargeRead = z.object({
  at: z.number(),
  refunded: z.boolean(),
  partlyRefunded: z.boolean(),
  disputed: z.boolean(),
  disputeWon: z.boolean(),
  variants: z.array(z.tuple([z.string(), z.string()])),
  bundle: z.enum(["bundle", "child", "none"]),
});

const charge = z.object({
  saleId: z.string(),
  seen: z.boolean(),
  soldAt: z.number(),
  priceCents: z.number(),
  variants: z.array(z.tuple([z.string(), z.string()])),
  recurrence: z.nullable(z.string()),
  recurring: z.boolean(),
  preorder: z.boolean(),
  test: z.boolean(),
  gift: z.enum(["none", "received", "given"]),
  refunded: z.boolean(),
  partlyRefunded: z.boolean(),
  disputed: z.boolean(),
  disputeWon: z.boolean(),
  read: z.nullable(chargeRead),
});

const plan = z.object({ tier: z.nullable(z.string()), recurrence: z.nullable(z.string()),
  priceCents: z.nullable(z.number()), quantity: z.nullable(z.number()) });

/** An operator's act. */
export const actShape: z.ZodMiniType<Act> = z.object({
  at: z.number(),
  id: z.string(),
  by: z.string(),
  why: z.string(),
  decision: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("give"), until: z.nullable(z.number()) }),
    z.object({ kind: z.literal("take") }),
    z.object({ kind: z.literal("move"), to: z.string() }),
    z.object({ kind: z.literal("follow") }),
  ]),
});

/** Facts about one source. */
export const sourceShape: z.ZodMiniType<Source> = z.object({
  productId: z.string(),
  charges: z.array(charge),
  ended: z.nullable(end),
  restartedAt: z.nullable(z.number()),
  cancelledAt: z.nullable(z.number()),
  tierChanges: z.array(z.object({ at: z.number(), type: z.enum(["upgrade", "downgrade"]), from: plan, to: plan })),
  read: z.nullable(z.object({ at: z.number(), ended: z.nullable(end) })),
  act: z.nullable(actShape),
});

/** A source's id. */
export const sourceIdShape = z.templateLiteral([z.enum(["sale", "subscription", "grant"]), ":", z.string()]);

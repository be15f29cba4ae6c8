import * as z from "zod/mini";

import { normalizedEmail } from "./email.ts";
import { momentOf } from "./moment.ts";
import { LONGEST_NAME, variantsIn } from "./variants.ts";

/** Gumroad leaves out what is nil in sales, and writes null in subscribers. */
const perhaps = z.nullish(z.boolean());
const flag = z.pipe(perhaps, z.transform((said) => said === true));
const text = z.nullish(z.string());
const id = z.string().check(z.minLength(1), z.maxLength(100));
const moment = z.pipe(z.string(),
  z.transform((written, context) => momentOf(written) ?? odd(context, "is no time such as 2026-01-05T19:38:56Z")));
/** By hand, as a category may be called `__proto__`. */
const variants = z.pipe(z.optional(z.unknown()),
  z.transform((options, context) => variantsIn(options) ?? odd(context, "holds no plain option names")));

const saleFields = z.object({ id, product_id: id, purchase_email: text, email: text, created_at: moment,
  price: z.int().check(z.nonnegative()), variants,
  subscription_duration: z.nullish(z.string().check(z.maxLength(LONGEST_NAME))), subscription_id: z.nullish(id),
  recurring_charge: flag, is_preorder_authorization: flag, is_gift_receiver_purchase: flag,
  is_gift_sender_purchase: flag, giftee_email: text, gifter_email: text, refunded: flag, partially_refunded: flag,
  disputed: flag, chargedback: perhaps, dispute_won: flag, is_bundle_purchase: flag, is_bundle_product_purchase: flag,
  access_revoked: perhaps, dead: flag });

/** A row of `GET /sales`, and what `GET /sales/:id` answers. */
export const saleShape = z.pipe(saleFields, z.transform((row, context) => {
  const written = (row.purchase_email ?? row.email ?? "").trim();
  const email = normalizedEmail(written);
  if (email === null) return odd(context, "is missing or no email address", "purchase_email");
  // Ever disputed, however it ended. `chargedback` is a dispute that isn't won. A row without it doesn't tell, and an
  // open one must not pass as won.
  const disputed = row.disputed || row.chargedback === true;
  const disputeWon = disputed && !(row.chargedback ?? !row.dispute_won);
  return { id: row.id, productId: row.product_id, email, spelling: written === email ? null : written,
    soldAt: row.created_at, priceCents: row.price, variants: row.variants,
    recurrence: row.subscription_duration ?? null, subscriptionId: row.subscription_id ?? null,
    recurring: row.recurring_charge, preorder: row.is_preorder_authorization, gift: giftOf(row),
    giftee: normalizedEmail(row.giftee_email ?? ""), gifter: normalizedEmail(row.gifter_email ?? ""),
    refunded: row.refunded, partlyRefunded: row.partially_refunded, disputed, disputeWon, bundle: bundleOf(row),
    accessRevoked: row.access_revoked ?? null, dead: row.dead,
    gone: row.dead || row.refunded ||
      row.partially_refunded || (disputed && !disputeWon) || row.access_revoked === true };
}));

/**
 * A sale as the API shows it now. Times are epoch milliseconds, emails normalized. `email` is the purchase's own, or
 * the account's where the row has no other; `spelling` as it was written, where that differs. `recurring`: not the
 * first charge of its subscription. `preorder`: money not taken yet. `accessRevoked`: the seller took access away by
 * hand; null: this answer doesn't say. `dead`: its subscription has ended (`cancelled` is true also before that).
 * `gone`: it may give nothing any more.
 */
export type SaleRow = Readonly<z.output<typeof saleShape>>;

/** A row of `GET /products/:id/subscribers`, and what `GET /subscribers/:id` answers. */
export const subscriberShape = z.pipe(
  z.object({ id, product_id: id, cancelled_at: z.nullish(moment), ended_at: z.nullish(moment),
    status: z.enum(["alive", "pending_cancellation", "pending_failure", "cancelled", "failed_payment",
      "fixed_subscription_period_ended"]), failed_at: z.nullish(moment), purchase_ids: z.nullish(z.array(id)) }),
  z.transform(({ status, ...row }, context) => {
    const runs = status === "alive" || status === "pending_cancellation" || status === "pending_failure";
    return {
      id: row.id,
      productId: row.product_id,
      // A cancellation that took effect leaves `ended_at` null.
      ended: runs
        ? null
        : { reason: status,
          at: row.ended_at ?? row.failed_at ?? row.cancelled_at ??
            odd(context, "is missing, though the status says that it ended", "ended_at") },
      /** When a cancellation takes effect; often in the future. */
      cancelledAt: row.cancelled_at ?? null,
      /** Its purchases, without test ones. */
      saleIds: row.purchase_ids ?? [],
    };
  }),
);

/** A subscription as the API shows it now. Times are epoch milliseconds. */
export type SubscriberRow = Readonly<z.output<typeof subscriberShape>>;

/** Says that what is transformed, or one of its fields, is not as Gumroad documents it. */
function odd({ issues, value: input }: z.core.ParsePayload, message: string, field?: string): never {
  issues.push({ code: "custom", message, path: field === undefined ? [] : [field], input });
  return z.NEVER;
}

/** Which half of a gift it is. The giver's is the one that was paid, and the only one that is listed. */
function giftOf(row: z.output<typeof saleFields>): "none" | "received" | "given" {
  if (row.is_gift_receiver_purchase) return "received";
  return row.is_gift_sender_purchase || (row.giftee_email ?? "") !== "" ? "given" : "none";
}

function bundleOf(row: z.output<typeof saleFields>): "bundle" | "child" | "none" {
  if (row.is_bundle_purchase) return "bundle";
  return row.is_bundle_product_purchase ? "child" : "none";
}

import * as z from "zod/mini";

import { normalizedEmail } from "./email.ts";
import { momentOf } from "./moment.ts";

/** A sale as the API shows it now. Times are epoch milliseconds, emails normalized. */
export interface SaleRow {
  readonly id: string;
  readonly productId: string;
  /** The purchase's own email, as pings name it. The account's only where the row has no other. */
  readonly email: string;
  /** The email as it was written, where that differs. */
  readonly spelling: string | null;
  readonly soldAt: number;
  readonly priceCents: number;
  /** The chosen options as [category, name], sorted by category. */
  readonly variants: readonly (readonly [string, string])[];
  /** How often the subscription is charged ("monthly"). */
  readonly recurrence: string | null;
  readonly subscriptionId: string | null;
  /** A charge after the first one of its subscription. */
  readonly recurring: boolean;
  /** A preorder's authorization: money not taken yet. */
  readonly preorder: boolean;
  /** Which half of a gift it is. The giver's is the one that was paid, and the only one that is listed. */
  readonly gift: "none" | "received" | "given";
  readonly giftee: string | null;
  readonly gifter: string | null;
  readonly refunded: boolean;
  readonly partlyRefunded: boolean;
  /** Ever disputed, however it ended. */
  readonly disputed: boolean;
  readonly disputeWon: boolean;
  readonly bundle: "bundle" | "child" | "none";
  /** The seller took access away by hand. Null: this answer doesn't say. */
  readonly accessRevoked: boolean | null;
  /** Its subscription has ended. (`cancelled` is true while that still waits, and says nothing.) */
  readonly dead: boolean;
}

/** A subscription as the API shows it now. Times are epoch milliseconds. */
export interface SubscriberRow {
  readonly id: string;
  readonly productId: string;
  readonly status: z.infer<typeof status>;
  readonly ended: { readonly at: number; readonly reason: EndedStatus } | null;
  /** When a cancellation takes effect; often in the future. */
  readonly cancelledAt: number | null;
  /** Its purchases, without test ones. */
  readonly saleIds: readonly string[];
}

type EndedStatus = Exclude<z.infer<typeof status>, "alive" | "pending_cancellation" | "pending_failure">;

/** As in pings: far above any real one. */
const LONGEST_NAME = 300;
const MOST_VARIANTS = 20;

/** Gumroad leaves out what is nil in sales, and writes null in subscribers. */
const flag = z.nullish(z.boolean());
const text = z.nullish(z.string());
const id = z.string().check(z.minLength(1), z.maxLength(100));
const moment = z.pipe(
  z.string().check(z.refine((written) => momentOf(written) !== null, "is no time such as 2026-01-05T19:38:56Z")),
  z.transform((written) => momentOf(written) ?? 0),
);
const status = z.enum(["alive", "pending_cancellation", "pending_failure", "cancelled", "failed_payment",
  "fixed_subscription_period_ended"]);

/** `{"Tier": "Basic"}` by hand, as a category may be called `__proto__`. */
const variants = z.pipe(z.optional(z.unknown()), z.transform((options, context) => {
  const pairs = variantsOf(options);
  if (pairs !== null) return pairs;
  context.issues.push({ code: "custom", message: "holds no plain option names", input: options });
  return z.NEVER;
}));

/** A row of `GET /sales`, and what `GET /sales/:id` answers. */
export const saleShape: z.ZodMiniType<SaleRow> = z.pipe(
  z.object({ id, product_id: id, purchase_email: text, email: text, created_at: moment,
    price: z.int().check(z.nonnegative()), variants,
    subscription_duration: z.nullish(z.string().check(z.maxLength(LONGEST_NAME))), subscription_id: z.nullish(id),
    recurring_charge: flag, is_preorder_authorization: flag, is_gift_receiver_purchase: flag,
    is_gift_sender_purchase: flag, giftee_email: text, gifter_email: text, refunded: flag, partially_refunded: flag,
    disputed: flag, chargedback: flag, dispute_won: flag, is_bundle_purchase: flag, is_bundle_product_purchase: flag,
    access_revoked: flag, dead: flag }),
  z.transform((row, context): SaleRow => {
    const written = (row.purchase_email ?? row.email ?? "").trim();
    const email = normalizedEmail(written);
    if (email === null) {
      context.issues.push({ code: "custom", message: "is missing or no email address", path: ["purchase_email"],
        input: row });
      return z.NEVER;
    }
    // `chargedback` is a dispute that isn't won. A row without it doesn't tell, and an open dispute must not pass as
    // won.
    const open = row.chargedback ?? row.dispute_won !== true;
    const disputed = row.disputed === true || row.chargedback === true;
    return { id: row.id, productId: row.product_id, email, spelling: written === email ? null : written,
      soldAt: row.created_at, priceCents: row.price, variants: row.variants,
      recurrence: row.subscription_duration ?? null, subscriptionId: row.subscription_id ?? null,
      recurring: row.recurring_charge === true, preorder: row.is_preorder_authorization === true,
      gift: row.is_gift_receiver_purchase === true
        ? "received"
        : row.is_gift_sender_purchase === true || (row.giftee_email ?? "") !== ""
        ? "given"
        : "none", giftee: normalizedEmail(row.giftee_email ?? ""), gifter: normalizedEmail(row.gifter_email ?? ""),
      refunded: row.refunded === true, partlyRefunded: row.partially_refunded === true, disputed,
      disputeWon: disputed && !open,
      bundle: row.is_bundle_purchase === true ? "bundle" : row.is_bundle_product_purchase === true ? "child" : "none",
      accessRevoked: row.access_revoked ?? null, dead: row.dead === true };
  }),
);

/** A row of `GET /products/:id/subscribers`, and what `GET /subscribers/:id` answers. */
export const subscriberShape: z.ZodMiniType<SubscriberRow> = z.pipe(
  z.object({ id, product_id: id, status, cancelled_at: z.nullish(moment), ended_at: z.nullish(moment),
    failed_at: z.nullish(moment), purchase_ids: z.nullish(z.array(id)) }),
  z.transform((row, context): SubscriberRow => {
    const reason = endedStatus(row.status);
    // A cancellation that took effect leaves `ended_at` null.
    const at = row.ended_at ?? row.failed_at ?? row.cancelled_at ?? null;
    if (reason !== null && at === null) {
      context.issues.push({ code: "custom", message: "is missing, though the status says that it ended",
        path: ["ended_at"], input: row });
      return z.NEVER;
    }
    return { id: row.id, productId: row.product_id, status: row.status,
      ended: reason === null || at === null ? null : { at, reason }, cancelledAt: row.cancelled_at ?? null,
      saleIds: row.purchase_ids ?? [] };
  }),
);

function endedStatus(of: z.infer<typeof status>): EndedStatus | null {
  return of === "alive" || of === "pending_cancellation" || of === "pending_failure" ? null : of;
}

/** Null for what is no object of names. */
function variantsOf(options: unknown): [string, string][] | null {
  if (options === undefined || options === null || options === "") return [];
  if (typeof options !== "object") return null;
  const pairs: [string, string][] = [];
  const entries: [string, unknown][] = Object.entries(options);
  for (const [category, name] of entries) {
    if (Array.isArray(options) || typeof name !== "string" || category.length > LONGEST_NAME ||
      name.length > LONGEST_NAME) return null;
    pairs.push([category, name]);
  }
  return pairs.length > MOST_VARIANTS ? null : pairs.sort(([a], [b]) => (a < b ? -1 : 1));
}

import * as z from "zod/mini";

import { kept, planShape, wordOf, type EndReason, type TierChange } from "../access/facts.ts";
import { normalizedEmail } from "./email.ts";
import { momentOf } from "./moment.ts";
import { FormError, nestedOf, textOf, type Form } from "./form.ts";
import { label, LONGEST_NAME, variantsIn } from "./variants.ts";

/** Gumroad's ids are urlsafe base64 of 16 bytes (24 characters); the bound leaves room. */
const id = z.string().check(z.minLength(1), z.maxLength(100));
const moment = z.number().check(z.nonnegative());
const text = z.string().check(z.maxLength(LONGEST_NAME));
/** In characters: far above any real one. */
const LONGEST_RECURRENCE = 100;

/**
 * `spelling`: the email as written, where that differs, for Auth0's look-up is case-sensitive. `gifter`: who gave a
 * gift, on the receiver's ping; the giver's own sale is pinged only when it is disputed. `emailTyped`: a custom field
 * called `email` hides the buyer's own, so `email` is what the buyer typed into a box.
 */
const salePing = kept({ event: z.enum(["sale", "refund", "dispute", "dispute_won"]), saleId: id,
  subscriptionId: z.nullable(id), productId: id, email: text, spelling: z.nullable(text), emailTyped: z.boolean(),
  soldAt: moment, priceCents: z.number(), variants: z.array(z.tuple([text, text])).check(z.maxLength(20)),
  recurrence: z.nullable(text), recurring: z.boolean(), preorder: z.boolean(), test: z.boolean(), gift: z.boolean(),
  gifter: z.nullable(text), refunded: z.boolean(), disputed: z.boolean(), disputeWon: z.boolean() });
const subscription = { subscriptionId: id, productId: id, email: text };
const momentPing = kept({ event: z.enum(["cancellation", "subscription_restarted"]), ...subscription, at: moment });
const endedPing = kept({ event: z.literal("subscription_ended"), ...subscription, at: moment,
  reason: wordOf<EndReason>() });
const updatedPing = kept({ event: z.literal("subscription_updated"), ...subscription, at: moment,
  type: wordOf<TierChange["type"]>(), from: planShape, to: planShape });

/** The shape of an understood ping, for the message that carries it. */
export const pingShape = z.discriminatedUnion("event", [salePing, momentPing, endedPing, updatedPing]);

/** An understood ping: only the fields that are used, times in epoch milliseconds, the email normalized. */
export type Ping = z.infer<typeof pingShape>;

/** A ping about one charge: `sale`, `refund`, `dispute`, `dispute_won` share one shape. */
export type SalePing = z.infer<typeof salePing>;

/** Settings → "Send test ping": the seller's latest real sale, of no event. It must never provision. */
export function isTestPing(form: Form): boolean {
  return form["resource_name"] === undefined && textOf(form, "test") === "true";
}

/** Reads a ping from its form. Throws FormError, naming the field that is missing or not understood. */
export function readPing(form: Form): Ping {
  const event = required(form, "resource_name");
  switch (event) {
    case "sale":
    case "refund":
    case "dispute":
    case "dispute_won":
      return readSalePing(event, form);
    case "cancellation":
      return { event, ...subscriptionOf(form), at: time(form, "cancelled_at") };
    case "subscription_ended":
      return { event, ...subscriptionOf(form), at: time(form, "ended_at"), reason: endReasonOf(form) };
    case "subscription_restarted":
      return { event, ...subscriptionOf(form), at: time(form, "restarted_at") };
    case "subscription_updated":
      return { event, ...subscriptionOf(form), at: time(form, "effective_as_of"), type: changeTypeOf(form),
        from: planOf(form, "old_plan"), to: planOf(form, "new_plan") };
    default:
      throw new FormError("resource_name", "it names no event that this service knows");
  }
}

function readSalePing(event: SalePing["event"], form: Form): SalePing {
  refuseHiddenFields(form);
  required(form, "seller_id");
  const buyer = email(form, "email");
  const written = textOf(form, "email")?.trim() ?? null;
  return { event, saleId: required(form, "sale_id"),
    subscriptionId: textOf(form, "subscription_id") === undefined ? null : required(form, "subscription_id"),
    productId: required(form, "product_id"), email: buyer, spelling: written === buyer ? null : written,
    soldAt: time(form, "sale_timestamp"), priceCents: cents(form, "price"), variants: variantsOf(form),
    recurrence: textOf(form, "recurrence")?.slice(0, LONGEST_RECURRENCE) ?? null,
    recurring: flag(form, "is_recurring_charge"), preorder: flag(form, "is_preorder_authorization"),
    test: flag(form, "test"), gift: flag(form, "is_gift_receiver_purchase"),
    gifter: normalizedEmail(textOf(form, "gifter_email") ?? ""), refunded: flag(form, "refunded"),
    disputed: flag(form, "disputed"), disputeWon: flag(form, "dispute_won"),
    emailTyped: Object.hasOwn(nestedOf(form, "custom_fields"), "email") };
}

/** The fields that decide what a charge is, and by which it is read back, as `email` can be. */
const DECIDING = ["seller_id", "product_id", "sale_id", "subscription_id", "sale_timestamp", "price", "resource_name",
  "test", "variants", "refunded", "disputed", "dispute_won", "is_recurring_charge", "is_preorder_authorization",
  "is_gift_receiver_purchase", "gifter_email"];

/**
 * Gumroad puts each custom field at the top level too, over the real field of that name: a buyer who fills in a box
 * called `sale_id` would decide which sale this is. Whatever `custom_fields` names, the top level can't be trusted on.
 */
function refuseHiddenFields(form: Form): void {
  const typed = nestedOf(form, "custom_fields");
  for (const field of DECIDING) {
    if (Object.hasOwn(typed, field)) {
      throw new FormError(field,
        `the product's custom field "${field}" hides Gumroad's own: rename it in the product's settings`);
    }
  }
}

function subscriptionOf(form: Form) {
  return { subscriptionId: required(form, "subscription_id"), productId: required(form, "product_id"),
    email: email(form, "user_email") };
}

/** Gumroad's own are letters, digits, `-`, `_` and `=`. Others could be refused in a URL's path, and hold all up. */
const ID = /^[\w=@.+ -]+$/;

function required(form: Form, field: string): string {
  const value = textOf(form, field);
  if (value === undefined) throw new FormError(field, "it is missing, empty or sent more than once");
  if (value.length > 100) throw new FormError(field, "it is longer than any of Gumroad's");
  if (field.endsWith("_id") && !ID.test(value)) {
    throw new FormError(field, "it has characters that no id of Gumroad's has");
  }
  return value;
}

function email(form: Form, field: string): string {
  const value = normalizedEmail(textOf(form, field) ?? "");
  if (value === null) throw new FormError(field, "it is missing or no email address");
  return value;
}

function time(form: Form, field: string): number {
  const at = momentOf(required(form, field));
  if (at === null) throw new FormError(field, "it is no time such as 2026-01-05T19:38:56Z");
  return at;
}

function cents(form: Form, field: string): number {
  const value = required(form, field);
  if (!/^\d{1,12}$/.test(value)) throw new FormError(field, "it is no whole number of cents");
  return Number(value);
}

/** Gumroad writes booleans as `true` and `false`, and leaves many out instead of `false`. */
function flag(form: Form, field: string): boolean {
  return textOf(form, field) === "true";
}

function variantsOf(form: Form): [string, string][] {
  const variants = variantsIn(nestedOf(form, "variants"));
  if (variants === null) throw new FormError("variants", "it holds no plain option names, or too many");
  return variants;
}

const END_REASONS = ["cancelled", "failed_payment", "fixed_subscription_period_ended"] as const;

function endReasonOf(form: Form): EndReason {
  const reason = required(form, "ended_reason");
  return END_REASONS.find((known) => known === reason) ?? "unknown";
}

function changeTypeOf(form: Form): TierChange["type"] {
  const type = required(form, "type");
  if (type === "upgrade" || type === "downgrade") return type;
  throw new FormError("type", "it is neither upgrade nor downgrade");
}

function planOf(form: Form, field: string) {
  const plan = nestedOf(form, field);
  const tier = label(textOf(nestedOf(plan, "tier"), "name") ?? "") || null;
  const recurrence = textOf(plan, "recurrence") ?? null;
  // A record keeps a hundred changes with two plans each: longer recurrences could fill it.
  if ((tier ?? "").length > LONGEST_NAME || (recurrence ?? "").length > LONGEST_RECURRENCE) {
    throw new FormError(field, "it has a name that is longer than any of Gumroad's");
  }
  return { tier, recurrence, priceCents: wholeNumber(plan, "price_cents"), quantity: wholeNumber(plan, "quantity") };
}

function wholeNumber(form: Form, field: string): number | null {
  const value = textOf(form, field);
  return value !== undefined && /^\d{1,12}$/.test(value) ? Number(value) : null;
}

import qs from "qs";

import { RefusedError } from "../errors.ts";

/** A value of a decoded form: text, or nested keys, or a list. */
export type FormValue = string | FormValue[] | Form;

/** A decoded form. It has no prototype, so a field called `constructor` or `__proto__` is just a field. */
export interface Form {
  readonly [key: string]: FormValue | undefined;
}

/** A field of a ping can't be used, or its whole `body` can't. */
export class FormError extends RefusedError {
  constructor(field: string, why: string, options?: ErrorOptions) {
    super("PING_NOT_UNDERSTOOD", `The field ${field} can't be used: ${why}.`, options);
  }
}

/** Deepest key that Gumroad sends: `old_plan[tier][id]`. */
const DEPTH = 3;
/** Far above any real ping; a membership lists every charge in `purchase_ids[]`. */
const PARAMETERS = 2000;
const LIMITS = `${String(DEPTH)} levels or has more than ${String(PARAMETERS)} fields`;

/**
 * Decodes a form body as Gumroad encodes it: nested keys (`card[type]=`), lists (`k[]=`), and a literal bracket in a
 * key, which Gumroad encodes twice and which is restored here.
 * @throws {FormError} too deep, or too many parameters
 */
export function parseForm(body: string): Form {
  try {
    const form = restored(
      qs.parse(body, { depth: DEPTH, strictDepth: true, parameterLimit: PARAMETERS, arrayLimit: PARAMETERS,
        throwOnLimitExceeded: true, plainObjects: true }),
    );
    return typeof form === "string" || Array.isArray(form) ? {} : form;
  } catch (error) {
    throw new FormError("body", `the body is nested deeper than ${LIMITS}`, { cause: error });
  }
}

/** Turns qs's answer into a `Form`, with brackets in keys as the seller wrote them. */
function restored(value: unknown): FormValue {
  if (Array.isArray(value)) return value.map(restored);
  if (typeof value !== "object" || value === null) return typeof value === "string" ? value : "";
  const form: Record<string, FormValue> = Object.create(null);
  for (const [key, inner] of Object.entries(value)) {
    form[key.replaceAll(/%5B/gi, "[").replaceAll(/%5D/gi, "]")] = restored(inner);
  }
  return form;
}

/** A field that holds text, or undefined where it is missing, empty (Gumroad's nil) or nested. */
export function textOf(form: Form, field: string): string | undefined {
  const value = form[field];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A field that holds nested keys; empty where it doesn't. */
export function nestedOf(form: Form, field: string): Form {
  const value = form[field];
  return typeof value === "object" && !Array.isArray(value) ? value : {};
}

/** The fields of a ping that are used; of custom fields only the names. */
const KEPT = new Set(["custom_fields", "resource_name", "test", "seller_id", "product_id", "sale_id", "sale_timestamp",
  "email", "price", "variants", "recurrence", "subscription_id", "is_recurring_charge", "is_preorder_authorization",
  "is_gift_receiver_purchase", "gifter_email", "refunded", "disputed", "dispute_won", "user_email", "cancelled_at",
  "ended_at", "ended_reason", "restarted_at", "type", "effective_as_of", "old_plan", "new_plan"]);

/**
 * A body as the dead-letter queue keeps it: the fields that are used, and the names of custom fields. No card, name,
 * address or answer of the buyer's. Pair by pair, as a body may be no form at all.
 */
export function withoutPrivateFields(body: string): string {
  const pairs = body.split("&").map((pair) => {
    const [key = ""] = pair.split("=", 1);
    const [name = ""] = new URLSearchParams(key).keys();
    const [field = "", inner = ""] = name.split(/[[\]]/);
    return { pair, key, field, inner };
  });
  // Gumroad repeats custom fields at the top level: what is called so there is an answer, too.
  const answers = new Set(pairs.filter(({ field }) => field === "custom_fields").map(({ inner }) => inner));
  return pairs.flatMap(({ pair, key, field }) => {
    if (!KEPT.has(field)) return [];
    return field === "custom_fields" || (answers.has(field) && field !== "email") ? [`${key}=`] : [pair];
  }).join("&");
}

/** What stays the same when Gumroad sends a ping again: everything but the `retry_count` that it adds. */
export function withoutRetryCount(body: string): string {
  return body.split("&").filter((pair) => !pair.startsWith("retry_count=")).join("&");
}

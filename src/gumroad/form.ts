import qs from "qs";

/** A value of a decoded form: text, or nested keys, or a list. */
export type FormValue = string | FormValue[] | Form;

/** A decoded form. It has no prototype, so a field called `constructor` or `__proto__` is just a field. */
export interface Form {
  readonly [key: string]: FormValue | undefined;
}

/** The form's own limits were broken, or it isn't a form. `field` names what is wrong. */
export class FormError extends Error {
  readonly field: string;

  constructor(field: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "FormError";
    this.field = field;
  }
}

/** Deepest key that Gumroad sends: `old_plan[tier][id]`. */
const DEPTH = 3;
/** Far above any real ping; a membership lists every charge in `purchase_ids[]`. */
const PARAMETERS = 2000;

/**
 * Decodes a form body as Gumroad encodes it: nested keys (`card[type]=`), lists (`k[]=`), and a literal bracket in a
 * key, which Gumroad encodes twice and which is restored here.
 * @throws {FormError} too deep, or too many parameters
 */
export function parseForm(body: string): Form {
  let parsed: unknown;
  try {
    parsed = qs.parse(body, {
      depth: DEPTH,
      strictDepth: true,
      parameterLimit: PARAMETERS,
      arrayLimit: PARAMETERS,
      throwOnLimitExceeded: true,
      plainObjects: true,
    });
  } catch (error) {
    throw new FormError("body", `the body is nested deeper than ${String(DEPTH)} levels or has more than ${String(PARAMETERS)} fields`, { cause: error });
  }
  const form = restored(parsed);
  return typeof form === "string" || Array.isArray(form) ? {} : form;
}

/** Turns qs's answer into a `Form`, with brackets in keys as the seller wrote them. */
function restored(value: unknown): FormValue {
  if (Array.isArray(value)) return value.map(restored);
  if (typeof value !== "object" || value === null) return typeof value === "string" ? value : "";
  const form: Record<string, FormValue> = Object.create(null);
  for (const [key, inner] of Object.entries(value)) form[key.replaceAll(/%5B/gi, "[").replaceAll(/%5D/gi, "]")] = restored(inner);
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

/** Fields that carry a person's card, address or name, and Gumroad's IP-derived country: never kept anywhere. */
const PRIVATE = new Set(["card", "full_name", "street_address", "country", "state", "zip_code", "city", "ip_country", "shipping_information", "license_key"]);

/**
 * A body without its private fields, for the dead-letter queue. Works pair by pair, so it also works on a body that
 * can't be parsed.
 */
export function withoutPrivateFields(body: string): string {
  return body
    .split("&")
    .filter((pair) => !PRIVATE.has(decoded(pair.split("=", 1)[0] ?? "").split("[", 1)[0] ?? ""))
    .join("&");
}

/** What stays the same when Gumroad sends a ping again: everything but the `retry_count` that it adds. */
export function withoutRetryCount(body: string): string {
  return body
    .split("&")
    .filter((pair) => !pair.startsWith("retry_count="))
    .join("&");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

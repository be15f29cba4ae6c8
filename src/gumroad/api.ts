import * as z from "zod/mini";

import type { Secret } from "../config/secret.ts";
import { ServiceError } from "../errors.ts";
import { log } from "../log.ts";
import { answerAs, askGumroad, failureOf, fieldOf, refusal, type Call } from "./call.ts";
import { saleShape, subscriberShape } from "./rows.ts";
import type { GumroadCredentials } from "./secret.ts";

/** What to list. Days are YYYY-MM-DD, UTC; `after` is included, `before` is not. */
export type SalesQuery = Partial<
  Record<"after" | "before" | "email" | "productId" | "pageKey", string | null | undefined>
>;

/** What the API needs. */
export interface GumroadApiOptions {
  readonly secret: Secret<GumroadCredentials>;
  readonly fetch?: typeof fetch;
  /** Told the code of each failure that is Gumroad's or its token's. */
  readonly onFailure?: (code: string) => void;
}

/** Reads of Gumroad's API. */
export type GumroadApi = ReturnType<typeof gumroadApi>;

/** Whether Gumroad says yes: it says "not found" with status 200. */
const outcomeShape = z.object({ success: z.boolean() });
const saleAnswer = z.pipe(z.object({ sale: saleShape }), z.transform(({ sale }) => sale));
const subscriberAnswer = z.pipe(z.object({ subscriber: subscriberShape }),
  z.transform(({ subscriber }) => subscriber));
const pageKey = { next_page_key: z.nullish(z.string()) };
const salesShape = z.object({ sales: z.array(z.unknown()), ...pageKey });
const subscribersShape = z.object({ subscribers: z.array(z.unknown()), ...pageKey });
const contentsShape = z.object({
  product: z.object({ bundle_products: z.nullish(z.array(z.object({ product_id: z.string() }))) }),
});
const userShape = z.object({ user: z.object({ user_id: z.string().check(z.minLength(1)) }) });

/** A row's id for the log, if it looks like one of Gumroad's. */
const idShape = z.object({ id: z.string().check(z.regex(/^[\w=-]{1,100}$/)) });

/**
 * Gumroad's API v2, with the credentials of the moment. All reads throw NeedsPersonError GUMROAD_TOKEN (401),
 * GUMROAD_SCOPE (403), GUMROAD_REFUSED (another "no", as to a page key that is none), GUMROAD_NOT_UNDERSTOOD (the
 * message names the field), and TemporaryError GUMROAD_UNREACHABLE (429, 5xx, broken off, no JSON, too long, not in
 * time), beside what reading the secret throws. No message holds the token or an email.
 */
export function gumroadApi(options: GumroadApiOptions) {
  const { onFailure } = options;

  /** What a yes says; for "not found", what `absent` gives. */
  async function read<T>(what: string, path: string, shape: z.ZodMiniType<T>, signal: AbortSignal,
    absent: (what: string) => NoInfer<T>): Promise<T> {
    // A call that began with no time left says nothing about Gumroad.
    const late = signal.aborted;
    try {
      const { status, body } = await answerTo({ what, path }, options, signal);
      if (status === 404) return absent(what);
      if (status !== 200) throw failureOf(status, what);
      return answerAs(outcomeShape, body, what).success ? answerAs(shape, body, what) : absent(what);
    } catch (error) {
      if (!late && error instanceof ServiceError && error.code.startsWith("GUMROAD_")) onFailure?.(error.code);
      throw error;
    }
  }

  /** A row by its own id's spelling: Gumroad also finds one by others, which count as not found. */
  async function one<T extends { readonly id: string }>(what: string, path: string, shape: z.ZodMiniType<T>,
    id: string, signal: AbortSignal): Promise<T | null> {
    // As parts of a path these two would lead elsewhere, encoded or not.
    if (id === "." || id === "..") return null;
    const row = await read<T | null>(what, `${path}/${encodeURIComponent(id)}`, shape, signal, () => null);
    return row?.id === id ? row : null;
  }

  /** One page, newest first; `next` is the key of the next one. What can't be understood is left out, and told. */
  function pageOf<T>(kind: string, rows: readonly unknown[], next: string | null | undefined,
    shape: z.ZodMiniType<T>) {
    return { next: next || null, rows: rows.flatMap((row) => {
      const parsed = shape.safeParse(row);
      if (parsed.success) return [parsed.data];
      log.warn("a row of Gumroad's was not understood and is left out", { kind,
        id: idShape.safeParse(row).data?.id ?? null, field: fieldOf(parsed.error) });
      onFailure?.("GUMROAD_NOT_UNDERSTOOD");
      return [];
    }) };
  }

  return {
    sale: (id: string, signal: AbortSignal) => one("read a sale", "/sales", saleAnswer, id, signal),
    subscriber: (id: string, signal: AbortSignal) =>
      one("read a subscriber", "/subscribers", subscriberAnswer, id, signal),
    /** Sales, 10 a page: without gift receivers', test and preorder-authorization rows. */
    sales: async ({ productId, pageKey: key, ...query }: SalesQuery, signal: AbortSignal) => {
      const path = `/sales${queryOf({ ...query, product_id: productId, page_key: key })}`;
      const { sales, next_page_key: next } = await read("list sales", path, salesShape, signal, missing);
      return pageOf("sales", sales, next, saleShape);
    },
    /** The running subscriptions of a product, 100 a page; none of a product that Gumroad doesn't know. */
    subscribers: async (productId: string, key: string | null, signal: AbortSignal) => {
      const path = `${productPath(productId)}/subscribers${queryOf({ paginated: "true", page_key: key })}`;
      const { subscribers, next_page_key: next } = await read("list subscribers", path, subscribersShape, signal,
        () => ({ subscribers: [] }));
      return pageOf("subscribers", subscribers, next, subscriberShape);
    },
    /** The ids of the products that a bundle holds now; none of what is no bundle, or that Gumroad doesn't know. */
    contents: async (productId: string, signal: AbortSignal): Promise<readonly string[]> => {
      const { product } = await read("read a product", productPath(productId), contentsShape, signal,
        () => ({ product: {} }));
      return (product.bundle_products ?? []).map(({ product_id }) => product_id);
    },
    /** Whose token it is: what pings call `seller_id`. */
    sellerId: async (signal: AbortSignal) =>
      (await read("name the seller", "/user", userShape, signal, missing)).user.user_id,
  };
}

/** Asks; once more where the token was refused and the secret has another by now. */
async function answerTo(call: Call, { secret, fetch: send = fetch }: GumroadApiOptions, signal: AbortSignal) {
  const used = await secret.get(signal);
  const answer = await askGumroad(send, used, call, signal);
  if (answer.status !== 401) return answer;
  const now = await secret.reread();
  return now.token === used.token && now.api === used.api ? answer : askGumroad(send, now, call, signal);
}

/** For what there always is. */
function missing(what: string): never {
  throw refusal(what, "says that there is no such thing");
}

function productPath(id: string): string {
  return `/products/${encodeURIComponent(id)}`;
}

function queryOf(parameters: Readonly<Record<string, string | null | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value) query.set(name, value);
  return query.size === 0 ? "" : `?${query.toString()}`;
}

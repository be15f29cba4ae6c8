import * as z from "zod/mini";

import { ServiceError } from "../errors.ts";
import { log } from "../log.ts";
import { answerAs, askGumroad, fieldOf, type Answer } from "./call.ts";
import { failureOf, refusal } from "./failures.ts";
import { saleShape, subscriberShape, type SaleRow, type SubscriberRow } from "./rows.ts";
import type { GumroadCredentials } from "./secret.ts";

/** What to list. Days are YYYY-MM-DD, UTC; `after` is included, `before` is not. */
export interface SalesQuery {
  readonly after?: string;
  readonly before?: string;
  readonly email?: string;
  readonly productId?: string;
  readonly pageKey?: string;
}

/** One page of a listing, newest first. Rows that can't be understood are left out, logged and told to `onFailure`. */
export interface Page<T> {
  readonly rows: readonly T[];
  /** The key of the next page; null on the last one. */
  readonly next: string | null;
}

/**
 * Reads of Gumroad's API. All throw
 * {@link NeedsPersonError} GUMROAD_TOKEN (401), GUMROAD_SCOPE (403), GUMROAD_REFUSED (another "no", as to a page key
 * that is none), GUMROAD_NOT_UNDERSTOOD (the message names the field), and {@link TemporaryError} GUMROAD_UNREACHABLE
 * (429, 5xx, broken off, no JSON, too long, not in time), beside what `credentials` throws. No message holds the token
 * or an email.
 */
export interface GumroadApi {
  /**
   * Any of the seller's sales, or null. Gumroad also finds a sale by other spellings of its id; those count as not
   * found.
   */
  sale(id: string, signal: AbortSignal): Promise<SaleRow | null>;
  /** Any of the seller's subscriptions, or null. As with sales, only by the id's own spelling. */
  subscriber(id: string, signal: AbortSignal): Promise<SubscriberRow | null>;
  /** Sales, 10 a page: without gift receivers', test and preorder-authorization rows. */
  sales(query: SalesQuery, signal: AbortSignal): Promise<Page<SaleRow>>;
  /** The running subscriptions of a product, 100 a page; none of a product that Gumroad doesn't know. */
  subscribers(productId: string, pageKey: string | null, signal: AbortSignal): Promise<Page<SubscriberRow>>;
  /** The ids of the products that a bundle holds now; none of what is no bundle, or that Gumroad doesn't know. */
  contents(productId: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Whose token it is: what pings call `seller_id`. */
  sellerId(signal: AbortSignal): Promise<string>;
}

/** What the API needs. */
export interface GumroadApiOptions {
  readonly credentials: (signal?: AbortSignal) => Promise<GumroadCredentials>;
  /** Told when the token was refused: where the credentials should be read again, as they may have been changed. */
  readonly refused?: () => Promise<unknown>;
  readonly fetch?: typeof fetch;
  /** Told the code of each failure that is Gumroad's or its token's. */
  readonly onFailure?: (code: string) => void;
}

/** Whether Gumroad says yes: it says "not found" with status 200. */
const outcomeShape = z.object({ success: z.boolean() });
const nextShape = z.object({ next_page_key: z.nullish(z.string()) });
const contentsShape = z.object({
  product: z.object({ bundle_products: z.nullish(z.array(z.object({ product_id: z.string() }))) }),
});
const userShape = z.object({ user: z.object({ user_id: z.string().check(z.minLength(1)) }) });

/** Gumroad's API v2, with the credentials of the moment. */
export function gumroadApi({ credentials, refused, fetch: send = fetch, onFailure }: GumroadApiOptions): GumroadApi {
  async function answerTo(path: string, what: string, signal: AbortSignal): Promise<Answer> {
    const used = await credentials(signal);
    const answer = await askGumroad(send, used, { path, what }, signal);
    if (answer.status !== 401 || refused === undefined) return answer;
    await refused();
    const now = await credentials(signal);
    return now.token === used.token && now.api === used.api ? answer : askGumroad(send, now, { path, what }, signal);
  }

  /** The body of a yes; null for "not found". */
  async function read(path: string, what: string, signal: AbortSignal): Promise<object | null> {
    const { status, body } = await answerTo(path, what, signal);
    if (status === 404) return null;
    if (status !== 200) throw failureOf(status, what);
    const { success } = answerAs(outcomeShape, body, what);
    return success && typeof body === "object" ? body : null;
  }

  /** The body of a yes, where there is always one. */
  async function must(path: string, what: string, signal: AbortSignal): Promise<object> {
    const body = await read(path, what, signal);
    if (body === null) throw refusal(what, "says that there is no such thing");
    return body;
  }

  async function one<T extends { readonly id: string }>(kind: "sale" | "subscriber", shape: z.ZodMiniType<T>,
    id: string, signal: AbortSignal): Promise<T | null> {
    // As parts of a path these two would lead elsewhere, encoded or not.
    if (id === "." || id === "..") return null;
    const what = `read a ${kind}`;
    const body = await read(`/${kind}s/${encodeURIComponent(id)}`, what, signal);
    if (body === null) return null;
    const row = answerAs(shape, valueOf(body, kind), what, kind);
    return row.id === id ? row : null;
  }

  function pageOf<T>(body: object, kind: "sales" | "subscribers", shape: z.ZodMiniType<T>, what: string): Page<T> {
    const rows: T[] = [];
    for (const row of answerAs(z.array(z.unknown()), valueOf(body, kind), what, kind)) {
      const parsed = shape.safeParse(row);
      if (parsed.success) rows.push(parsed.data);
      else {
        log.warn("a row of Gumroad's was not understood and is left out", { kind, id: idOf(row),
          field: fieldOf(parsed.error) });
        onFailure?.("GUMROAD_NOT_UNDERSTOOD");
      }
    }
    return { rows, next: answerAs(nextShape, body, what).next_page_key || null };
  }

  async function counted<T>(signal: AbortSignal, reading: () => Promise<T>): Promise<T> {
    // Who comes with no time left learns nothing of Gumroad.
    const late = signal.aborted;
    try {
      return await reading();
    } catch (error) {
      if (!late && error instanceof ServiceError && error.code.startsWith("GUMROAD_")) onFailure?.(error.code);
      throw error;
    }
  }

  return { sale: (id, signal) => counted(signal, () => one("sale", saleShape, id, signal)),
    subscriber: (id, signal) => counted(signal, () => one("subscriber", subscriberShape, id, signal)),
    sales: ({ after, before, email, productId, pageKey }, signal) =>
      counted(signal, async () => {
        const query = queryOf({ after, before, email, product_id: productId, page_key: pageKey });
        return pageOf(await must(`/sales${query}`, "list sales", signal), "sales", saleShape, "list sales");
      }), subscribers: (productId, pageKey, signal) =>
      counted(signal, async () => {
        const query = queryOf({ paginated: "true", page_key: pageKey ?? undefined });
        const body = await read(`/products/${encodeURIComponent(productId)}/subscribers${query}`, "list subscribers",
          signal);
        return body === null
          ? { rows: [], next: null }
          : pageOf(body, "subscribers", subscriberShape, "list subscribers");
      }), contents: (productId, signal) =>
      counted(signal, async () => {
        const body = await read(`/products/${encodeURIComponent(productId)}`, "read a product", signal);
        if (body === null) return [];
        const { product } = answerAs(contentsShape, body, "read a product", "product");
        return (product.bundle_products ?? []).map(({ product_id }) => product_id);
      }), sellerId: (signal) =>
      counted(signal, async () => {
        const what = "name the seller";
        return answerAs(userShape, await must("/user", what, signal), what).user.user_id;
      }) };
}

function valueOf(body: object, key: string): unknown {
  return new Map<string, unknown>(Object.entries(body)).get(key);
}

/** A row's id for the log, if it looks like one of Gumroad's. */
function idOf(row: unknown): string | null {
  const id = typeof row === "object" && row !== null ? valueOf(row, "id") : null;
  return typeof id === "string" && /^[\w=-]{1,100}$/.test(id) ? id : null;
}

function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  return query.size === 0 ? "" : `?${query.toString()}`;
}

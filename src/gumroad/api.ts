import * as z from "zod/mini";

import { ServiceError } from "../errors.ts";
import { log } from "../log.ts";
import { answerAs, askGumroad, fieldOf, type Answer } from "./call.ts";
import { failureOf, refusal } from "./failures.ts";
import { saleShape, subscriberShape } from "./rows.ts";
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

/** What the API needs. */
export interface GumroadApiOptions {
  readonly credentials: (signal?: AbortSignal) => Promise<GumroadCredentials>;
  /** Told when the token was refused: where the credentials should be read again, as they may have been changed. */
  readonly refused?: () => Promise<unknown>;
  readonly fetch?: typeof fetch;
  /** Told the code of each failure that is Gumroad's or its token's. */
  readonly onFailure?: (code: string) => void;
}

/** Reads of Gumroad's API. */
export type GumroadApi = ReturnType<typeof gumroadApi>;

/** Whether Gumroad says yes: it says "not found" with status 200. */
const outcomeShape = z.object({ success: z.boolean() });
const listing = { next_page_key: z.nullish(z.string()) };
const salesShape = z.object({ sales: z.array(z.unknown()), ...listing });
const subscribersShape = z.object({ subscribers: z.array(z.unknown()), ...listing });
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
 * time), beside what `credentials` throws. No message holds the token or an email.
 */
export function gumroadApi(options: GumroadApiOptions) {
  const { onFailure } = options;

  /** What a yes says, as `take` understands it; for "not found", what `absent` gives. */
  async function read<T>(path: string, what: string, signal: AbortSignal, take: (body: unknown) => T,
    absent: () => T): Promise<T> {
    // Who comes with no time left learns nothing of Gumroad.
    const late = signal.aborted;
    try {
      const { status, body } = await answerTo(path, what, options, signal);
      if (status === 404) return absent();
      if (status !== 200) throw failureOf(status, what);
      return answerAs(outcomeShape, body, what).success ? take(body) : absent();
    } catch (error) {
      if (!late && error instanceof ServiceError && error.code.startsWith("GUMROAD_")) onFailure?.(error.code);
      throw error;
    }
  }

  /** A row by its own id's spelling: Gumroad also finds one by others, which count as not found. */
  async function one<T extends { readonly id: string }>(path: string, what: string, id: string, signal: AbortSignal,
    take: (body: unknown) => T): Promise<T | null> {
    // As parts of a path these two would lead elsewhere, encoded or not.
    if (id === "." || id === "..") return null;
    const row = await read<T | null>(`${path}/${encodeURIComponent(id)}`, what, signal, take, () => null);
    return row?.id === id ? row : null;
  }

  return {
    sale: (id: string, signal: AbortSignal) =>
      one("/sales", "read a sale", id, signal, (body) =>
        answerAs(z.object({ sale: saleShape }), body, "read a sale").sale),
    subscriber: (id: string, signal: AbortSignal) =>
      one("/subscribers", "read a subscriber", id, signal, (body) =>
        answerAs(z.object({ subscriber: subscriberShape }), body, "read a subscriber").subscriber),
    /** Sales, 10 a page: without gift receivers', test and preorder-authorization rows. */
    sales: ({ after, before, email, productId, pageKey }: SalesQuery, signal: AbortSignal) => {
      const what = "list sales";
      const query = queryOf({ after, before, email, product_id: productId, page_key: pageKey });
      return read(`/sales${query}`, what, signal, (body) => {
        const { sales, next_page_key: next } = answerAs(salesShape, body, what);
        return { rows: understood("sales", sales, saleShape, onFailure), next: next || null };
      }, missing(what));
    },
    /** The running subscriptions of a product, 100 a page; none of a product that Gumroad doesn't know. */
    subscribers: (productId: string, pageKey: string | null, signal: AbortSignal) => {
      const path = `/products/${encodeURIComponent(productId)}/subscribers`;
      const query = queryOf({ paginated: "true", page_key: pageKey ?? undefined });
      return read(`${path}${query}`, "list subscribers", signal, (body) => {
        const { subscribers, next_page_key: next } = answerAs(subscribersShape, body, "list subscribers");
        return { rows: understood("subscribers", subscribers, subscriberShape, onFailure), next: next || null };
      }, () => ({ rows: [], next: null }));
    },
    /** The ids of the products that a bundle holds now; none of what is no bundle, or that Gumroad doesn't know. */
    contents: (productId: string, signal: AbortSignal): Promise<readonly string[]> =>
      read(`/products/${encodeURIComponent(productId)}`, "read a product", signal, (body) => {
        const { product } = answerAs(contentsShape, body, "read a product");
        return (product.bundle_products ?? []).map(({ product_id }) => product_id);
      }, () => []),
    /** Whose token it is: what pings call `seller_id`. */
    sellerId: (signal: AbortSignal) =>
      read("/user", "name the seller", signal, (body) => answerAs(userShape, body, "name the seller").user.user_id,
        missing("name the seller")),
  };
}

/** Asks; once more where the token was refused and the secret has another by now. */
async function answerTo(path: string, what: string, { credentials, refused, fetch: send = fetch }: GumroadApiOptions,
  signal: AbortSignal): Promise<Answer> {
  const used = await credentials(signal);
  const answer = await askGumroad(send, used, { path, what }, signal);
  if (answer.status !== 401 || refused === undefined) return answer;
  await refused();
  const now = await credentials(signal);
  return now.token === used.token && now.api === used.api ? answer : askGumroad(send, now, { path, what }, signal);
}

function understood<T>(kind: string, rows: readonly unknown[], shape: z.ZodMiniType<T>,
  onFailure: GumroadApiOptions["onFailure"]): readonly T[] {
  return rows.flatMap((row) => {
    const parsed = shape.safeParse(row);
    if (parsed.success) return [parsed.data];
    log.warn("a row of Gumroad's was not understood and is left out", { kind,
      id: idShape.safeParse(row).data?.id ?? null, field: fieldOf(parsed.error) });
    onFailure?.("GUMROAD_NOT_UNDERSTOOD");
    return [];
  });
}

/** For what there always is. */
function missing(what: string): () => never {
  return () => {
    throw refusal(what, "says that there is no such thing");
  };
}

function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  return query.size === 0 ? "" : `?${query.toString()}`;
}

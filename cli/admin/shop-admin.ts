import * as z from "zod/mini";

import { answerAs, askGumroad } from "../../src/gumroad/call.ts";
import { failureOf, refusal } from "../../src/gumroad/failures.ts";
import type { GumroadCredentials } from "../../src/gumroad/secret.ts";

/** The events that a URL can be registered for. The URL typed into Settings → Advanced → Ping gets `sale` only. */
export const RESOURCE_NAMES = ["sale", "refund", "dispute", "dispute_won", "cancellation", "subscription_updated",
  "subscription_ended", "subscription_restarted"] as const;

/** One of Gumroad's eight events. */
export type ResourceName = (typeof RESOURCE_NAMES)[number];

/** A product as the shop's owner sees it. */
export interface ShopProduct {
  readonly id: string;
  readonly name: string;
  /** The last part of its address. */
  readonly slug: string;
  /** Its options by category, a membership's tiers too. */
  readonly categories: readonly { readonly title: string; readonly options: readonly string[] }[];
  readonly membership: boolean;
  /** Ids of the products in a bundle; empty for all others. */
  readonly contains: readonly string[];
}

/** A URL that gets the pings of one event. */
export interface ResourceSubscription {
  readonly id: string;
  readonly event: ResourceName;
  readonly postUrl: string;
}

/**
 * What setting up and checking a shop needs of Gumroad's API. All throw as `GumroadApi` does; nothing of it ships in a
 * function.
 */
export interface ShopAdmin {
  /** Whose token it is: what pings call `seller_id`. */
  sellerId(signal: AbortSignal): Promise<string>;
  /** What the shop sells, drafts too. */
  products(signal: AbortSignal): Promise<readonly ShopProduct[]>;
  /** Whether the shop has, or had, a product of this id. */
  hasProduct(id: string, signal: AbortSignal): Promise<boolean>;
  /** Who gets an event's pings. Needs `view_sales`. */
  subscriptions(event: ResourceName, signal: AbortSignal): Promise<readonly ResourceSubscription[]>;
  /** Registers a URL for an event; twice is twice. Needs `view_sales`. */
  subscribe(event: ResourceName, postUrl: string, signal: AbortSignal): Promise<void>;
  /** Removes a registration; false if this token's application has none of this id. Needs `view_sales`. */
  unsubscribe(id: string, signal: AbortSignal): Promise<boolean>;
}

const outcomeShape = z.object({ success: z.boolean(), message: z.optional(z.string()) });
const text = z.string().check(z.minLength(1));
const userShape = z.object({ user: z.object({ user_id: text }) });
const productShape = z.object({ id: text, name: z.string(), short_url: z.optional(z.string()),
  custom_permalink: z.nullish(z.string()), is_tiered_membership: z.nullish(z.boolean()),
  subscription_duration: z.nullish(z.string()),
  variants: z.nullish(z.array(z.object({ title: z.string(), options: z.array(z.object({ name: z.string() })) }))),
  bundle_products: z.nullish(z.array(z.object({ product_id: text }))) });
const productsShape = z.object({ products: z.array(productShape) });
const subscriptionsShape = z.object({ resource_subscriptions: z.array(z.object({ id: text, post_url: z.string() })) });

/** A shop's settings, through an access token of the seller's. */
export function shopAdmin({ token, api }: Pick<GumroadCredentials, "token" | "api">,
  { fetch: send = fetch }: { readonly fetch?: typeof fetch } = {}): ShopAdmin {
  /** The body of a yes; the words of a no, which Gumroad says with status 200. */
  async function ask(method: "GET" | "PUT" | "DELETE", path: string, form: Readonly<Record<string, string>>,
    what: string, signal: AbortSignal): Promise<{ yes: unknown } | { no: string }> {
    const fields = new URLSearchParams(form);
    const query = method === "GET" && fields.size > 0 ? `?${fields.toString()}` : "";
    const { status, body } = await askGumroad(send, { token, api }, { method, path: `${path}${query}`, what,
      ...(method === "PUT" ? { form: fields } : {}) }, signal);
    if (status === 404) return { no: "there is no such thing" };
    if (status !== 200) throw failureOf(status, what);
    const { success, message = "" } = answerAs(outcomeShape, body, what);
    return success ? { yes: body } : { no: message };
  }

  async function read<T>(shape: z.ZodMiniType<T>, path: string, form: Readonly<Record<string, string>>, what: string,
    signal: AbortSignal): Promise<T> {
    const answer = await ask("GET", path, form, what, signal);
    if ("no" in answer) throw refusal(what, `said "${answer.no}"`);
    return answerAs(shape, answer.yes, what);
  }

  return { sellerId: async (signal) => (await read(userShape, "/user", {}, "name the seller", signal)).user.user_id,
    products: async (signal) =>
      (await read(productsShape, "/products", {}, "list the products", signal)).products.map(productOf),
    hasProduct: async (id, signal) =>
      "yes" in (await ask("GET", `/products/${encodeURIComponent(id)}`, {}, "read a product", signal)),
    subscriptions: async (event, signal) => {
      const { resource_subscriptions: rows } = await read(subscriptionsShape, "/resource_subscriptions", {
        resource_name: event,
      }, "list the resource subscriptions", signal);
      return rows.map(({ id, post_url: postUrl }) => ({ id, event, postUrl }));
    }, subscribe: async (event, postUrl, signal) => {
      const answer = await ask("PUT", "/resource_subscriptions", { resource_name: event, post_url: postUrl },
        "register a URL", signal);
      if ("no" in answer) throw refusal("register a URL", `said "${answer.no.replaceAll(postUrl, "the URL")}"`);
    },
    unsubscribe: async (id, signal) =>
      "yes" in
        (await ask("DELETE", `/resource_subscriptions/${encodeURIComponent(id)}`, {}, "remove a registration",
          signal)) };
}

function productOf(row: z.infer<typeof productShape>): ShopProduct {
  const address = row.short_url ?? "";
  return { id: row.id, name: row.name, slug: row.custom_permalink || address.slice(address.lastIndexOf("/") + 1),
    categories: (row.variants ?? []).map(({ title, options }) => ({ title,
      options: options.map(({ name }) => name) })
    ), membership: row.is_tiered_membership === true || (row.subscription_duration ?? "") !== "",
    contains: (row.bundle_products ?? []).map(({ product_id }) => product_id) };
}

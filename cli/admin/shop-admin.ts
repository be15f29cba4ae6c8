import * as z from "zod/mini";

import { answerAs, askGumroad, failureOf, refusal } from "../../src/gumroad/call.ts";
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

/** A sale as Gumroad has it now. */
export interface SaleNow {
  readonly id: string;
  readonly subscriptionId: string | null;
  /** Its number on the buyer's receipt. */
  readonly orderNumber: string | null;
  /** How many were bought. */
  readonly quantity: number;
  /** What became of it, such as `refunded`; empty for a plain payment. */
  readonly flags: readonly string[];
  /** Whether it was neither refunded in full, nor disputed for good, nor revoked. */
  readonly stands: boolean;
}

/** A gift as its giver's sale has it. `receiver` as Gumroad writes it. */
export interface GiftNow {
  readonly saleId: string;
  readonly productId: string;
  readonly receiver: string;
}

/** A subscription as Gumroad has it now. */
export interface SubscriptionNow {
  /** Gumroad's word: `alive`, `cancelled`, … */
  readonly status: string;
  readonly endedAt: string | null;
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
  /** A sale as Gumroad has it now; null if it doesn't know it. Needs `view_sales`. */
  sale(id: string, signal: AbortSignal): Promise<SaleNow | null>;
  /** Reads the sales of today, for what it throws: as the service does. Needs `view_sales`. */
  readsSales(signal: AbortSignal): Promise<unknown>;
  /** The sale that buyers know by this order number; null if there is none. Needs `view_sales`. */
  saleOfOrder(number: string, signal: AbortSignal): Promise<SaleNow | null>;
  /** The gifts among the newest sales to this email. Needs `view_sales`. */
  giftsOf(giver: string, signal: AbortSignal): Promise<readonly GiftNow[]>;
  /** When a subscription ended, and why; null if Gumroad doesn't know it. Needs `view_sales`. */
  subscription(id: string, signal: AbortSignal): Promise<SubscriptionNow | null>;
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
const flag = z.nullish(z.boolean());
const saleShape = z.object({ id: text, subscription_id: z.nullish(z.string()),
  order_id: z.nullish(z.union([z.string(), z.number()])), quantity: z.nullish(z.number()), refunded: flag,
  partially_refunded: flag, disputed: flag, chargedback: flag, dispute_won: flag, access_revoked: flag,
  product_id: z.nullish(z.string()), giftee_email: z.nullish(z.string()) });
const oneSaleShape = z.object({ sale: saleShape });
const salesShape = z.object({ sales: z.array(saleShape) });
const subscriberShape = z.object({
  subscriber: z.object({ status: z.nullish(z.string()), ended_at: z.nullish(z.string()) }),
});
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
    }, sale: async (id, signal) => {
      const answer = await ask("GET", `/sales/${encodeURIComponent(id)}`, {}, "read a sale", signal);
      return "no" in answer ? null : saleOf(answerAs(oneSaleShape, answer.yes, "read a sale").sale);
    },
    readsSales: (signal) =>
      read(salesShape, "/sales", { after: new Date().toISOString().slice(0, 10) }, "list the sales", signal),
    saleOfOrder: async (order_id, signal) => {
      const [row] = (await read(salesShape, "/sales", { order_id }, "look for an order", signal)).sales;
      return row === undefined ? null : saleOf(row);
    },
    giftsOf: async (email, signal) =>
      (await read(salesShape, "/sales", { email }, "look for gifts", signal)).sales.flatMap((row) =>
        row.giftee_email ? [{ saleId: row.id, productId: row.product_id ?? "", receiver: row.giftee_email }] : []
      ), subscription: async (id, signal) => {
      const what = "read a subscription";
      const answer = await ask("GET", `/subscribers/${encodeURIComponent(id)}`, {}, what, signal);
      if ("no" in answer) return null;
      const { status, ended_at: endedAt } = answerAs(subscriberShape, answer.yes, what).subscriber;
      return { status: status ?? "unknown", endedAt: endedAt ?? null };
    },
    unsubscribe: async (id, signal) =>
      "yes" in
        (await ask("DELETE", `/resource_subscriptions/${encodeURIComponent(id)}`, {}, "remove a registration",
          signal)) };
}

function saleOf(row: z.infer<typeof saleShape>): SaleNow {
  const flags = { refunded: row.refunded, "refunded in part": row.partially_refunded,
    disputed: row.disputed === true || row.chargedback === true, "dispute won": row.dispute_won,
    "access revoked": row.access_revoked };
  return { id: row.id, subscriptionId: row.subscription_id ?? null,
    orderNumber: row.order_id === undefined || row.order_id === null ? null : String(row.order_id),
    quantity: row.quantity ?? 1,
    stands: flags.refunded !== true && (!flags.disputed || flags["dispute won"] === true) &&
      flags["access revoked"] !== true,
    flags: Object.entries(flags).filter(([, is]) => is === true).map(([name]) => name) };
}

function productOf(row: z.infer<typeof productShape>): ShopProduct {
  const address = row.short_url ?? "";
  return { id: row.id, name: row.name, slug: row.custom_permalink || address.slice(address.lastIndexOf("/") + 1),
    categories: (row.variants ?? []).map(({ title, options }) => ({ title,
      options: options.map(({ name }) => name) })
    ), membership: row.is_tiered_membership === true || (row.subscription_duration ?? "") !== "",
    contains: (row.bundle_products ?? []).map(({ product_id }) => product_id) };
}

import { Agenda } from "./agenda.ts";
import type { Clock } from "./clock.ts";
import { Ids } from "./ids.ts";
import type { IdsState } from "./ids.ts";
import type { Product } from "./products.ts";
import { ShopError } from "./shop-error.ts";
import type { Account, Sale } from "./sale.ts";
import type { Subscription } from "./subscription.ts";
import type { Payload } from "./form-encoding.ts";

/** Gumroad's eight resource names. */
export const RESOURCE_NAMES = ["sale", "refund", "dispute", "dispute_won", "cancellation", "subscription_updated",
  "subscription_ended", "subscription_restarted"] as const;

/** One of the eight events. */
export type ResourceName = (typeof RESOURCE_NAMES)[number];

/**
 * Tells the world of an event. `build` runs when the ping is sent, and gives undefined where there is nothing to tell
 * any more.
 */
export type Announce = (event: ResourceName, build: () => Payload | undefined) => void;

/** How a preorder stands. */
export type PreorderState = "authorized" | "charged" | "failed";

/** What the shop can't do without. */
export interface ShopParts {
  readonly sellerId: string;
  /** First part of the shop's addresses: `https://acme.gumroad.com`. */
  readonly subdomain: string;
  readonly products: readonly Product[];
  /** `gumroad_fee` of every sale. US cents. */
  readonly feeCents: number;
  readonly clock: Clock;
  readonly idSeed: string;
  /** Another shop's, to go on with. Default: empty ones. */
  readonly books?: Books | undefined;
}

/** All that a shop remembers, but for what falls due: that follows from it. */
export interface Books {
  /** The products that it was started with. */
  readonly first: readonly Product[];
  readonly products: Map<string, Product>;
  /** Products that the seller deleted. */
  readonly deleted: Set<string>;
  readonly released: Set<string>;
  readonly sales: Map<string, Sale>;
  readonly subscriptions: Map<string, Subscription>;
  /** By the id of the authorization and, once charged, of the charge. */
  readonly preorders: Map<string, { state: PreorderState; declined: boolean }>;
  readonly accounts: Map<string, Account>;
  readonly sequence: number;
  readonly ids: IdsState;
}

/** The books of one shop, in memory. The acts change them; pings and the API read them. */
export class Shop {
  readonly sellerId: string;
  readonly subdomain: string;
  readonly feeCents: number;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly agenda = new Agenda();
  readonly products: Books["products"];
  readonly deleted: Books["deleted"];
  readonly released: Books["released"];
  readonly sales: Books["sales"];
  readonly subscriptions: Books["subscriptions"];
  readonly preorders: Books["preorders"];
  /** Sends a ping; set by the post office. */
  announce: Announce = () => undefined;
  readonly #accounts: Books["accounts"];
  readonly #first: readonly Product[];
  #sequence: number;

  constructor({ sellerId, subdomain, products, feeCents, clock, idSeed, books }: ShopParts) {
    this.sellerId = sellerId;
    this.subdomain = subdomain;
    this.feeCents = feeCents;
    this.clock = clock;
    this.ids = new Ids(books?.ids ?? { seed: idSeed, made: 0, orders: 0 });
    this.products = books?.products ?? new Map();
    this.deleted = books?.deleted ?? new Set();
    this.released = books?.released ?? new Set();
    this.sales = books?.sales ?? new Map();
    this.subscriptions = books?.subscriptions ?? new Map();
    this.preorders = books?.preorders ?? new Map();
    this.#accounts = books?.accounts ?? new Map();
    this.#sequence = books?.sequence ?? 0;
    this.#first = products;
    // One that is the same as at the last start stays as it is by now: its tiers may have been renamed since.
    const before = books?.first.map((product) => JSON.stringify(product)) ?? [];
    for (const product of products) if (!before.includes(JSON.stringify(product))) this.addProduct(product);
  }

  /** The books as they are now. */
  books(): Books {
    const subscriptions = new Map(
      [...this.subscriptions].map(([id, subscription]) => [id, { ...subscription, unschedule: undefined }]),
    );
    return { first: this.#first, products: this.products, deleted: this.deleted, released: this.released,
      sales: this.sales, subscriptions, preorders: this.preorders, accounts: this.#accounts, sequence: this.#sequence,
      ids: this.ids.state() };
  }

  /** Epoch milliseconds. */
  now(): number {
    return this.clock.now();
  }

  /** The next number of a row, or of a cart. */
  nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** Adds or replaces a product. */
  addProduct(product: Product): void {
    // A copy: tiers are renamed in it.
    this.products.set(product.id, structuredClone(product));
  }

  /** A product by id or slug. Throws NO_SUCH_PRODUCT. */
  product(idOrSlug: string): Product {
    const product = this.findProduct(idOrSlug);
    if (product === undefined) throw new ShopError("NO_SUCH_PRODUCT", `The shop has no product ${idOrSlug}`);
    return product;
  }

  /** A product by id or slug, if there is one. */
  findProduct(idOrSlug: string): Product | undefined {
    return this.products.get(idOrSlug) ??
      [...this.products.values()].find(({ permalink, shortId }) => permalink === idOrSlug || shortId === idOrSlug);
  }

  /** A sale by id, or the sale itself as it is in the books. Throws NO_SUCH_SALE. */
  sale(saleOrId: Sale | string): Sale {
    const id = typeof saleOrId === "string" ? saleOrId : saleOrId.id;
    const sale = this.sales.get(id);
    if (sale === undefined) throw new ShopError("NO_SUCH_SALE", `The shop has no sale ${id}`);
    return sale;
  }

  /** A subscription by id, or itself. Throws NO_SUCH_SUBSCRIPTION. */
  subscription(subscriptionOrId: Subscription | string): Subscription {
    const id = typeof subscriptionOrId === "string" ? subscriptionOrId : subscriptionOrId.id;
    const subscription = this.subscriptions.get(id);
    if (subscription === undefined) throw new ShopError("NO_SUCH_SUBSCRIPTION", `The shop has no subscription ${id}`);
    return subscription;
  }

  /** A subscription's purchases, the first one first. */
  salesOf({ saleIds }: Subscription): Sale[] {
    return saleIds.map((id) => this.sale(id));
  }

  /** The email of a subscriber now: the account's, or else the first purchase's; of a gift the receiver's. */
  emailOf(subscription: Subscription): string {
    if (subscription.account !== undefined) return subscription.account.email;
    const [first, second] = this.salesOf(subscription);
    return (first?.state === "giftGiver" ? second : first)?.email ?? "";
  }

  /** Buyers with an account, by its email; made if there is none. */
  accountOf(email: string, id?: string): Account {
    const known = this.findAccount(email);
    if (known !== undefined) return known;
    const account = { id: id ?? this.ids.account(), email };
    this.#accounts.set(account.id, account);
    return account;
  }

  /** The account with an email, if there is one. */
  findAccount(email: string): Account | undefined {
    return [...this.#accounts.values()].find((account) => account.email === email);
  }

  /** Puts something into the agenda; the function returned takes it out. */
  later(at: number, happen: () => void): () => void {
    return this.agenda.put({ at, due: "shop", happen });
  }
}

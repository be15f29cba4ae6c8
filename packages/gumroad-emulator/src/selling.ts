import { scheduleNext } from "./billing.ts";
import { enterSale } from "./enter-sale.ts";
import { requirePreorderProduct, takePreorder } from "./preorders.ts";
import type { Order, Receipt, Row } from "./order.ts";
import type { Product } from "./products.ts";
import { isChargedBack, type License, type Sale } from "./sale.ts";
import { ShopError } from "./shop-error.ts";
import type { Shop } from "./shop.ts";
import type { Subscription } from "./subscription.ts";

const DAY = 86_400_000;

/** Sells one thing. Throws NOT_FOR_SALE, BAD_REQUEST. */
export function sell(shop: Shop, order: Order): Receipt {
  return sellIn(shop, order, shop.nextSequence());
}

/** Sells several things at once: so many purchases, so many pings, and one charge that can be disputed. */
export function sellCart(shop: Shop, orders: readonly Order[]): Receipt[] {
  const cart = shop.nextSequence();
  return orders.map((order) => sellIn(shop, order, cart));
}

function sellIn(shop: Shop, order: Order, cart: number): Receipt {
  const product = shop.product(order.product);
  if (shop.deleted.has(product.id)) throw new ShopError("NOT_FOR_SALE", `${product.name} was deleted`);
  const rows = new Rows(shop, order, cart);
  switch (product.kind) {
    case "single":
      return order.gift === undefined ? sellSingle(rows, product) : sellGift(shop, rows, product, order.gift.to);
    case "preorder":
      if (!shop.released.has(product.id)) return sellPreorder(shop, rows, product, order);
      return order.gift === undefined ? sellSingle(rows, product) : sellGift(shop, rows, product, order.gift.to);
    case "bundle":
      return sellBundle(shop, rows, product, order.gift?.to);
    case "instalments":
      // A gift is paid at once.
      if (order.gift !== undefined) return sellGift(shop, rows, product, order.gift.to);
      return sellSubscription(shop, rows, product, order);
    case "membership":
      return sellSubscription(shop, rows, product, order);
  }
}

function sellSingle(rows: Rows, product: Product): Receipt {
  return receipt(rows.add(product, {}));
}

/** Only the receiver's purchase is told of. `membership`: the one that both halves are of. */
function sellGift(shop: Shop, rows: Rows, product: Product, to: string, membership: Row = {}): Receipt {
  const giver = rows.add(product, { ...membership, state: "giftGiver", license: undefined }, { silent: true });
  const receiver = rows.add(product, { ...membership, state: "giftReceiver", email: to, account: shop.findAccount(to),
    priceCents: 0, giftPartnerId: giver.id });
  giver.giftPartnerId = receiver.id;
  return { ...receipt(giver), receiver };
}

/** The products in a gifted one are the receiver's, and come with the receiver's half. */
function sellBundle(shop: Shop, rows: Rows, product: Bundle, to: string | undefined): Receipt {
  const sold = to === undefined ? receipt(rows.add(product, {})) : sellGift(shop, rows, product, to);
  const brings = sold.receiver ?? sold.sale;
  return { ...sold,
    children: product.contains.map((id) => rows.add(shop.product(id), childOf(brings), { bare: true })) };
}

function childOf(bundle: Sale): Row {
  return { state: bundle.state, priceCents: 0, bundleSaleId: bundle.id, email: bundle.email, account: bundle.account,
    giftPartnerId: bundle.giftPartnerId };
}

/**
 * The seller puts a product into a bundle, and sends it to everybody who bought that and wasn't given the money back:
 * purchases at price 0, of now, each told of as a sale. Returns these.
 */
export function addToBundle(shop: Shop, bundleIdOrSlug: string, idOrSlug: string): Sale[] {
  const bundle = shop.product(bundleIdOrSlug);
  const product = shop.product(idOrSlug);
  if (bundle.kind !== "bundle") throw new ShopError("BAD_REQUEST", `${bundle.name} is no bundle`);
  if (bundle.contains.includes(product.id)) {
    throw new ShopError("NOT_POSSIBLE_NOW", `${product.name} is in it already`);
  }
  bundle.contains.push(product.id);
  const buyers = [...shop.sales.values()].filter((sale) =>
    sale.productId === bundle.id && sale.state !== "giftGiver" && sale.refunded !== true && !isChargedBack(sale)
  );
  return buyers.map((sale) =>
    new Rows(shop, { product: product.id, email: sale.email, test: sale.test }, sale.cart).add(product, childOf(sale),
      { bare: true })
  );
}

type Bundle = Extract<Product, { kind: "bundle" }>;

function sellPreorder(shop: Shop, rows: Rows, product: Product, { gift }: Order): Receipt {
  requirePreorderProduct(product);
  if (gift !== undefined) throw new ShopError("BAD_REQUEST", "A preorder can't be given as a gift");
  const sale = rows.add(product, { state: "preorderAuthorized", license: undefined });
  takePreorder(shop, sale);
  return receipt(sale);
}

function sellSubscription(shop: Shop, rows: Rows, product: Extract<Product, { kind: "membership" | "instalments" }>,
  order: Order): Receipt {
  const tiers = product.kind === "membership" ? product.tiers : [];
  const tier = order.tier === undefined ? tiers[0] : tiers.find(({ name }) => name === order.tier);
  if (order.tier !== undefined && tier === undefined) {
    throw new ShopError("BAD_REQUEST", `${product.name} has no tier ${order.tier}`);
  }
  const quantity = order.quantity ?? 1;
  const whole = order.priceCents ?? (tier?.priceCents ?? product.priceCents) * quantity;
  const { gift } = order;
  const trial = product.kind === "membership" && product.freeTrialDays !== undefined && gift === undefined;
  const account = gift === undefined ? rows.account : shop.findAccount(gift.to);
  const now = shop.now();
  const subscription: Subscription = {
    id: order.ids?.subscriptionId ?? shop.ids.next(),
    sequence: shop.nextSequence(),
    productId: product.id,
    account,
    createdAt: now,
    test: order.test === true,
    instalments: product.kind === "instalments",
    charges: product.charges,
    freeTrialEndsAt: trial ? now + (product.freeTrialDays ?? 0) * DAY : undefined,
    license: rows.licenseFor(product),
    customFields: order.customFields ?? [],
    saleIds: [],
    plan: { recurrence: product.kind === "membership" ? product.recurrence : "monthly",
      priceCents: product.kind === "instalments" ? Math.floor(whole / product.charges) : whole, quantity, tier },
    pendingPlan: undefined,
    cancelRequestedAt: undefined,
    cancelledAt: undefined,
    cancelledBy: undefined,
    failedAt: undefined,
    endedAt: undefined,
    deactivatedAt: undefined,
    chargeFailed: false,
    failsAt: undefined,
    // The giver paid for one period, and the receiver has given no card.
    cardDeclined: gift !== undefined,
    unschedule: undefined,
  };
  shop.subscriptions.set(subscription.id, subscription);
  // The first instalment carries what doesn't divide.
  const priceCents = product.kind === "instalments"
    ? whole - subscription.plan.priceCents * (product.charges - 1)
    : whole;
  const row = { subscriptionId: subscription.id, license: subscription.license };
  const sold = gift === undefined
    ? receipt(rows.add(product, { ...row, state: trial ? "freeTrial" : "charged", priceCents }))
    : sellGift(shop, rows, product, gift.to, { ...row, priceCents });
  scheduleNext(shop, subscription);
  return { ...sold, subscription };
}

function receipt(sale: Sale): Receipt {
  return { sale, receiver: undefined, children: [], subscription: undefined };
}

/** Makes the rows of one order. */
class Rows {
  readonly account: Sale["account"];
  readonly #shop: Shop;
  readonly #order: Order;
  readonly #cart: number;
  readonly #fixed: { saleId: string; orderNumber: number }[];

  constructor(shop: Shop, order: Order, cart: number) {
    this.#shop = shop;
    this.#order = order;
    this.#cart = cart;
    this.#fixed = [...(order.ids?.rows ?? [])];
    // A test purchase is the seller's own: without an account it could not be told from another.
    const accountEmail = order.accountEmail ?? (order.test === true ? order.email : undefined);
    this.account = accountEmail === undefined ? undefined : shop.accountOf(accountEmail, order.ids?.accountId);
  }

  licenseFor(product: Product): License | undefined {
    const key = this.#order.ids?.licenseKey ?? (product.licensed === true ? this.#shop.ids.license() : undefined);
    return key === undefined ? undefined : { key, uses: 0, disabled: false };
  }

  /** Adds a row and tells of it, unless it is `silent`. A `bare` one has nothing of what the buyer typed or chose. */
  add(product: Product, row: Row, { silent = false, bare = false } = {}): Sale {
    const shop = this.#shop;
    const order = this.#order;
    const quantity = order.quantity ?? 1;
    const fixed = this.#fixed.shift();
    const sale: Sale = { id: fixed?.saleId ?? shop.ids.next(), sequence: shop.nextSequence(),
      orderNumber: fixed?.orderNumber ?? shop.ids.order(), productId: product.id, state: row.state ?? "charged",
      test: order.test === true, email: row.email ?? order.email,
      account: "account" in row ? row.account : this.account, createdAt: shop.now(),
      priceCents: row.priceCents ?? order.priceCents ?? product.priceCents * quantity, quantity,
      fullName: bare ? undefined : order.fullName, referrer: order.referrer ?? "direct",
      urlParams: bare ? [] : (order.urlParams ?? []), variants: bare ? [] : variantsOf(product, order),
      offerCode: bare ? undefined : order.offerCode, customFields: bare ? [] : (order.customFields ?? []),
      shipping: bare ? undefined : order.shipping,
      license: "license" in row ? row.license : bare ? licenseOfChild(shop, product) : this.licenseFor(product),
      ipCountry: order.ipCountry ?? "United States", subscriptionId: row.subscriptionId, recurring: false,
      upgrade: false, giftPartnerId: row.giftPartnerId, bundleSaleId: row.bundleSaleId, cart: this.#cart,
      refundedCents: 0, refunded: undefined, partlyRefunded: undefined, disputedAt: undefined, disputeWon: false,
      accessRevoked: undefined };
    enterSale(shop, sale, silent);
    return sale;
  }
}

function licenseOfChild(shop: Shop, product: Product): License | undefined {
  return product.licensed === true ? { key: shop.ids.license(), uses: 0, disabled: false } : undefined;
}

function variantsOf(product: Product, order: Order): Sale["variants"] {
  if (product.kind === "membership") {
    const tier = product.tiers.find(({ name }) => name === order.tier) ?? product.tiers[0];
    return tier === undefined ? [] : [{ category: "Tier", option: tier }];
  }
  return Object.entries(order.variants ?? {}).map(([category, name]) => {
    const option = product.variants?.category === category
      ? product.variants.options.find((known) => known.name === name)
      : undefined;
    if (option === undefined) throw new ShopError("BAD_REQUEST", `${product.name} has no ${category} ${name}`);
    return { category, option };
  });
}

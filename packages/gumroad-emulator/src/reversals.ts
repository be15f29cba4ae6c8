import { cancelAtOnce, endIfCancelled, scheduleNext } from "./billing.ts";
import { salePing } from "./sale-ping.ts";
import type { Sale } from "./sale.ts";
import { ShopError } from "./shop-error.ts";
import type { Shop } from "./shop.ts";
import { reopen } from "./memberships.ts";

/** How much is given back. */
export interface RefundOptions {
  /** US cents; default all that is left. `true` is half of it. */
  readonly partial?: number | true;
}

/**
 * Refunds a purchase, in whole or in part; parts that add up to the price are a full refund. It doesn't end a
 * membership (one that is cancelled for later ends at once). A gift's refund (the giver's purchase) is told to nobody;
 * a bundle's leaves the rows of its products as they are. Throws NOT_POSSIBLE_NOW.
 */
export function refund(shop: Shop, saleOrId: Sale | string, { partial }: RefundOptions = {}): Sale {
  const sale = shop.sale(saleOrId);
  const left = sale.priceCents - sale.refundedCents;
  const amount = partial === undefined ? left : partial === true ? Math.max(1, Math.floor(left / 2)) : partial;
  if (sale.state === "preorderAuthorized" || sale.state === "freeTrial") {
    throw new ShopError("NOT_POSSIBLE_NOW", "Nothing was charged that could be refunded");
  }
  if (left <= 0 || amount <= 0 || amount > left) {
    throw new ShopError("NOT_POSSIBLE_NOW",
      `Of this sale ${String(left)} cents are left to refund, not ${String(amount)}`);
  }
  sale.refundedCents += amount;
  markRefunded(sale, sale.refundedCents >= sale.priceCents);
  if (sale.giftPartnerId !== undefined) markRefunded(shop.sale(sale.giftPartnerId), sale.refunded === true);
  if (sale.subscriptionId !== undefined) endIfCancelled(shop, shop.subscription(sale.subscriptionId));
  if (sale.state !== "giftGiver") shop.announce("refund", () => salePing(shop, sale, "refund"));
  return sale;
}

function markRefunded(sale: Sale, full: boolean): void {
  sale.refunded = full;
  sale.partlyRefunded = !full;
}

/** Refunds a gift, by either half of it. */
export function refundGift(shop: Shop, saleOrId: Sale | string, options?: RefundOptions): Sale {
  return refund(shop, giverOf(shop, shop.sale(saleOrId)), options);
}

function giverOf(shop: Shop, sale: Sale): Sale {
  if (sale.giftPartnerId === undefined) throw new ShopError("BAD_REQUEST", "This sale is no gift");
  return sale.state === "giftGiver" ? sale : shop.sale(sale.giftPartnerId);
}

/** A refund that the bank could not carry out is taken back. Told to nobody. */
export function reverseRefund(shop: Shop, saleOrId: Sale | string): Sale {
  const sale = shop.sale(saleOrId);
  if (sale.refundedCents === 0) throw new ShopError("NOT_POSSIBLE_NOW", "This sale was not refunded");
  for (const half of [sale, ...(sale.giftPartnerId === undefined ? [] : [shop.sale(sale.giftPartnerId)])]) {
    half.refunded = false;
    half.partlyRefunded = false;
  }
  sale.refundedCents = 0;
  return sale;
}

/**
 * The buyer's bank takes the charge back: all that was bought with it, each told of apart. A gift's is told with the
 * giver's purchase, a bundle's with the bundle's. A membership is cancelled and ends at once. Returns what was
 * charged.
 */
export function dispute(shop: Shop, saleOrId: Sale | string): Sale[] {
  const charged = chargedWith(shop, shop.sale(saleOrId));
  if (charged.some(({ disputedAt }) => disputedAt !== undefined)) {
    throw new ShopError("NOT_POSSIBLE_NOW", "This charge was disputed before");
  }
  for (const sale of charged) {
    const subscription = sale.subscriptionId === undefined ? undefined : shop.subscription(sale.subscriptionId);
    for (const row of withDependants(shop, sale)) row.disputedAt = shop.now();
    if (subscription?.instalments === false && subscription.deactivatedAt === undefined) {
      cancelAtOnce(shop, subscription, "buyer");
    }
    shop.announce("dispute", () => salePing(shop, sale, "dispute"));
  }
  return charged;
}

/** The seller wins: a membership starts again; `dispute_won` is left out where the money was refunded before. */
export function disputeWon(shop: Shop, saleOrId: Sale | string): Sale[] {
  const charged = chargedWith(shop, shop.sale(saleOrId));
  if (charged.some(({ disputedAt, disputeWon: won }) => disputedAt === undefined || won)) {
    throw new ShopError("NOT_POSSIBLE_NOW", "This charge has no open dispute");
  }
  for (const sale of charged) {
    for (const row of withDependants(shop, sale)) row.disputeWon = true;
    const subscription = sale.subscriptionId === undefined ? undefined : shop.subscription(sale.subscriptionId);
    if (subscription?.instalments === false && subscription.endedAt === undefined &&
      !shop.deleted.has(subscription.productId)) {
      const stood = subscription.cancelledAt !== undefined || subscription.failedAt !== undefined;
      if (stood) {
        reopen(shop, subscription);
        scheduleNext(shop, subscription);
      }
    }
    if (sale.refunded !== true) shop.announce("dispute_won", () => salePing(shop, sale, "dispute_won"));
  }
  return charged;
}

/** The seller loses: nothing changes, and nothing is told. */
export function disputeLost(shop: Shop, saleOrId: Sale | string): Sale[] {
  return chargedWith(shop, shop.sale(saleOrId));
}

/** The purchases of one charge. */
function chargedWith(shop: Shop, sale: Sale): Sale[] {
  const payer = sale.state === "giftReceiver"
    ? giverOf(shop, sale)
    : sale.bundleSaleId === undefined
    ? sale
    : shop.sale(sale.bundleSaleId);
  const charged = [...shop.sales.values()].filter(({ cart, state, bundleSaleId }) =>
    cart === payer.cart && bundleSaleId === undefined && (state === "charged" || state === "giftGiver")
  );
  if (charged.length === 0) throw new ShopError("NOT_POSSIBLE_NOW", "Nothing was charged that could be disputed");
  return charged;
}

/** With the gift's other half and the bundle's products, whose rows share the dispute's flags. */
function withDependants(shop: Shop, sale: Sale): Sale[] {
  const partner = sale.giftPartnerId === undefined ? [] : [shop.sale(sale.giftPartnerId)];
  const children = [...shop.sales.values()].filter(({ bundleSaleId }) =>
    [sale, ...partner].some(({ id }) => id === bundleSaleId)
  );
  return [sale, ...partner, ...children];
}

import { createHash } from "node:crypto";

import type { GumroadEmulator } from "gumroad-emulator";
import type { Order } from "gumroad-emulator/order";
import { fixtureProducts, type Product } from "gumroad-emulator/products";
import { isChargedBack, type Sale } from "gumroad-emulator/sale";
import { ShopError } from "gumroad-emulator/shop-error";
import type { Subscription } from "gumroad-emulator/subscription";

/** Numbers from 0 to below 1. */
export type Random = () => number;

/** What a history is made of. */
export interface HistoryPlan {
  readonly random: Random;
  readonly buyers: number;
  /**
   * It goes on until the shop has so many purchases: rows of its books, as Gumroad counts. A renewal is one, and each
   * product of a bundle.
   */
  readonly purchases: number;
  /** Also what Gumroad tells by no ping: what becomes of a gift's giver's sale, another email of an account. */
  readonly silent: boolean;
  /**
   * Carries out a change of plan, or what is about a test purchase: nothing can stand for its ping, which must not be
   * lost.
   */
  readonly unlost: (act: () => void) => void;
}

/** Orders at one moment. */
const AT_ONCE = 20;
/** Acts at one moment. */
const ACTS = 12;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Within ten minutes, nothing tells whether a product came with this bundle or with that one. */
const SHORTEST_PAUSE = 15 * MINUTE;
const LONGEST_PAUSE = 4 * DAY;
/** A product that is bought once. */
export const HANDBOOK = "zGyG_1JQunZuizwqd9CP7g==";
const DATAVIZ = "Z7kcrf7WgiSjiBnsGYi45w==";
/** A membership with tiers. */
export const CLUB = "wg2b8FhyMUKaJ6Eo3PrR5g==";
/** A bundle. */
export const BUNDLE = "zdLk8Uz-AIidbazwzX2EkA==";
const MASTERCLASS = "lnHn8l0Cn_FH_VuURa1aEw==";
const MUG = "mug-that-no-policy-knows";

/** The products of the fixtures, one of them still to be released, and one that no policy lists. */
export function randomShopProducts(releaseAt: number): Product[] {
  const known = fixtureProducts().map((
    product,
  ): Product => (product.id === DATAVIZ ? { ...product, kind: "preorder", releaseAt } : product));
  return [...known, { kind: "single", id: MUG, name: "Mug", priceCents: 1500, permalink: "mug", shortId: "mugxx" }];
}

/** The same numbers for the same seed and purpose. */
export function randomFrom(seed: number, purpose: string): Random {
  let drawn = 0;
  return () => {
    drawn += 1;
    return createHash("sha256").update(`${String(seed)} ${purpose} ${String(drawn)}`).digest().readUInt32BE() /
      2 ** 32;
  };
}

/** The email of a buyer of a history. */
export function buyerEmail(buyer: number): string {
  return `buyer${String(buyer)}@example.com`;
}

/**
 * Lets a shop live: at each moment some orders by as many buyers, and something happens to purchases of before.
 * Nothing happens to the same thing twice at one moment, because Gumroad's times are whole seconds. `pass` moves time
 * by so many milliseconds.
 */
export async function letLive(shop: GumroadEmulator, plan: HistoryPlan,
  pass: (ms: number) => Promise<void>): Promise<void> {
  while (shop.sales.length < plan.purchases) {
    const past = pastOf(shop);
    const touched = new Set<string>();
    for (let n = 0; n < ACTS; n += 1) {
      tryTo(() => {
        happen(shop, past, touched, plan);
      });
    }
    for (const order of ordersOf(shop, plan)) {
      if (order.test === true) plan.unlost(() => shop.sell(order));
      else shop.sell(order);
    }
    await pass(SHORTEST_PAUSE + Math.floor(plan.random() * (LONGEST_PAUSE - SHORTEST_PAUSE)));
  }
}

interface Past {
  /** What was charged, and can be taken back. */
  readonly charged: readonly Sale[];
  readonly subscriptions: readonly Subscription[];
}

function pastOf({ sales, subscriptions }: GumroadEmulator): Past {
  return {
    charged: sales.filter(({ state, bundleSaleId }) =>
      bundleSaleId === undefined && (state === "charged" || state === "giftGiver")
    ),
    subscriptions,
  };
}

/** What the seller calls a tier now: the first is the cheaper one. */
function tierName(shop: GumroadEmulator, which: 0 | 1): string {
  const club = shop.products.find(({ id }) => id === CLUB);
  return (club?.kind === "membership" ? club.tiers[which]?.name : undefined) ?? "";
}

function ordersOf(shop: GumroadEmulator, { random, buyers, silent }: HistoryPlan): readonly Order[] {
  const who = new Set<number>();
  while (who.size < AT_ONCE) who.add(Math.floor(random() * buyers));
  return [...who].map((buyer): Order => {
    const email = buyerEmail(buyer);
    // Who has no account stays under the email of the purchase.
    const account = random() < 0.5 ? { accountEmail: silent && random() < 0.05 ? `account.of.${email}` : email } : {};
    const kind = random();
    if (kind < 0.28) return { product: HANDBOOK, email, ...account };
    if (kind < 0.56) return { product: DATAVIZ, email, ...account };
    if (kind < 0.66) {
      return { product: HANDBOOK, email, ...account, gift: { to: buyerEmail(Math.floor(random() * buyers)) } };
    }
    if (kind < 0.76) return { product: BUNDLE, email, ...account };
    if (kind < 0.88) return { product: CLUB, email, ...account, tier: tierName(shop, random() < 0.5 ? 0 : 1) };
    if (kind < 0.94) return { product: MASTERCLASS, email, ...account };
    if (kind < 0.96) return { product: HANDBOOK, email, test: true };
    return { product: MUG, email, quantity: 1 + Math.floor(random() * 3), ...account };
  });
}

/** Something happens to a purchase or a subscription of before. */
function happen(shop: GumroadEmulator, past: Past, touched: Set<string>,
  { random, silent, unlost }: HistoryPlan): void {
  const kind = random();
  if (kind < 0.55) {
    const sale = oneOf(past.charged, random);
    if (sale === undefined || !isUntouched(sale.subscriptionId ?? sale.id, touched)) return;
    if (sale.state === "giftGiver" && !silent) return;
    const befall = () => {
      if (sale.disputedAt !== undefined) shop.disputeWon(sale);
      else if (kind < 0.22) shop.refund(sale);
      else if (kind < 0.34) shop.refund(sale, { partial: true });
      else if (kind < 0.48) shop.dispute(sale);
      else shop.resendPing(sale);
    };
    if (sale.test) unlost(befall);
    else befall();
    return;
  }
  const subscription = oneOf(past.subscriptions, random);
  if (subscription === undefined || !isUntouched(subscription.id, touched)) return;
  if (kind < 0.63) shop.cancel(subscription, kind < 0.6 ? "buyer" : "seller");
  else if (kind < 0.71) shop.restart(subscription);
  else if (kind < 0.8) unlost(() => shop.upgrade(subscription, { tier: tierName(shop, 1) }));
  else if (kind < 0.88 && isPaidAhead(shop, subscription)) {
    unlost(() => shop.downgrade(subscription, { tier: tierName(shop, 0) }));
  } else if (kind < 0.92 && subscription.pendingPlan === undefined) {
    shop.failPayment(subscription, { atNextCharge: true });
  } else if (kind < 0.95) shop.end(subscription);
  else if (kind < 0.97 && subscription.pendingPlan === undefined) shop.renew(subscription);
  else if (kind >= 0.97 && silent && subscription.account !== undefined) {
    shop.changeAccountEmail(subscription.account.email, `moved.${subscription.account.email}`);
  }
}

/**
 * A downgrade counts from the date that its ping names. Gumroad itself waits for the next charge, which is another
 * moment when nothing is paid ahead or that charge fails: such histories are left out.
 */
function isPaidAhead(shop: GumroadEmulator, { chargeFailed, cardDeclined, saleIds }: Subscription): boolean {
  return !chargeFailed && !cardDeclined &&
    shop.sales.every((sale) => !saleIds.includes(sale.id) || (sale.refunded !== true && !isChargedBack(sale)));
}

/** What Gumroad would refuse just doesn't happen. */
function tryTo(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof ShopError)) throw error;
  }
}

function isUntouched(id: string, touched: Set<string>): boolean {
  const before = touched.size;
  return touched.add(id).size > before;
}

function oneOf<T>(all: readonly T[], random: Random): T | undefined {
  return all[Math.floor(random() * all.length)];
}

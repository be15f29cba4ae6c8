import { onePeriodAfter } from "./clock.ts";
import { cancellationPing, endedPing } from "./subscription-ping.ts";
import { isChargedBack } from "./sale.ts";
import type { Sale } from "./sale.ts";
import { enterSale } from "./enter-sale.ts";
import type { Shop } from "./shop.ts";
import { isAlive } from "./subscription.ts";
import type { Plan, Subscription } from "./subscription.ts";

/** How long Gumroad tries a card before it ends a subscription. */
const FAILING = 5 * 86_400_000;

/** How many charges were taken. */
export function chargesMade(shop: Shop, subscription: Subscription): number {
  return shop.salesOf(subscription)
    .filter(({ state, upgrade }) => state !== "freeTrial" && state !== "giftReceiver" && !upgrade).length;
}

/**
 * Whether a fixed number of charges is taken: an instalment plan paid off, a fixed-length membership in its last
 * period.
 */
export function isPaidOff(shop: Shop, subscription: Subscription): boolean {
  return subscription.charges !== undefined && chargesMade(shop, subscription) >= subscription.charges;
}

/** When the next charge is due: at the end of a trial, or one period after the last one. */
export function nextChargeAt(shop: Shop, subscription: Subscription): number {
  const last = shop.salesOf(subscription).findLast(({ state }) => state !== "freeTrial");
  if (last === undefined) return subscription.freeTrialEndsAt ?? subscription.createdAt;
  return onePeriodAfter(last.createdAt, subscription.plan.recurrence);
}

/** Until when it is paid for. A charge that was refunded or charged back pays for nothing; never in the past. */
export function paidUntil(shop: Shop, subscription: Subscription): number {
  const now = shop.now();
  const sales = shop.salesOf(subscription).filter(({ state }) => state !== "freeTrial");
  if (sales.length === 0) return Math.max(now, subscription.freeTrialEndsAt ?? now);
  const good = sales.findLast((sale) => sale.refunded !== true && !isChargedBack(sale));
  return good === undefined ? now : Math.max(now, onePeriodAfter(good.createdAt, subscription.plan.recurrence));
}

/** Puts what comes next for a subscription into the agenda, in the place of what stood there. */
export function scheduleNext(shop: Shop, subscription: Subscription): void {
  subscription.unschedule?.();
  subscription.unschedule = undefined;
  if (subscription.deactivatedAt !== undefined || subscription.test) return;
  const { cancelledAt, chargeFailed, failsAt } = subscription;
  const [at, happen] = cancelledAt !== undefined
    ? ([cancelledAt, () => {
      deactivate(shop, subscription);
    }] as const)
    : chargeFailed && failsAt !== undefined
    ? ([failsAt, () => {
      fail(shop, subscription);
    }] as const)
    : isPaidOff(shop, subscription)
    ? ([nextChargeAt(shop, subscription), () => {
      endPaidOff(shop, subscription);
    }] as const)
    : ([nextChargeAt(shop, subscription), () => {
      chargeWhenDue(shop, subscription);
    }] as const);
  subscription.unschedule = shop.later(at, happen);
}

function chargeWhenDue(shop: Shop, subscription: Subscription): void {
  if (subscription.cardDeclined) refuseCharge(shop, subscription);
  else charge(shop, subscription);
}

/**
 * Takes one charge: a sale of its own, under the subscriber's email of now. A downgrade that waited takes effect with
 * it.
 */
export function charge(shop: Shop, subscription: Subscription,
  { priceCents, upgrade = false }: { readonly priceCents?: number; readonly upgrade?: boolean } = {}): Sale {
  applyPendingPlan(subscription);
  subscription.chargeFailed = false;
  const first = shop.sale(subscription.saleIds[0] ?? "");
  const { plan } = subscription;
  const sale: Sale = { ...first, id: shop.ids.next(), sequence: shop.nextSequence(), orderNumber: shop.ids.order(),
    state: "charged", email: shop.emailOf(subscription), createdAt: shop.now(),
    priceCents: priceCents ?? plan.priceCents, quantity: plan.quantity, urlParams: [], customFields: [],
    variants: tierVariant(plan) ?? first.variants, account: subscription.account, license: subscription.license,
    giftPartnerId: undefined, recurring: true, upgrade, cart: shop.nextSequence(), refundedCents: 0,
    refunded: undefined, partlyRefunded: undefined, disputedAt: undefined, disputeWon: false,
    accessRevoked: undefined };
  enterSale(shop, sale);
  scheduleNext(shop, subscription);
  return sale;
}

function tierVariant({ tier }: Plan): Sale["variants"] | undefined {
  return tier === undefined ? undefined : [{ category: "Tier", option: tier }];
}

/** The plan that waited is in force from here on. No ping tells of it but the next charge's. */
function applyPendingPlan(subscription: Subscription): void {
  if (subscription.pendingPlan === undefined) return;
  subscription.plan = subscription.pendingPlan;
  subscription.pendingPlan = undefined;
}

/** A charge is refused. Nothing is told; after five days without a good one the subscription fails. */
export function refuseCharge(shop: Shop, subscription: Subscription): void {
  subscription.chargeFailed = true;
  subscription.failsAt = shop.now() + FAILING;
  scheduleNext(shop, subscription);
}

/** Ends it for want of payment: cancellation and end together. */
export function fail(shop: Shop, subscription: Subscription): void {
  subscription.failedAt = shop.now();
  deactivate(shop, subscription);
  shop.announce("cancellation", () => cancellationPing(shop, subscription));
}

/** All charges are made, and the last period is over. */
export function endPaidOff(shop: Shop, subscription: Subscription): void {
  subscription.endedAt = shop.now();
  deactivate(shop, subscription);
}

/** Access ends now. */
export function deactivate(shop: Shop, subscription: Subscription): void {
  subscription.unschedule?.();
  subscription.unschedule = undefined;
  if (subscription.deactivatedAt !== undefined) return;
  subscription.deactivatedAt = shop.now();
  shop.announce("subscription_ended", () => endedPing(shop, subscription));
}

/** Cancelled with effect now: a chargeback, or the product is gone. */
export function cancelAtOnce(shop: Shop, subscription: Subscription, by: "buyer" | "seller"): void {
  const now = shop.now();
  subscription.cancelRequestedAt = now;
  subscription.cancelledAt = now;
  subscription.cancelledBy = by;
  deactivate(shop, subscription);
  shop.announce("cancellation", () => cancellationPing(shop, subscription));
}

/** A cancellation that waits for the period's end takes effect now, as Gumroad does after a refund. */
export function endIfCancelled(shop: Shop, subscription: Subscription): void {
  if (subscription.cancelledAt === undefined || !isAlive(subscription, shop.now())) return;
  subscription.cancelledAt = shop.now();
  deactivate(shop, subscription);
}

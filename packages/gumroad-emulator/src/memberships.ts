import { cancelAtOnce, charge, deactivate, endPaidOff, fail, isPaidOff, nextChargeAt, paidUntil, refuseCharge,
  scheduleNext } from "./billing.ts";
import type { Sale } from "./sale.ts";
import { ShopError } from "./shop-error.ts";
import type { Shop } from "./shop.ts";
import { isAlive } from "./subscription.ts";
import type { Canceller, EndedReason, Subscription } from "./subscription.ts";
import { cancellationPing, restartedPing } from "./subscription-ping.ts";

type Which = Subscription | string;

/**
 * Cancels for the end of what is paid for, often in the future; nothing left paid for: at once. `at` sets another
 * time (epoch milliseconds). An instalment plan's buyer can't. Throws NOT_POSSIBLE_NOW.
 */
export function cancel(shop: Shop, which: Which, by: Canceller = "buyer",
  { at }: { readonly at?: number } = {}): Subscription {
  const subscription = running(shop, which);
  if (subscription.cancelledAt !== undefined) {
    throw new ShopError("NOT_POSSIBLE_NOW", "This subscription is cancelled already");
  }
  if (subscription.instalments && by === "buyer") {
    throw new ShopError("NOT_POSSIBLE_NOW", "A buyer can't cancel an instalment plan");
  }
  subscription.cancelRequestedAt = shop.now();
  subscription.cancelledAt = at ?? paidUntil(shop, subscription);
  subscription.cancelledBy = by;
  shop.announce("cancellation", () => cancellationPing(shop, subscription));
  if (subscription.cancelledAt <= shop.now()) deactivate(shop, subscription);
  else scheduleNext(shop, subscription);
  return subscription;
}

/**
 * Ends it now. As `cancelled` it cancels first what nobody cancelled; as `failed_payment` there is a cancellation too.
 */
export function end(shop: Shop, which: Which, reason: EndedReason = "cancelled"): Subscription {
  const subscription = running(shop, which);
  if (reason === "failed_payment") fail(shop, subscription);
  else if (reason === "fixed_subscription_period_ended") endPaidOff(shop, subscription);
  else if (subscription.cancelledAt === undefined) cancelAtOnce(shop, subscription, "seller");
  else {
    subscription.cancelledAt = Math.min(subscription.cancelledAt, shop.now());
    deactivate(shop, subscription);
  }
  return subscription;
}

/**
 * The buyer takes it up again, before or after it ended. A charge, and so a sale ping, only if one is due. Not one
 * that the seller cancelled, that is paid off, or whose product is gone. Throws NOT_POSSIBLE_NOW.
 */
export function restart(shop: Shop, which: Which): Subscription {
  const subscription = shop.subscription(which);
  if (subscription.cancelledAt === undefined && subscription.failedAt === undefined) {
    throw new ShopError("NOT_POSSIBLE_NOW", "This subscription is neither cancelled nor failed");
  }
  if (subscription.endedAt !== undefined) {
    throw new ShopError("NOT_POSSIBLE_NOW", "This subscription has made all its charges");
  }
  if (subscription.cancelledAt !== undefined && subscription.cancelledBy !== "buyer") {
    throw new ShopError("NOT_POSSIBLE_NOW", "The seller cancelled this subscription");
  }
  if (shop.deleted.has(subscription.productId)) throw new ShopError("NOT_POSSIBLE_NOW", "The product was deleted");
  const due = subscription.failedAt !== undefined || nextChargeAt(shop, subscription) <= shop.now();
  reopen(shop, subscription);
  if (due && !subscription.test && !isPaidOff(shop, subscription)) charge(shop, subscription);
  else scheduleNext(shop, subscription);
  return subscription;
}

/** Makes it run again, and tells so. */
export function reopen(shop: Shop, subscription: Subscription): void {
  subscription.cancelRequestedAt = undefined;
  subscription.cancelledAt = undefined;
  subscription.cancelledBy = undefined;
  subscription.failedAt = undefined;
  subscription.deactivatedAt = undefined;
  subscription.chargeFailed = false;
  subscription.cardDeclined = false;
  const at = shop.now();
  shop.announce("subscription_restarted", () => restartedPing(shop, subscription, at));
}

/** Charges now, before it is due or after a card that was refused. Throws NOT_POSSIBLE_NOW. */
export function renew(shop: Shop, which: Which): Sale {
  const subscription = chargeable(shop, which);
  subscription.cardDeclined = false;
  return charge(shop, subscription);
}

/**
 * The card goes bad. The charge is refused now, or with `atNextCharge` when it is due; five days later the
 * subscription fails, unless it is renewed before.
 */
export function failPayment(shop: Shop, which: Which,
  { atNextCharge = false }: { readonly atNextCharge?: boolean } = {}): Subscription {
  const subscription = chargeable(shop, which);
  subscription.cardDeclined = true;
  if (!atNextCharge) refuseCharge(shop, subscription);
  return subscription;
}

function chargeable(shop: Shop, which: Which): Subscription {
  const subscription = running(shop, which);
  if (subscription.cancelledAt !== undefined) {
    throw new ShopError("NOT_POSSIBLE_NOW", "A cancelled subscription isn't charged");
  }
  if (isPaidOff(shop, subscription)) {
    throw new ShopError("NOT_POSSIBLE_NOW", "This subscription has made all its charges");
  }
  return subscription;
}

/** A subscription that didn't end. Throws NOT_POSSIBLE_NOW. */
export function running(shop: Shop, which: Which): Subscription {
  const subscription = shop.subscription(which);
  if (!isAlive(subscription, shop.now())) throw new ShopError("NOT_POSSIBLE_NOW", "This subscription has ended");
  return subscription;
}

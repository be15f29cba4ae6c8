import { charge, nextChargeAt, paidUntil } from "./billing.ts";
import type { Recurrence } from "./clock.ts";
import { running } from "./memberships.ts";
import { ShopError } from "./shop-error.ts";
import type { Shop } from "./shop.ts";
import { updatedPing } from "./subscription-ping.ts";
import type { Plan, Subscription } from "./subscription.ts";

/** What the subscriber changes; what is left out stays. */
export interface NewPlan {
  /** Name of the tier. */
  readonly tier?: string;
  readonly recurrence?: Recurrence;
  readonly quantity?: number;
  /** US cents a period; default the tier's price times the quantity. */
  readonly priceCents?: number;
  /**
   * What an upgrade costs today; default the new price less what is left of the old period. 0: no charge and no sale
   * ping.
   */
  readonly chargeCents?: number;
}

/**
 * To a dearer plan, at once. A downgrade that waits is dropped. Free during a trial. Throws NOT_POSSIBLE_NOW,
 * BAD_REQUEST.
 */
export function upgrade(shop: Shop, which: Subscription | string, change: NewPlan): Subscription {
  const subscription = changeable(shop, which);
  const from = subscription.plan;
  const to = planWith(shop, subscription, change);
  if (to.priceCents <= from.priceCents) {
    throw new ShopError("BAD_REQUEST", "An upgrade costs more than the plan before");
  }
  const chargeCents = change.chargeCents ?? proratedCents(shop, subscription, to);
  subscription.pendingPlan = undefined;
  subscription.plan = to;
  const effectiveAt = shop.now();
  if (chargeCents > 0) charge(shop, subscription, { priceCents: chargeCents, upgrade: true });
  shop.announce("subscription_updated",
    () => updatedPing(shop, subscription, { type: "upgrade", effectiveAt, from, to }));
  return subscription;
}

/**
 * To a cheaper plan: during a trial at once, else from the end of what is paid for, with no second ping then. A later
 * one takes the place of one that waits. Throws NOT_POSSIBLE_NOW, BAD_REQUEST.
 */
export function downgrade(shop: Shop, which: Subscription | string, change: NewPlan): Subscription {
  const subscription = changeable(shop, which);
  const from = subscription.plan;
  const to = planWith(shop, subscription, change);
  if (to.priceCents >= from.priceCents) {
    throw new ShopError("BAD_REQUEST", "A downgrade costs less than the plan before");
  }
  const inTrial = isInTrial(shop, subscription);
  const effectiveAt = inTrial ? shop.now() : paidUntil(shop, subscription);
  if (inTrial) subscription.plan = to;
  else subscription.pendingPlan = to;
  shop.announce("subscription_updated",
    () => updatedPing(shop, subscription, { type: "downgrade", effectiveAt, from, to }));
  return subscription;
}

/** The seller or buyer changes the number of seats. Told to nobody. */
export function changeSeats(shop: Shop, which: Subscription | string, quantity: number): Subscription {
  const subscription = running(shop, which);
  subscription.plan = { ...subscription.plan, quantity,
    priceCents: Math.round((subscription.plan.priceCents / subscription.plan.quantity) * quantity) };
  return subscription;
}

function changeable(shop: Shop, which: Subscription | string): Subscription {
  const subscription = running(shop, which);
  if (subscription.instalments) throw new ShopError("BAD_REQUEST", "An instalment plan has no tiers");
  if (subscription.cancelledAt !== undefined) {
    throw new ShopError("NOT_POSSIBLE_NOW", "Restart this subscription first: it is cancelled");
  }
  return subscription;
}

function planWith(shop: Shop, { productId, plan }: Subscription, change: NewPlan): Plan {
  const product = shop.product(productId);
  const tiers = product.kind === "membership" ? product.tiers : [];
  const tier = change.tier === undefined ? plan.tier : tiers.find(({ name }) => name === change.tier);
  if (change.tier !== undefined && tier === undefined) {
    throw new ShopError("BAD_REQUEST", `${product.name} has no tier ${change.tier}`);
  }
  const quantity = change.quantity ?? plan.quantity;
  return { recurrence: change.recurrence ?? plan.recurrence, quantity, tier,
    priceCents: change.priceCents ?? (tier?.priceCents ?? product.priceCents) * quantity };
}

function isInTrial(shop: Shop, { freeTrialEndsAt }: Subscription): boolean {
  return freeTrialEndsAt !== undefined && freeTrialEndsAt > shop.now();
}

function proratedCents(shop: Shop, subscription: Subscription, to: Plan): number {
  if (isInTrial(shop, subscription)) return 0;
  const last = shop.salesOf(subscription).at(-1);
  const ends = nextChargeAt(shop, subscription);
  if (last === undefined || ends <= last.createdAt) return to.priceCents;
  const left = Math.max(0, (ends - shop.now()) / (ends - last.createdAt));
  return Math.max(1, Math.round(to.priceCents - subscription.plan.priceCents * left));
}

import { timeText } from "./clock.ts";
import type { Payload, PayloadValue } from "./form-encoding.ts";
import type { Shop } from "./shop.ts";
import { endedReason } from "./subscription.ts";
import type { Plan, Subscription } from "./subscription.ts";

type SubscriptionEvent = "cancellation" | "subscription_ended" | "subscription_restarted" | "subscription_updated";

/** A change of plan, as `subscription_updated` tells it. */
export interface PlanChange {
  readonly type: "upgrade" | "downgrade";
  /** Epoch milliseconds; in the future for a downgrade that is paid up. */
  readonly effectiveAt: number;
  readonly from: Plan;
  readonly to: Plan;
}

/** The fields of every subscription ping, in wire order, as they are at this moment. */
function common(shop: Shop, subscription: Subscription, event: SubscriptionEvent): Payload {
  const product = shop.product(subscription.productId);
  return new Map<string, PayloadValue>([
    ["subscription_id", subscription.id],
    ["product_id", product.id],
    ["product_name", product.name],
    ["user_id", subscription.account?.id ?? null],
    ["user_email", shop.emailOf(subscription)],
    ["purchase_ids", [...subscription.saleIds]],
    ["created_at", timeText(subscription.createdAt)],
    ["charge_occurrence_count", subscription.charges ?? null],
    ["recurrence", subscription.plan.recurrence],
    ["free_trial_ends_at", subscription.freeTrialEndsAt === undefined ? null : timeText(subscription.freeTrialEndsAt)],
    ["resource_name", event],
  ]);
}

function withOptional(ping: Payload, { customFields, license }: Subscription): Payload {
  if (customFields.length > 0) ping.set("custom_fields", new Map(customFields));
  if (license !== undefined) ping.set("license_key", license.key);
  return ping;
}

/** `cancellation`: an intention, or the news of a payment that failed for good. */
export function cancellationPing(shop: Shop, subscription: Subscription): Payload {
  const ping = withOptional(common(shop, subscription, "cancellation"), subscription);
  ping.set("cancelled", true);
  if (subscription.cancelledAt !== undefined) {
    ping.set("cancelled_at", timeText(subscription.cancelledAt));
    ping.set(`cancelled_by_${subscription.cancelledBy ?? "seller"}`, true);
  } else if (subscription.failedAt !== undefined) {
    ping.set("cancelled_at", timeText(subscription.failedAt));
    ping.set("cancelled_due_to_payment_failures", true);
  }
  return ping;
}

/** `subscription_ended`; nothing if it runs again by the time the ping is sent. */
export function endedPing(shop: Shop, subscription: Subscription): Payload | undefined {
  const reason = endedReason(subscription);
  if (subscription.deactivatedAt === undefined || reason === undefined) return undefined;
  const ping = withOptional(common(shop, subscription, "subscription_ended"), subscription);
  ping.set("ended_at", timeText(subscription.deactivatedAt));
  ping.set("ended_reason", reason);
  return ping;
}

/** `subscription_restarted`; nothing if it is cancelled again by the time the ping is sent. */
export function restartedPing(shop: Shop, subscription: Subscription, restartedAt: number): Payload | undefined {
  if (subscription.deactivatedAt !== undefined || subscription.cancelledAt !== undefined) return undefined;
  const ping = common(shop, subscription, "subscription_restarted");
  ping.set("restarted_at", timeText(restartedAt));
  return withOptional(ping, subscription);
}

/** `subscription_updated`: another tier, price, number of seats or period. */
export function updatedPing(shop: Shop, subscription: Subscription,
  { type, effectiveAt, from, to }: PlanChange): Payload {
  const ping = common(shop, subscription, "subscription_updated");
  ping.set("type", type);
  ping.set("effective_as_of", timeText(effectiveAt));
  ping.set("old_plan", planFields(from));
  ping.set("new_plan", planFields(to));
  return withOptional(ping, subscription);
}

function planFields({ recurrence, priceCents, quantity, tier }: Plan): Payload {
  return new Map<string, PayloadValue>([
    ["recurrence", recurrence],
    ["price_cents", priceCents],
    ["quantity", quantity],
    ["tier", new Map<string, PayloadValue>([["id", tier?.id ?? null], ["name", tier?.name ?? null]])],
  ]);
}

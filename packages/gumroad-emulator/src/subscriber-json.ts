import { timeText } from "./clock.ts";
import { isListed } from "./sale.ts";
import type { Shop } from "./shop.ts";
import { statusOf } from "./subscription.ts";
import type { Subscription } from "./subscription.ts";

/**
 * A subscriber as the API shows it: no tier, and nulls are kept. `user_email` is the account's and null without one;
 * `email` is the subscriber's whatever they have. A cancellation that took effect leaves `ended_at` null.
 */
export function subscriberJson(shop: Shop, subscription: Subscription): Record<string, unknown> {
  const time = (at: number | undefined): string | null => (at === undefined ? null : timeText(at));
  const json = { id: subscription.id, email: shop.emailOf(subscription), product_id: subscription.productId,
    product_name: shop.product(subscription.productId).name, user_id: subscription.account?.id ?? null,
    user_email: subscription.account?.email ?? null,
    purchase_ids: shop.salesOf(subscription).filter(isListed).map(({ id }) => id),
    created_at: timeText(subscription.createdAt), user_requested_cancellation_at: time(subscription.cancelRequestedAt),
    charge_occurrence_count: subscription.charges ?? null, recurrence: subscription.plan.recurrence,
    cancelled_at: time(subscription.cancelledAt), ended_at: time(subscription.endedAt),
    failed_at: time(subscription.failedAt), free_trial_ends_at: time(subscription.freeTrialEndsAt),
    status: statusOf(subscription) };
  return subscription.license === undefined ? json : { ...json, license_key: subscription.license.key };
}

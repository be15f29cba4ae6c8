import type { Recurrence } from "./clock.ts";
import type { Option } from "./products.ts";
import type { Account, License } from "./sale.ts";

/** What a subscriber pays for. */
export interface Plan {
  readonly recurrence: Recurrence;
  readonly priceCents: number;
  readonly quantity: number;
  /** A membership's tier; an instalment plan has none. */
  readonly tier: Option | undefined;
}

/** Who cancels. */
export type Canceller = "buyer" | "seller" | "admin";

/** A membership or an instalment plan. Times are epoch milliseconds. */
export interface Subscription {
  readonly id: string;
  readonly sequence: number;
  readonly productId: string;
  readonly account: Account | undefined;
  readonly createdAt: number;
  readonly test: boolean;
  readonly instalments: boolean;
  /** How many charges it has in all; undefined: no end. */
  readonly charges: number | undefined;
  readonly freeTrialEndsAt: number | undefined;
  readonly license: License | undefined;
  readonly customFields: readonly (readonly [string, string | boolean])[];
  /** Every purchase of it, the first one first. */
  readonly saleIds: string[];
  plan: Plan;
  /** A downgrade that waits for the end of the period. */
  pendingPlan: Plan | undefined;
  cancelRequestedAt: number | undefined;
  /** When a cancellation takes effect; often in the future. */
  cancelledAt: number | undefined;
  cancelledBy: Canceller | undefined;
  failedAt: number | undefined;
  /** All its charges are made. Not set by a cancellation, though pings call that one's end `ended_at` too. */
  endedAt: number | undefined;
  /** When access ended, whatever the reason. */
  deactivatedAt: number | undefined;
  /** The charge that is due was refused. */
  chargeFailed: boolean;
  /** Until when a refused charge can be made good. */
  failsAt: number | undefined;
  /** The card is bad: every charge is refused. */
  cardDeclined: boolean;
  /** Takes what is due next (charge, end, failure) out of the agenda. */
  unschedule: (() => void) | undefined;
}

/** Gumroad's word for how a subscription stands. */
export type SubscriptionStatus = "alive" | "pending_cancellation" | "pending_failure" | EndedReason;

/** Why it ended. */
export type EndedReason = "cancelled" | "failed_payment" | "fixed_subscription_period_ended";

/** Not failed, not ended, not cancelled, or cancelled for later. */
export function isAlive({ failedAt, endedAt, cancelledAt }: Subscription, now: number): boolean {
  return failedAt === undefined && endedAt === undefined && (cancelledAt === undefined || cancelledAt > now);
}

/** Whether `GET /products/:id/subscribers` lists it. */
export function isActive(subscription: Subscription, now: number): boolean {
  return !subscription.test && isAlive(subscription, now);
}

/** Why it ended; undefined while it runs. */
export function endedReason({ deactivatedAt, failedAt, endedAt }: Subscription): EndedReason | undefined {
  if (deactivatedAt === undefined) return undefined;
  if (failedAt !== undefined) return "failed_payment";
  return endedAt === undefined ? "cancelled" : "fixed_subscription_period_ended";
}

/** How it stands, as the API says. */
export function statusOf(subscription: Subscription): SubscriptionStatus {
  return endedReason(subscription) ??
    (subscription.chargeFailed
      ? "pending_failure"
      : subscription.cancelledAt === undefined
      ? "alive"
      : "pending_cancellation");
}

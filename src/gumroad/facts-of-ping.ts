import { emptySource, type Charge, type Source, type SourceId } from "../access/facts.ts";
import type { Ping, SalePing } from "./ping.ts";

/**
 * The source a ping is about: its subscription if it has one, else its sale. Renewals so fold into their subscription.
 */
export function sourceOfPing(ping: Ping): SourceId {
  if ("saleId" in ping) {
    return ping.subscriptionId === null
      ? `sale:${ping.saleId}`
      : `subscription:${ping.subscriptionId}`;
  }
  return `subscription:${ping.subscriptionId}`;
}

/** What a ping tells, as facts to be merged. */
export function factsOfPing(ping: Ping): Source {
  const source = emptySource(ping.productId);
  switch (ping.event) {
    case "sale":
    case "refund":
    case "dispute":
    case "dispute_won":
      return { ...source, charges: [chargeOf(ping)] };
    case "cancellation":
      return { ...source, cancelledAt: ping.at };
    case "subscription_ended":
      return { ...source, ended: { at: ping.at, reason: ping.reason } };
    case "subscription_restarted":
      return { ...source, restartedAt: ping.at };
    case "subscription_updated":
      return { ...source, tierChanges: [{ at: ping.at, type: ping.type, from: ping.from, to: ping.to }] };
  }
}

/**
 * All sale-shaped pings are built when they are sent, so their flags tell the state of that moment, whatever the
 * event: a resent `sale` can say `refunded`. A `refund` that doesn't is a partial one.
 */
function chargeOf(ping: SalePing): Charge {
  return {
    saleId: ping.saleId,
    seen: ping.event === "sale",
    soldAt: ping.soldAt,
    priceCents: ping.priceCents,
    variants: ping.variants,
    recurrence: ping.recurrence,
    recurring: ping.recurring,
    preorder: ping.preorder,
    test: ping.test,
    gift: ping.gift ? "received" : "none",
    refunded: ping.refunded,
    partlyRefunded: ping.event === "refund" && !ping.refunded,
    disputed: ping.disputed || ping.event === "dispute" || ping.event === "dispute_won",
    disputeWon: ping.disputeWon || ping.event === "dispute_won",
    read: null,
  };
}

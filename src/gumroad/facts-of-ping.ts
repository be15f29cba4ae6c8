import { emptySource, type Charge, type Source, type SourceId } from "../access/facts.ts";
import type { Ping, SalePing } from "./ping.ts";

/** The source a ping is about: its subscription if it has one, so that renewals fold into that, else its sale. */
export function sourceOfPing(ping: Ping): SourceId {
  return "saleId" in ping && ping.subscriptionId === null
    ? `sale:${ping.saleId}`
    : `subscription:${ping.subscriptionId ?? ""}`;
}

/** What a ping tells that came in then (epoch ms), as facts to be merged. */
export function factsOfPing(ping: Ping, receivedAt: number): Source {
  const source = emptySource(ping.productId);
  switch (ping.event) {
    case "sale":
      return { ...source, charges: [chargeOf(ping, receivedAt)], emails: [ping.email] };
    case "refund":
    case "dispute":
    case "dispute_won":
      return { ...source, charges: [chargeOf(ping, receivedAt)] };
    case "cancellation":
      return { ...source, cancelledAt: ping.at };
    case "subscription_ended":
      return { ...source, ended: { at: ping.at, reason: ping.reason } };
    case "subscription_restarted":
      return { ...source, restartedAt: ping.at };
    case "subscription_updated":
      return { ...source,
        tierChanges: [{ at: ping.at, toldAt: receivedAt, type: ping.type, from: ping.from, to: ping.to }] };
  }
}

/**
 * All sale-shaped pings are built when they are sent, so their flags tell the state of that moment, whatever the
 * event: a resent `sale` can say `refunded`. A `refund` that doesn't is a partial one.
 */
function chargeOf(ping: SalePing, receivedAt: number): Charge {
  return { saleId: ping.saleId, seen: ping.event === "sale", soldAt: ping.soldAt, priceCents: ping.priceCents,
    variants: ping.variants, names: ping.variants.length === 0 ? [] : [{ at: receivedAt, variants: ping.variants }],
    recurrence: ping.recurrence, recurring: ping.recurring, preorder: ping.preorder, test: ping.test,
    gift: ping.gift ? "received" : "none", refunded: ping.refunded,
    partlyRefunded: ping.event === "refund" && !ping.refunded,
    disputed: ping.disputed || ping.event === "dispute" || ping.event === "dispute_won",
    disputeWon: ping.disputeWon || ping.event === "dispute_won", receivedAt: ping.event === "sale" ? receivedAt : null,
    revoked: null, read: null };
}

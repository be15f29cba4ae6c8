/** What Gumroad tells, as facts: by a ping, or by a row of its API. */
import { emptySource, type Charge, type Source, type SourceId } from "../access/facts.ts";
import type { Ping, SalePing } from "./ping.ts";
import type { SaleRow, SubscriberRow } from "./rows.ts";

/** The source a ping is about: its subscription if it has one, so that renewals fold into that, else its sale. */
export function sourceOfPing(ping: Ping): SourceId {
  return "saleId" in ping ? sourceOfRow({ ...ping, id: ping.saleId }) : `subscription:${ping.subscriptionId}`;
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

/** The source a row of the API is about. A giver's side of a gift is a source of its own, in the receiver's record. */
export function sourceOfRow({ id, subscriptionId }: Pick<SaleRow, "id" | "subscriptionId">): SourceId {
  return subscriptionId === null ? `sale:${id}` : `subscription:${subscriptionId}`;
}

/** Whose a sale is: its buyer's, or the receiver's of a gift. Null: a gift whose receiver Gumroad doesn't name. */
export function ownerOfRow({ gift, giftee, email }: SaleRow): string | null {
  return gift === "given" ? giftee : email;
}

/**
 * What a sale's row tells. `at` is when it was asked for (epoch ms). Of a membership it tells that it runs, or that it
 * doesn't, but not since when: a dead one has to be asked for by itself.
 */
export function factsOfSale(row: SaleRow, at: number): Source {
  const { refunded, partlyRefunded, disputed, disputeWon, bundle, accessRevoked } = row;
  return {
    ...emptySource(row.productId),
    // The API doesn't tell a test purchase from another. The flags are those of pings: the reading stands for them.
    charges: [{ saleId: row.id, seen: true, soldAt: row.soldAt, priceCents: row.priceCents, variants: row.variants,
      names: [], recurrence: row.recurrence, recurring: row.recurring, preorder: row.preorder, test: false,
      gift: row.gift, refunded: false, partlyRefunded: false, disputed: false, disputeWon: false, receivedAt: null,
      revoked: accessRevoked === null ? null : { at, is: accessRevoked },
      read: { at, refunded, partlyRefunded, disputed, disputeWon, variants: row.variants, bundle } }],
    // A giver's row names the giver.
    emails: row.gift === "given" ? [] : [row.email],
    read: row.subscriptionId === null || row.dead ? null : { at, ended: null },
  };
}

/** What a subscriber's row tells: how it stands. `at` is when it was asked for (epoch ms). */
export function factsOfSubscriber({ productId, ended, cancelledAt }: SubscriberRow, at: number): Source {
  return { ...emptySource(productId), cancelledAt, read: { at, ended } };
}

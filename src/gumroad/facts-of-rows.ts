import { emptySource, type Source, type SourceId } from "../access/facts.ts";
import type { SaleRow, SubscriberRow } from "./rows.ts";

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

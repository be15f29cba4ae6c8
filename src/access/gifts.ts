import { entriesOf, type Charge, type Source, type Sources } from "./facts.ts";
import { areTogether, flagsOf, isGiversSide, sameOptions } from "./known.ts";
import type { Product } from "./policy.ts";
import { decided, ofCharge, whileAny, type Standing } from "./standing.ts";

/** The sources that can be a side of a gift: all but what came with a bundle. `now` in epoch ms. */
export type AllGifts = { readonly gifts: Sources; readonly now: number };

/**
 * A received gift stands while a giver's side does: that is what is refunded and disputed. Of two gifts at once
 * nothing tells which sides belong together: while fewer giver's sides are known than received ones, each goes by its
 * own flags.
 */
export function ofReceived(own: Standing, received: Charge, { productId }: Source, product: Product,
  { gifts: sources, now }: AllGifts): Standing {
  const givers = sidesOf("given", received, productId, sources);
  const standing = whileAny(
    givers.map(({ side, act }) => decided(act, now) ?? ofCharge(asPaid(side, received), product, "remove")),
    own,
  );
  if (standing !== null) return standing;
  const isOneUnknown = givers.length < sidesOf("received", received, productId, sources).length;
  return isOneUnknown || !own.access ? own : { access: false, reason: "gift-gone" };
}

/** The giver's side, with what only the receiver's ping told of its money. Where the API was read, that tells all. */
function asPaid(given: Charge, received: Charge): Charge {
  if (given.read !== null) return given;
  const { refunded, partlyRefunded, disputed, disputeWon } = flagsOf(received);
  return { ...given, refunded: given.refunded || refunded, partlyRefunded: given.partlyRefunded || partlyRefunded,
    disputed: given.disputed || disputed, disputeWon: given.disputeWon || disputeWon };
}

/** A giver's side stands for a receiver's that nobody told of; an operator who took or moved that meant both. */
export function ofGiven(own: Standing, given: Charge, { productId }: Source,
  { gifts: sources, now }: AllGifts): Standing {
  const decisions = sidesOf("received", given, productId, sources).map(({ act }) => decided(act, now));
  const [first = null] = decisions;
  return first !== null && decisions.every((decision) => decision?.access === false) ? first : own;
}

type GiftSale = Pick<Source, "productId"> & Pick<Charge, "soldAt">;

/** Whether two sales can be the two sides of one gift: of one product, sold within ten minutes. */
export function canBeOneGift(a: GiftSale, b: GiftSale): boolean {
  return a.productId === b.productId && areTogether(a, b);
}

/** The sides of gifts in a buyer's sources that may be of the same gift as this sale, with the same options. */
export function sidesOf(which: "received" | "given", charge: Charge, productId: string, sources: Sources) {
  return entriesOf(sources).flatMap(([id, source]) =>
    source.charges
      .filter((side) =>
        (which === "given" ? isGiversSide(side) : side.gift === which) &&
        canBeOneGift({ ...side, productId: source.productId }, { ...charge, productId }) && sameOptions(side, charge)
      )
      .map((side) => ({ id, side, act: source.act }))
  );
}

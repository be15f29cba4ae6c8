import { entriesOf, type Act, type Charge, type Sources } from "./facts.ts";
import { areTogether, isGiversSide, sameOptions } from "./known.ts";

/** What tells which gift a sale may be a side of. `soldAt` is in epoch ms. */
export interface GiftSale {
  readonly productId: string;
  readonly soldAt: number;
}

/** Whether two sales can be the two sides of one gift: of one product, sold within ten minutes. */
export function canBeOneGift(a: GiftSale, b: GiftSale): boolean {
  return a.productId === b.productId && areTogether(a, b);
}

/** The sides of gifts in a buyer's sources that may be of the same gift as this sale, with the same options. */
export function sidesOf(which: "received" | "given", charge: Charge, productId: string,
  sources: Sources): readonly { readonly side: Charge; readonly act: Act | null }[] {
  return entriesOf(sources).flatMap(([, source]) =>
    source.charges
      .filter((side) =>
        (which === "given" ? isGiversSide(side) : side.gift === which) &&
        canBeOneGift({ ...side, productId: source.productId }, { ...charge, productId }) && sameOptions(side, charge)
      )
      .map((side) => ({ side, act: source.act }))
  );
}

import type { License, Sale } from "./sale.ts";
import type { Subscription } from "./subscription.ts";

/** Ids for the rows that a sale makes, in the order it makes them; for stories told before. */
export interface FixedIds {
  /** Bundle, then what it contains; giver, then receiver; or the one row. */
  readonly rows?: readonly { readonly saleId: string; readonly orderNumber: number }[];
  readonly subscriptionId?: string;
  readonly accountId?: string;
  readonly licenseKey?: string;
}

/** What somebody buys. */
export interface Order {
  /** Id or slug. */
  readonly product: string;
  /** The email typed at the checkout. */
  readonly email: string;
  /** The email of their Gumroad account, if they have one. Default: none. */
  readonly accountEmail?: string;
  /** Name of a membership's tier; default the first. */
  readonly tier?: string;
  /** Choices by category, for products with variants. */
  readonly variants?: Readonly<Record<string, string>>;
  /** A gift: the email of the one who gets it. Anything but a preorder; paid at once, a membership for one period. */
  readonly gift?: { readonly to: string };
  /** Default 1. */
  readonly quantity?: number;
  /** The seller buys their own product. */
  readonly test?: boolean;
  /** What the buyer typed into the product's boxes. Pairs, as a box may have any name. */
  readonly customFields?: readonly (readonly [string, string | boolean])[];
  /** What stood in the product's URL. */
  readonly urlParams?: readonly (readonly [string, string])[];
  readonly fullName?: string;
  /** US cents for all of it; default the product's price. */
  readonly priceCents?: number;
  readonly offerCode?: string;
  /** Default `direct`. */
  readonly referrer?: string;
  /** Default `United States`. */
  readonly ipCountry?: string;
  /** Address fields in wire order, and the shipping in cents. */
  readonly shipping?: Sale["shipping"];
  readonly ids?: FixedIds;
}

/** What a sale made. */
export interface Receipt {
  /** The purchase that was paid for: with a gift the giver's. */
  readonly sale: Sale;
  /** The gift's receiver's purchase. */
  readonly receiver: Sale | undefined;
  /** A bundle's products. */
  readonly children: readonly Sale[];
  /** A membership or an instalment plan. */
  readonly subscription: Subscription | undefined;
}

/** What differs between the rows of one order. */
export type Row = Partial<
  Pick<Sale,
    "state" | "priceCents" | "email" | "account" | "giftPartnerId" | "bundleSaleId" | "recurring" | "upgrade"
      | "subscriptionId">
> & { readonly license?: License | undefined };

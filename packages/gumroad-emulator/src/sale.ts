import type { Option } from "./products.ts";

/** A buyer's Gumroad account. Its email can differ from the one a purchase was made with, and can change. */
export interface Account {
  readonly id: string;
  email: string;
}

/** What state Gumroad has a purchase in, where that decides what shows it. */
export type SaleState = "charged" | "giftGiver" | "giftReceiver" | "preorderAuthorized" | "freeTrial";

/** A purchase: one row of the shop's books. */
export interface Sale {
  readonly id: string;
  /** Order in which the shop made its rows. */
  readonly sequence: number;
  readonly orderNumber: number;
  readonly productId: string;
  readonly state: SaleState;
  /** The seller bought their own product. */
  readonly test: boolean;
  /** The purchase email: a ping's `email`, the API's `purchase_email`. */
  email: string;
  readonly account: Account | undefined;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly priceCents: number;
  quantity: number;
  readonly fullName: string | undefined;
  readonly referrer: string;
  readonly urlParams: readonly (readonly [string, string])[];
  readonly variants: readonly { readonly category: string; readonly option: Option }[];
  readonly offerCode: string | undefined;
  readonly customFields: readonly (readonly [string, string | boolean])[];
  /** Address fields in wire order; physical products. */
  readonly shipping: { readonly fields: readonly (readonly [string, string])[]; readonly cents: number } | undefined;
  readonly license: License | undefined;
  readonly ipCountry: string | undefined;
  readonly subscriptionId: string | undefined;
  /** A charge after the first one of its subscription. */
  readonly recurring: boolean;
  readonly upgrade: boolean;
  /** The other half of a gift: the receiver's purchase for the giver's, and the other way round. */
  giftPartnerId: string | undefined;
  /** The bundle's purchase that brought this one. */
  readonly bundleSaleId: string | undefined;
  /** What was bought at once is charged back at once. */
  readonly cart: number;
  refundedCents: number;
  /** Undefined until the first refund, as Gumroad's nil. */
  refunded: boolean | undefined;
  partlyRefunded: boolean | undefined;
  disputedAt: number | undefined;
  disputeWon: boolean;
  /** Taken away by the seller by hand, or given back; undefined: neither ever was. */
  accessRevoked: boolean | undefined;
}

/** A license key and its use. A subscription's charges share one. */
export interface License {
  readonly key: string;
  uses: number;
  disabled: boolean;
}

/** Whether `GET /sales` lists it: not a gift's receiver, a test purchase or a preorder's authorization. */
export function isListed({ state, test }: Sale): boolean {
  return !test && state !== "giftReceiver" && state !== "preorderAuthorized";
}

/** Disputed and not won back. */
export function isChargedBack({ disputedAt, disputeWon }: Sale): boolean {
  return disputedAt !== undefined && !disputeWon;
}

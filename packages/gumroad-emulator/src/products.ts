import type { Recurrence } from "./clock.ts";

/** A choice a buyer makes: a version, or a membership's tier. Its name can change; what was sold shows the new one. */
export interface Option {
  readonly id: string;
  name: string;
  /** US cents: the price with this choice. */
  readonly priceCents: number;
}

/** What every product has. */
interface ProductBase {
  readonly id: string;
  readonly name: string;
  /** US cents for one. Where options have prices, those count. */
  readonly priceCents: number;
  /** The custom slug, as in `https://acme.gumroad.com/l/…`. */
  readonly permalink: string;
  /** `short_product_id`: the slug that never changes. */
  readonly shortId: string;
  /** Default `usd`. */
  readonly currency?: string;
  /** Default false: no license keys. */
  readonly licensed?: boolean;
  /** Default false. */
  readonly physical?: boolean;
  /** Choices other than tiers. */
  readonly variants?: { readonly category: string; readonly options: readonly Option[] };
}

/** What a shop can sell. */
export type Product =
  | (ProductBase & { readonly kind: "single" })
  /** `contains` are product ids; the seller may change them. */
  | (ProductBase & { readonly kind: "bundle"; readonly contains: string[] })
  /** Charged each period; `charges` makes it a fixed-length one, which ends after so many. */
  | (ProductBase & { readonly kind: "membership"; readonly recurrence: Recurrence; readonly tiers: readonly Option[];
    readonly freeTrialDays?: number; readonly charges?: number })
  /** The price in so many monthly charges. */
  | (ProductBase & { readonly kind: "instalments"; readonly charges: number })
  /** Charged on release. Epoch milliseconds. */
  | (ProductBase & { readonly kind: "preorder"; readonly releaseAt: number });

/** The products of the fixture pings. */
export function fixtureProducts(): Product[] {
  const handbook = "zGyG_1JQunZuizwqd9CP7g==";
  const dataviz = "Z7kcrf7WgiSjiBnsGYi45w==";
  return [
    { kind: "single", id: handbook, name: "Serverless Handbook", priceCents: 4900, permalink: "serverless-handbook",
      shortId: "hbkqz" },
    { kind: "single", id: dataviz, name: "React for Data Visualization", priceCents: 4900,
      permalink: "react-for-dataviz", shortId: "rctfd" },
    { kind: "membership", id: "wg2b8FhyMUKaJ6Eo3PrR5g==", name: "Pro Club", priceCents: 1000, permalink: "proclub",
      shortId: "xcbbj", recurrence: "monthly", tiers: [
        { id: "GX55Sv894YvmkaB8ZL-AfA==", name: "Basic", priceCents: 1000 },
        { id: "gs681tIDBNx7IVdT6dGc_A==", name: "Premium", priceCents: 3000 },
      ] },
    { kind: "bundle", id: "zdLk8Uz-AIidbazwzX2EkA==", name: "Everything Bundle", priceCents: 9900,
      permalink: "everything", shortId: "bndle", contains: [handbook, dataviz] },
    { kind: "instalments", id: "lnHn8l0Cn_FH_VuURa1aEw==", name: "Masterclass", priceCents: 30_000,
      permalink: "masterclass", shortId: "mstrc", charges: 3 },
  ];
}

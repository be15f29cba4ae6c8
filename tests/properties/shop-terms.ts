import fc from "fast-check";

import type { OnEnd, Policy, Product } from "../../src/access/policy.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { fixtureProducts, type Product as ShopProduct } from "gumroad-emulator/products";
import fixturePolicy from "../../fixtures/policy.ts";
import { DAY } from "../access/purchases.ts";

/** When each history begins (epoch ms). */
export const OPENING = Date.parse("2026-01-05T12:00:00Z");

/** A shop, and what its seller wants its products to give. */
export interface Market {
  readonly products: readonly ShopProduct[];
  readonly policy: Policy;
}

const option = (name: string, priceCents: number) => ({ id: `option ${name}`, name, priceCents });
const named = (id: string, priceCents: number) => ({ id, name: id, permalink: id, shortId: `short-${id}`,
  priceCents });

/** One product of each kind, and some that meet: two bundles, a product with versions, one that no policy lists. */
const PRODUCTS: readonly ShopProduct[] = [
  { kind: "single", ...named("book", 4900) },
  { kind: "single", ...named("video", 2900),
    variants: { category: "Version", options: [option("Short", 2900), option("Long", 3900)] } },
  { kind: "bundle", ...named("both", 6900), contains: ["book", "video"] },
  { kind: "bundle", ...named("only", 4000), contains: ["book"] },
  { kind: "membership", ...named("club", 1000), recurrence: "monthly",
    tiers: [option("Basic", 1000), option("Premium", 3000), option("Gold", 5000)] },
  { kind: "membership", ...named("tasting", 1000), recurrence: "monthly",
    tiers: [option("Basic", 1000), option("Premium", 3000)], freeTrialDays: 14 },
  { kind: "membership", ...named("season", 2000), recurrence: "monthly", tiers: [option("All", 2000)], charges: 3 },
  { kind: "instalments", ...named("course", 30_000), charges: 3 },
  { kind: "preorder", ...named("sequel", 3900), releaseAt: OPENING + 45 * DAY },
  { kind: "single", ...named("mug", 1500) },
];

const ROLES: readonly Product[] = [
  { id: "book", name: "Book", roles: ["reader"] },
  { id: "video", name: "Video", variant: "Version", roles: { Short: ["short"], Long: ["short", "long"] },
    otherwise: ["viewer"] },
  { id: "both", name: "Both", contains: ["book", "video"], roles: ["patron"] },
  { id: "only", name: "Only", contains: ["book"] },
  { id: "club", name: "Club", variant: "Tier",
    roles: { Basic: ["club"], Premium: ["club", "premium"], Gold: ["club", "gold"] } },
  { id: "tasting", name: "Tasting", variant: "Tier", roles: { Basic: ["taster"], Premium: ["connoisseur"] } },
  { id: "season", name: "Season", roles: ["season"] },
  { id: "course", name: "Course", roles: ["student"], plan: "instalments" },
  { id: "sequel", name: "Sequel", roles: ["reader", "follower"] },
];

const consequence = fc.constantFrom("keep" as const, "remove" as const);
const onEnd: fc.Arbitrary<OnEnd> = fc.oneof(fc.constant("keep" as const),
  fc.integer({ min: 0, max: 10 }).map((graceDays) => ({ graceDays })));
const someTerms: fc.Arbitrary<SomeTerms> = fc.record({ onRefund: consequence, onPartialRefund: consequence,
  onDispute: consequence, onEnd }, { requiredKeys: [] });

type SomeTerms = Pick<Product, "onRefund" | "onPartialRefund" | "onDispute" | "onEnd">;

/**
 * What the seller says of the products, in their order; null: the shop of the fixtures, with the policy that ships.
 */
export type AllTerms = readonly SomeTerms[] | null;

/** Any terms. */
export const anyTerms: fc.Arbitrary<AllTerms> = fc.option(
  fc.array(someTerms, { minLength: ROLES.length, maxLength: ROLES.length }),
  { freq: 5 },
);

/** The shop of the fixtures, or the tests' own with these terms. */
export function marketOf(terms: AllTerms): Market {
  if (terms === null) return { products: fixtureProducts(), policy: fixturePolicy };
  return { products: PRODUCTS,
    policy: defineProducts(ROLES.map((product, index) => ({ ...product, ...terms[index] }))) };
}

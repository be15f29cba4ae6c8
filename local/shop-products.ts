import { createHash } from "node:crypto";

import { fixtureProducts, type Product as ShopProduct } from "gumroad-emulator/products";

import type { Policy, Product } from "../src/access/policy.ts";

/** US cents: a policy knows no prices. */
const PRICE = 4_900;
/** A policy doesn't say in how many payments; the sample's has three. */
const INSTALMENTS = 3;

/**
 * What the local shop sells: the seller's own products and nothing else. Those of the fixtures are sold as the
 * fixtures have them; of all others the policy decides what they are. A product that says what happens at its end
 * ("onEnd"), or whose variant is "Tier", is a membership.
 */
export function shopProducts(policy: Policy): ShopProduct[] {
  const known = new Map(fixtureProducts().map((product) => [product.id, product]));
  return [...policy.values()].map((product) => {
    const sold = shopProduct(product);
    const fixture = known.get(product.id);
    return fixture !== undefined && sameOffer(fixture, sold) ? fixture : sold;
  });
}

function shopProduct(product: Product): ShopProduct {
  const { id, name } = product;
  const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
  const shortId = idOf(id).slice(0, 6).toLowerCase();
  const base = { id, name, priceCents: PRICE, permalink: slug === "" ? shortId : slug, shortId };
  if ("contains" in product) return { kind: "bundle", ...base, contains: [...product.contains] };
  if (product.plan === "instalments") return { kind: "instalments", ...base, charges: INSTALMENTS };
  const options = "variant" in product
    ? Object.keys(product.roles).map((option) => ({ id: `${idOf(id + option)}==`, name: option, priceCents: PRICE }))
    : [];
  if (("variant" in product && product.variant === "Tier") || product.onEnd !== undefined) {
    return { kind: "membership", ...base, recurrence: "monthly",
      tiers: options.length > 0 ? options : [{ id: `${idOf(name)}==`, name, priceCents: PRICE }] };
  }
  return { kind: "single", ...base,
    ...("variant" in product ? { variants: { category: product.variant, options } } : {}) };
}

/** Whether what the policy says of a product is what the fixtures sell under its id. */
function sameOffer(fixture: ShopProduct, sold: ShopProduct): boolean {
  const offer = (product: ShopProduct): string =>
    JSON.stringify([product.kind, product.kind === "membership" ? product.tiers.map(({ name }) => name).sort() : [],
      product.kind === "bundle" ? [...product.contains].sort() : [], product.variants?.options.map(({ name }) =>
        name
      ).sort() ?? []]);
  return offer(fixture) === offer(sold);
}

/** 22 characters as Gumroad's ids have, the same at every start. */
function idOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}

import type { Option, Product } from "./products.ts";
import type { Shop } from "./shop.ts";

/** A product as the API shows it. */
export function productJson(shop: Shop, product: Product): Record<string, unknown> {
  const tiers = product.kind === "membership" ? [{ title: "Tier", options: product.tiers.map(optionJson) }] : [];
  const variants = product.variants === undefined
    ? []
    : [{ title: product.variants.category, options: product.variants.options.map(optionJson) }];
  return { id: product.id, name: product.name, description: null, price: product.priceCents,
    currency: product.currency ?? "usd", short_url: `https://${shop.subdomain}.gumroad.com/l/${product.permalink}`,
    custom_permalink: product.permalink === product.shortId ? null : product.permalink,
    published: !shop.deleted.has(product.id), deleted: shop.deleted.has(product.id),
    subscription_duration: product.kind === "membership" ? product.recurrence : null,
    is_tiered_membership: product.kind === "membership",
    recurrences: product.kind === "membership" ? [product.recurrence] : null, variants: [...tiers, ...variants],
    ...(product.kind === "bundle"
      ? {
        bundle_products: product.contains.map((id) => ({ product_id: id, name: shop.product(id).name, quantity: 1 })),
      }
      : {}),
    ...(product.kind === "preorder"
      ? { is_preorder: true, is_in_preorder_state: !shop.released.has(product.id),
        release_at: new Date(product.releaseAt).toISOString() }
      : {}) };
}

/** Names only: the API gives no ids of options. */
function optionJson({ name }: Option): Record<string, unknown> {
  return { name, price_difference: 0, is_pay_what_you_want: false, recurrence_prices: null, url: null };
}

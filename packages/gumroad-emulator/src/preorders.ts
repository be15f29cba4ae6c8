import type { Product } from "./products.ts";
import type { Sale } from "./sale.ts";
import { enterSale } from "./enter-sale.ts";
import { ShopError } from "./shop-error.ts";
import type { Shop } from "./shop.ts";

type PreorderProduct = Extract<Product, { kind: "preorder" }>;

/** Narrows to a preorder product. Throws BAD_REQUEST. */
export function requirePreorderProduct(product: Product): asserts product is PreorderProduct {
  if (product.kind !== "preorder") throw new ShopError("BAD_REQUEST", `${product.name} is no preorder product`);
}

/** Notes an authorization, to be charged at the product's release. */
export function takePreorder(shop: Shop, sale: Sale): void {
  shop.preorders.set(sale.id, { state: "authorized", declined: false });
}

/** Puts the releases of the shop's preorder products into the agenda. */
export function scheduleReleases(shop: Shop): void {
  for (const product of shop.products.values()) if (product.kind === "preorder") scheduleRelease(shop, product);
}

/** Puts one product's release into the agenda. */
export function scheduleRelease(shop: Shop, product: PreorderProduct): void {
  shop.later(product.releaseAt, () => {
    if (!shop.released.has(product.id) && !shop.deleted.has(product.id)) releasePreorder(shop, product.id);
  });
}

/** Releases a product now: each authorization is charged, as a new sale with another id. Returns these sales. */
export function releasePreorder(shop: Shop, productId: string): Sale[] {
  const product = shop.product(productId);
  requirePreorderProduct(product);
  if (shop.released.has(product.id)) throw new ShopError("NOT_POSSIBLE_NOW", `${product.name} is released already`);
  shop.released.add(product.id);
  const authorizations = [...shop.sales.values()].filter((sale) =>
    sale.productId === product.id && sale.state === "preorderAuthorized"
  );
  return authorizations.flatMap((authorization) => {
    const preorder = shop.preorders.get(authorization.id);
    if (preorder?.state !== "authorized") return [];
    preorder.state = preorder.declined ? "failed" : "charged";
    if (preorder.declined) return [];
    const sale: Sale = { ...authorization, id: shop.ids.next(), sequence: shop.nextSequence(),
      orderNumber: shop.ids.order(), state: "charged", createdAt: shop.now(), cart: shop.nextSequence(),
      urlParams: [] };
    shop.preorders.set(sale.id, preorder);
    enterSale(shop, sale);
    return [sale];
  });
}

/** The card behind an authorization is bad: at the release nothing comes, and nothing is told. */
export function failPreorder(shop: Shop, saleOrId: Sale | string): Sale {
  const sale = shop.sale(saleOrId);
  const preorder = shop.preorders.get(sale.id);
  if (sale.state !== "preorderAuthorized" || preorder?.state !== "authorized") {
    throw new ShopError("NOT_POSSIBLE_NOW", "This is no preorder that waits for its release");
  }
  preorder.declined = true;
  return sale;
}

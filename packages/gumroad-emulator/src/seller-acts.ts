import { cancelAtOnce } from "./billing.ts";
import type { Sale } from "./sale.ts";
import { ShopError } from "./shop-error.ts";
import type { Shop } from "./shop.ts";
import { isAlive } from "./subscription.ts";
import type { Subscription } from "./subscription.ts";

/** The seller deletes a product: every subscriber is cancelled and ended at once. Returns these subscriptions. */
export function deleteProduct(shop: Shop, productId: string): Subscription[] {
  const product = shop.product(productId);
  shop.deleted.add(product.id);
  const cancelled = [...shop.subscriptions.values()].filter((subscription) =>
    subscription.productId === product.id && isAlive(subscription, shop.now())
  );
  for (const subscription of cancelled) cancelAtOnce(shop, subscription, "seller");
  return cancelled;
}

/**
 * The seller edits the email of one purchase. Told to nobody; a subscription's later charges go by its first purchase.
 */
export function changeEmail(shop: Shop, saleOrId: Sale | string, email: string): Sale {
  const sale = shop.sale(saleOrId);
  sale.email = email;
  return sale;
}

/**
 * A buyer gives their Gumroad account another email. Told to nobody; later charges of their subscriptions carry it.
 */
export function changeAccountEmail(shop: Shop, from: string, to: string): void {
  const account = shop.findAccount(from);
  if (account === undefined) throw new ShopError("BAD_REQUEST", "No buyer has an account with this email");
  account.email = to;
}

/**
 * The seller takes a buyer's access away by hand, or gives it back. Told to nobody. Throws NOT_POSSIBLE_NOW for a sale
 * that was refunded, is sent by mail, or belongs to a subscription.
 */
export function setAccessRevoked(shop: Shop, saleOrId: Sale | string, revoked: boolean): Sale {
  const sale = shop.sale(saleOrId);
  if (!canBeRevoked(shop, sale) || sale.refunded === true) {
    throw new ShopError("NOT_POSSIBLE_NOW", "Access to this sale can't be revoked");
  }
  sale.accessRevoked = revoked;
  return sale;
}

/** Whether access to such a sale can be taken away by hand: not where it is sent by mail, or of a subscription. */
export function canBeRevoked(shop: Shop, { productId, subscriptionId }: Sale): boolean {
  return subscriptionId === undefined && shop.product(productId).physical !== true;
}

/** The seller switches a license key off or on. Told to nobody. */
export function setLicenseDisabled(shop: Shop, saleOrId: Sale | string, disabled: boolean): Sale {
  const sale = shop.sale(saleOrId);
  if (sale.license === undefined) throw new ShopError("BAD_REQUEST", "This sale has no license key");
  sale.license.disabled = disabled;
  return sale;
}

/** The seller renames a tier. Told to nobody; what was sold before shows the new name too. */
export function renameTier(shop: Shop, productId: string, from: string, to: string): void {
  const product = shop.product(productId);
  const tier = product.kind === "membership" ? product.tiers.find(({ name }) => name === from) : undefined;
  if (tier === undefined) throw new ShopError("BAD_REQUEST", `${product.name} has no tier ${from}`);
  tier.name = to;
}

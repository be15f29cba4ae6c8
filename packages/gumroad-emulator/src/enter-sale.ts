import { salePing } from "./sale-ping.ts";
import type { Sale } from "./sale.ts";
import type { Shop } from "./shop.ts";

/** Enters a sale into the books and tells of it, unless it is `silent`, as a gift's giver's purchase is. */
export function enterSale(shop: Shop, sale: Sale, silent = false): void {
  shop.sales.set(sale.id, sale);
  if (sale.subscriptionId !== undefined) shop.subscription(sale.subscriptionId).saleIds.push(sale.id);
  if (!silent) shop.announce("sale", () => salePing(shop, sale, "sale"));
}

import type { Answer } from "emulator-server/refused-call";
import { success } from "./answer.ts";
import { timeText } from "./clock.ts";
import { plain } from "./form-encoding.ts";
import type { Route } from "./routes.ts";
import { salePing, variantNames } from "./sale-ping.ts";
import { isChargedBack } from "./sale.ts";
import type { Sale } from "./sale.ts";
import type { Shop } from "./shop.ts";

/**
 * `POST /licenses/verify`, which needs no token. It counts a use unless told not to; its "no" is a 404. A key is found
 * in upper and lower case alike, and one without its product's id gets a 500 that tells the id.
 */
export function licensesRoutes(shop: () => Shop): Route[] {
  return [
    { method: "POST", path: "/licenses/verify", scope: "open", answer: ({ parameters }) => {
      const productId = parameters.get("product_id");
      const key = parameters.get("license_key");
      const sale = [...shop().sales.values()].find((known) =>
        known.license !== undefined && known.license.key.toLowerCase() === key?.trimEnd().toLowerCase() &&
        !known.recurring && (productId ?? known.productId) === known.productId
      );
      if (sale !== undefined && productId === undefined) {
        const message = "The 'product_id' parameter is required to verify the license for this product. Please set " +
          `'product_id' to '${sale.productId}' in the request.`;
        return { status: 500, body: { success: false, message } };
      }
      if (sale?.license === undefined) return refusal("That license does not exist for the provided product.");
      if (sale.accessRevoked === true) {
        return refusal("Access to the purchase associated with this license has expired.");
      }
      if (sale.license.disabled) return refusal("This license key has been disabled.");
      if (parameters.get("increment_uses_count") !== "false") sale.license.uses += 1;
      return success({ uses: sale.license.uses, purchase: purchaseJson(shop(), sale) });
    } },
  ];
}

function refusal(message: string): Answer {
  return { status: 404, body: { success: false, message } };
}

/** The ping's fields, and how the purchase stands. */
function purchaseJson(shop: Shop, sale: Sale): Record<string, unknown> {
  const names = [...variantNames(sale).values()];
  const json = { ...plain(salePing(shop, sale)), id: sale.id, created_at: timeText(sale.createdAt),
    variants: names.length === 0 ? "" : `(${names.join(", ")})`,
    custom_fields: sale.customFields.map(([name, value]) => `${name}: ${String(value)}`) };
  if (sale.subscriptionId === undefined || shop.subscription(sale.subscriptionId).instalments) {
    return { ...json, refunded: sale.refunded === true, chargebacked: isChargedBack(sale) };
  }
  const { endedAt, cancelledAt, failedAt } = shop.subscription(sale.subscriptionId);
  const time = (at: number | undefined): string | null => (at === undefined ? null : timeText(at));
  return { ...json, subscription_ended_at: time(endedAt), subscription_cancelled_at: time(cancelledAt),
    subscription_failed_at: time(failedAt) };
}

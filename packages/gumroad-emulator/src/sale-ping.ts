import type { Payload, PayloadValue } from "./form-encoding.ts";
import type { Sale } from "./sale.ts";
import type { ResourceName, Shop } from "./shop.ts";
import { timeText } from "./clock.ts";

const CARD = { visual: "**** **** **** 4242", type: "visa" } as const;

/** The card fields, the same in pings and the API: the last three are always empty. */
export function cardFields(): Payload {
  return new Map<string, PayloadValue>([["visual", CARD.visual], ["type", CARD.type], ["bin", null], ["expiry_month",
    null], ["expiry_year", null]]);
}

/**
 * The fields of `sale`, `refund`, `dispute` and `dispute_won`, in wire order, with the flags of this moment. Without a
 * resource name it is what "Send test ping" and `POST /licenses/verify` tell.
 *
 * A custom field sets its own name at the top level too: over a real field that stands before it, while real fields
 * that come after it win.
 */
export function salePing(shop: Shop, sale: Sale, resourceName?: ResourceName): Payload {
  const product = shop.product(sale.productId);
  const subscription = sale.subscriptionId === undefined ? undefined : shop.subscription(sale.subscriptionId);
  const ping: Payload = new Map<string, PayloadValue>([
    ["seller_id", shop.sellerId],
    ["product_id", product.id],
    ["product_name", product.name],
    ["permalink", product.permalink],
    ["product_permalink", `https://${shop.subdomain}.gumroad.com/l/${product.permalink}`],
    ["short_product_id", product.shortId],
    ["email", sale.email],
    ["price", sale.priceCents],
    ["gumroad_fee", shop.feeCents],
    ["currency", product.currency ?? "usd"],
    ["quantity", sale.quantity],
    ["discover_fee_charged", false],
    ["can_contact", true],
    ["referrer", sale.referrer],
    ["card", cardFields()],
    ["order_number", sale.orderNumber],
    ["sale_id", sale.id],
    ["sale_timestamp", timeText(sale.createdAt)],
  ]);
  if (sale.fullName !== undefined) ping.set("full_name", sale.fullName);
  if (sale.account !== undefined) ping.set("purchaser_id", sale.account.id);
  if (subscription !== undefined) ping.set("subscription_id", subscription.id);
  if (sale.urlParams.length > 0) ping.set("url_params", new Map(sale.urlParams));
  if (sale.variants.length > 0) ping.set("variants", variantNames(sale));
  if (sale.offerCode !== undefined) ping.set("offer_code", sale.offerCode);
  if (sale.test) ping.set("test", true);
  if (sale.recurring) ping.set("is_recurring_charge", true);
  if (sale.state === "preorderAuthorized") ping.set("is_preorder_authorization", true);
  if (sale.shipping !== undefined) {
    for (const [name, value] of sale.shipping.fields) ping.set(name, value);
    ping.set("shipping_information", new Map(sale.shipping.fields));
  }
  for (const [name, value] of sale.customFields) ping.set(name, value);
  // A later charge has no custom fields of its own, but shows its subscription's under custom_fields.
  const customFields = sale.customFields.length > 0 ? sale.customFields : (subscription?.customFields ?? []);
  if (customFields.length > 0) ping.set("custom_fields", new Map(customFields));
  if (sale.license !== undefined) {
    ping.set("license_key", sale.license.key);
    if (subscription !== undefined) ping.set("is_multiseat_license", false);
  }
  if (sale.ipCountry !== undefined) ping.set("ip_country", sale.ipCountry);
  if (product.physical === true) ping.set("shipping_rate", sale.shipping?.cents ?? 0);
  if (subscription !== undefined) ping.set("recurrence", subscription.plan.recurrence);
  ping.set("is_gift_receiver_purchase", sale.state === "giftReceiver");
  if (sale.state === "giftReceiver" && sale.giftPartnerId !== undefined) {
    const giver = shop.sale(sale.giftPartnerId);
    ping.set("gift_price", giver.priceCents);
    ping.set("gifter_email", giver.email);
  }
  if (product.physical === true) ping.set("sku_id", `pid_${product.shortId}`);
  ping.set("refunded", sale.refunded === true);
  if (resourceName !== undefined) ping.set("resource_name", resourceName);
  ping.set("disputed", sale.disputedAt !== undefined);
  ping.set("dispute_won", sale.disputeWon);
  return ping;
}

/** The choices by category, with the names they have now. */
export function variantNames({ variants }: Sale): Map<string, string> {
  return new Map(variants.map(({ category, option }) => [category, option.name]));
}

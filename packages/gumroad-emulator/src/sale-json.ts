import { timeText } from "./clock.ts";
import { plain } from "./form-encoding.ts";
import { cardFields, variantNames } from "./sale-ping.ts";
import { isChargedBack } from "./sale.ts";
import type { Sale } from "./sale.ts";
import type { Shop } from "./shop.ts";
import { canBeRevoked } from "./seller-acts.ts";
import { isAlive } from "./subscription.ts";

/**
 * A sale as the API shows it. Where it differs from its ping: `email` is the account's, `purchase_email` the ping's;
 * `product_permalink` is a slug; what is nil is left out; `chargedback` is a dispute that isn't won, `disputed` any;
 * `cancelled` is true while a cancellation still waits.
 */
export function saleJson(shop: Shop, sale: Sale): Record<string, unknown> {
  const product = shop.product(sale.productId);
  const variants = variantNames(sale);
  const json: Record<string, unknown> = { id: sale.id, email: sale.account?.email ?? sale.email,
    seller_id: shop.sellerId, created_at: timeText(sale.createdAt), product_name: product.name,
    product_has_variants: product.kind === "membership" || product.variants !== undefined, price: sale.priceCents,
    gumroad_fee: shop.feeCents, is_bundle_purchase: product.kind === "bundle",
    is_bundle_product_purchase: sale.bundleSaleId !== undefined,
    subscription_duration: sale.subscriptionId === undefined
      ? undefined
      : shop.subscription(sale.subscriptionId).plan.recurrence, product_id: product.id,
    product_permalink: product.shortId, refunded: sale.refunded, partially_refunded: sale.partlyRefunded,
    chargedback: isChargedBack(sale), purchase_email: sale.email,
    giftee_email: sale.state === "giftGiver" ? partnerOf(shop, sale)?.email : undefined,
    gifter_email: sale.state === "giftReceiver" ? partnerOf(shop, sale)?.email : undefined, full_name: sale.fullName,
    ...addressOf(sale), paid: sale.priceCents !== 0, has_variants: variants.size > 0,
    variants: variants.size > 0 ? plain(variants) : undefined, has_custom_fields: sale.customFields.length > 0,
    custom_fields: plain(new Map(sale.customFields)), order_id: sale.orderNumber,
    is_product_physical: product.physical === true, purchaser_id: sale.account?.id,
    is_recurring_billing: product.kind === "membership", can_contact: true, disputed: sale.disputedAt !== undefined,
    dispute_won: sale.disputeWon, discover_fee_charged: false, is_upgrade_purchase: sale.upgrade,
    is_gift_sender_purchase: sale.state === "giftGiver", is_gift_receiver_purchase: sale.state === "giftReceiver",
    access_revoked: canBeRevoked(shop, sale) ? sale.accessRevoked : undefined, referrer: sale.referrer,
    card: plain(cardFields()), ...subscriptionFields(shop, sale), ...preorderFields(shop, sale),
    offer_code: sale.offerCode === undefined ? undefined : { code: sale.offerCode, name: sale.offerCode },
    license_key: sale.license?.key, license_disabled: sale.license?.disabled,
    is_multiseat_license: sale.license === undefined ? undefined : false, quantity: sale.quantity };
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== undefined));
}

function partnerOf(shop: Shop, { giftPartnerId }: Sale): Sale | undefined {
  return giftPartnerId === undefined ? undefined : shop.sale(giftPartnerId);
}

function addressOf({ shipping }: Sale): Record<string, string> {
  return Object.fromEntries((shipping?.fields ?? []).filter(([name]) => name !== "full_name"));
}

function subscriptionFields(shop: Shop, { subscriptionId, recurring }: Sale): Record<string, unknown> {
  if (subscriptionId === undefined) return {};
  const subscription = shop.subscription(subscriptionId);
  const { cancelledAt, failedAt, endedAt, freeTrialEndsAt } = subscription;
  return { subscription_id: subscription.id, cancelled: cancelledAt !== undefined || failedAt !== undefined,
    dead: !isAlive(subscription, shop.now()), ended: endedAt !== undefined,
    free_trial_ended: freeTrialEndsAt === undefined ? null : freeTrialEndsAt <= shop.now(),
    recurring_charge: recurring };
}

function preorderFields(shop: Shop, sale: Sale): Record<string, unknown> {
  const preorder = shop.preorders.get(sale.id);
  if (preorder === undefined) return {};
  return { preorder_cancelled: false, is_preorder_authorization: sale.state === "preorderAuthorized",
    is_in_preorder_state: !shop.released.has(sale.productId) };
}

import { randomBytes } from "node:crypto";

import type { GumroadEmulator } from "gumroad-emulator";
import type { Product } from "gumroad-emulator/products";
import type { Sale } from "gumroad-emulator/sale";
import type { Subscription } from "gumroad-emulator/subscription";
import { ShopError } from "gumroad-emulator/shop-error";
import { escaped, moment } from "./layout.ts";

const DAY_MS = 24 * 60 * 60_000;
/** Sales shown; the newest first. */
const SHOWN = 50;

/** What a form of the shop asks for. Gives what was wrong, or null. */
export async function shopAct(shop: GumroadEmulator, act: string, form: URLSearchParams): Promise<string | null> {
  const field = (name: string): string => form.get(name)?.trim() ?? "";
  const sale = field("sale");
  const subscription = field("subscription");
  try {
    switch (act) {
      case "sell":
        sell(shop, field);
        break;
      case "refund":
        if (isGift(shop, sale)) shop.refundGift(sale);
        else shop.refund(sale);
        break;
      case "dispute":
        shop.dispute(sale);
        break;
      case "dispute-won":
        shop.disputeWon(sale);
        break;
      case "cancel":
        shop.cancel(subscription);
        break;
      case "restart":
        shop.restart(subscription);
        break;
      case "fail-payment":
        shop.failPayment(subscription);
        break;
      case "tier":
        changeTier(shop, subscription, field("tier"));
        break;
      case "preorder":
        takePreorders(shop, field("product"));
        break;
      case "release":
        shop.releasePreorder(field("product"));
        break;
      case "move-time":
        await shop.advance(Math.min(Number(field("days")) || 0, 400) * DAY_MS);
        break;
      default:
        return "The shop knows no such act.";
    }
  } catch (error) {
    if (error instanceof ShopError) return error.message;
    throw error;
  }
  await shop.settled();
  return null;
}

/** As Gumroad's: four groups of eight hexadecimal digits. */
function licenseKey(): string {
  return Array.from({ length: 4 }, () => randomBytes(4).toString("hex").toUpperCase()).join("-");
}

function sell(shop: GumroadEmulator, field: (name: string) => string): void {
  const [email, to, tier] = [field("email"), field("to"), field("tier")];
  if (!email.includes("@")) throw new ShopError("BAD_REQUEST", "An email is needed.");
  const isGiven = field("how") === "gift";
  if (isGiven && !to.includes("@")) throw new ShopError("BAD_REQUEST", "Whom is the gift for? Fill in their email.");
  shop.sell({ product: field("product"), email, ids: { licenseKey: licenseKey() }, ...(tier === "" ? {} : { tier }),
    ...(isGiven ? { gift: { to } } : {}) });
}

/** Turns a product that nobody bought yet into one that is paid at its release. */
function takePreorders(shop: GumroadEmulator, id: string): void {
  const product = shop.products.find((one) => one.id === id);
  if (product?.kind !== "single" || isSold(shop, id)) throw new ShopError("BAD_REQUEST", "It is sold already.");
  shop.addProduct({ ...product, kind: "preorder", releaseAt: shop.now() + 31 * DAY_MS });
}

function isSold(shop: GumroadEmulator, id: string): boolean {
  return shop.sales.some(({ productId }) => productId === id);
}

/** The better tier is an upgrade, which counts at once; the other a downgrade, which waits for the period's end. */
function changeTier(shop: GumroadEmulator, id: string, tier: string): void {
  const subscription = shop.subscriptions.find((one) => one.id === id);
  const product = shop.products.find((one) => one.id === subscription?.productId);
  const price = product?.kind === "membership"
    ? product.tiers.find(({ name }) => name === tier)?.priceCents
    : undefined;
  if (subscription === undefined || price === undefined) throw new ShopError("BAD_REQUEST", "There is no such tier.");
  if (price > subscription.plan.priceCents) shop.upgrade(id, { tier });
  else shop.downgrade(id, { tier });
}

function isGift(shop: GumroadEmulator, id: string): boolean {
  return shop.sales.find((sale) => sale.id === id)?.giftPartnerId !== undefined;
}

/** The shop: what it sells, and what it sold. `wanted` is the slug of the product that comes first. */
export function shopPage(shop: GumroadEmulator, wanted: string, fault: string | null): string {
  const products = [...shop.products].sort((a, b) => Number(b.permalink === wanted) - Number(a.permalink === wanted));
  const sales = [...shop.sales].reverse().slice(0, SHOWN);
  return `${fault === null ? "" : `<p class="fault" role="alert">${escaped(fault)}</p>`}
<p>It is ${moment(shop.now())} here.</p><div class="inline">${
    [1, 7, 31].map((days) =>
      button("move-time", { days: String(days) }, `Move time by ${String(days)} ${days === 1 ? "day" : "days"}`)
    ).join(" ")
  }</div>
<div class="grid">${products.map((product) => region(shop, product)).join("\n")}</div>
<h2>Sales</h2>
<div class="table"><table><thead><tr><th scope="col">When</th><th scope="col">Product</th><th scope="col">Buyer</th>
<th scope="col">Licence key</th><th scope="col">State</th><th scope="col">Acts</th></tr></thead>
<tbody>${sales.map((sale) => row(shop, sale)).join("\n")}</tbody></table></div>`;
}

function region(shop: GumroadEmulator, product: Product): string {
  const id = `product-${product.permalink}`;
  const tiers = product.kind === "membership" ? product.tiers : [];
  const choice = tiers.length === 0
    ? ""
    : `<label>Tier<select name="tier">${
      tiers.map(({ name }) => `<option>${escaped(name)}</option>`).join("")
    }</select></label>`;
  const isGiveable = product.kind === "single" || product.kind === "bundle";
  return `<section aria-labelledby="${id}"><h2 id="${id}">${escaped(product.name)}</h2>
<p>${escaped(offerOf(product))}</p>
<form method="post" action="/shop/sell"><input type="hidden" name="product" value="${escaped(product.id)}">
<label>Email<input type="email" name="email" required value="zoe@example.com"></label>${choice}
<span class="inline"><button name="how" value="buy">Buy</button></span>
${
    isGiveable
      ? `<label>A gift for<input type="email" name="to" placeholder="may@example.com"></label>
<span class="inline"><button name="how" value="gift">Buy as a gift</button></span>`
      : ""
  }</form>${
    product.kind === "preorder"
      ? button("release", { product: product.id }, "Release it now")
      : product.kind === "single" && !isSold(shop, product.id)
      ? button("preorder", { product: product.id }, "Take preorders")
      : ""
  }</section>`;
}

/** What is sold, and how it is paid. */
function offerOf(product: Product): string {
  const price = `$${(product.priceCents / 100).toFixed(2)}`;
  switch (product.kind) {
    case "instalments":
      return `${price} in ${String(product.charges)} instalments, one a month`;
    case "preorder":
      return `preorder, ${price} when it is released, on ${moment(product.releaseAt).slice(0, 10)}`;
    case "membership":
      return `membership, ${product.recurrence}`;
    case "single":
    case "bundle":
      return `${product.kind}, ${price}`;
  }
}

function row(shop: GumroadEmulator, sale: Sale): string {
  const subscription = shop.subscriptions.find(({ id }) => id === sale.subscriptionId);
  const product = shop.products.find(({ id }) => id === sale.productId);
  const state = [
    sale.refunded === true ? "refunded" : sale.partlyRefunded === true ? "partly refunded" : "paid",
    ...(sale.disputedAt === undefined ? [] : [sale.disputeWon ? "dispute won" : "disputed"]),
    ...(sale.state === "giftReceiver" ? ["a gift received"] : sale.state === "giftGiver" ? ["a gift given"] : []),
    ...(sale.bundleSaleId === undefined ? [] : ["came with a bundle"]),
    ...(sale.state === "preorderAuthorized" ? ["preordered"] : []),
    ...(subscription === undefined ? [] : [stateOf(subscription, shop.now())]),
  ];
  const acts = [
    button("refund", { sale: sale.id }, "Refund"),
    sale.disputedAt === undefined
      ? button("dispute", { sale: sale.id }, "Dispute")
      : button("dispute-won", { sale: sale.id }, "Dispute won"),
    ...(subscription === undefined || sale.recurring ? [] : subscriptionActs(subscription, product)),
  ];
  return `<tr><td>${moment(sale.createdAt)}</td><td>${escaped(product?.name ?? "")}</td><td>${escaped(sale.email)}</td>
<td><code>${escaped(sale.license?.key ?? "")}</code></td><td>${escaped(state.join(", "))}</td><td>${
    acts.join(" ")
  }</td></tr>`;
}

function stateOf({ plan, deactivatedAt, cancelledAt, failedAt }: Subscription, now: number): string {
  const tier = plan.tier === undefined ? "" : `${plan.tier.name}, `;
  if (deactivatedAt !== undefined && deactivatedAt <= now) return `${tier}ended`;
  return `${tier}${
    cancelledAt !== undefined ? "cancelled, runs out" : failedAt !== undefined ? "payment failed" : "running"
  }`;
}

function subscriptionActs({ id, plan }: Subscription, product: Product | undefined): readonly string[] {
  const tiers = product?.kind === "membership" ? product.tiers.filter(({ name }) => name !== plan.tier?.name) : [];
  return [
    button("cancel", { subscription: id }, "Cancel"),
    button("restart", { subscription: id }, "Restart"),
    button("fail-payment", { subscription: id }, "Fail a payment"),
    ...tiers.map(({ name }) => button("tier", { subscription: id, tier: name }, `Change to ${name}`)),
  ];
}

function button(act: string, fields: Readonly<Record<string, string>>, text: string): string {
  const hidden = Object.entries(fields).map(([name, value]) =>
    `<input type="hidden" name="${name}" value="${escaped(value)}">`
  );
  return `<form method="post" action="/shop/${act}">${hidden.join("")}<button>${escaped(text)}</button></form>`;
}

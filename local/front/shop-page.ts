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
/** Else somebody would wait for the lesson to lock. */
const GIFT_REFUNDS = "Gumroad tells nobody that a gift was refunded: it closes where purchases are read back " +
  "(npm start -- --read-back), and stays open where pings are taken on trust.";

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
        shop.cancel(subscription, isInstalments(shop, subscription) ? "seller" : "buyer");
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
        await shop.advance(Math.min(Math.max(Number(field("days")) || 0, 0), 400) * DAY_MS);
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
  const [email, to, tier, option] = [field("email"), field("to"), field("tier"), field("option")];
  if (!email.includes("@")) throw new ShopError("BAD_REQUEST", "An email is needed.");
  const isGiven = field("how") === "gift";
  if (isGiven && !to.includes("@")) throw new ShopError("BAD_REQUEST", "Whom is the gift for? Fill in their email.");
  shop.sell({ product: field("product"), email, ids: { licenseKey: licenseKey() }, ...(tier === "" ? {} : { tier }),
    ...(option === "" ? {} : { variants: { [field("category")]: option } }), ...(isGiven ? { gift: { to } } : {}) });
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

/** Gumroad lets no buyer cancel an instalment plan. */
function isInstalments(shop: GumroadEmulator, id: string): boolean {
  return shop.subscriptions.find((subscription) => subscription.id === id)?.instalments === true;
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
<div class="grid">${products.map((product, place) => region(shop, product, place)).join("\n")}</div>
<h2>Sales</h2>${sales.some(({ state }) => state === "giftReceiver") ? `<p>${GIFT_REFUNDS}</p>` : ""}
<div class="table"><table><thead><tr><th scope="col">When</th><th scope="col">Product</th><th scope="col">Buyer</th>
<th scope="col">Licence key</th><th scope="col">State</th><th scope="col">Acts</th></tr></thead>
<tbody>${sales.map((sale) => row(shop, sale)).join("\n")}</tbody></table></div>`;
}

function region(shop: GumroadEmulator, product: Product, place: number): string {
  // What somebody named is no id.
  const id = `product-${String(place)}`;
  const unreleased = product.kind === "preorder" && !shop.released.has(product.id);
  return `<section aria-labelledby="${id}"><h2 id="${id}">${escaped(product.name)}</h2>
<p>${escaped(offerOf(product, !unreleased))}</p>
<form method="post" action="/shop/sell"><input type="hidden" name="product" value="${escaped(product.id)}">
<label>Email<input type="email" name="email" required value="zoe@example.com"></label>${choiceOf(product)}
<span class="inline"><button name="how" value="buy">Buy</button></span>
<label>A gift for<input type="email" name="to" placeholder="may@example.com"></label>
<span class="inline"><button name="how" value="gift"${
    notNow(unreleased ? "A preorder can't be given as a gift" : null)
  }>Buy as a gift</button></span></form>${
    unreleased
      ? button("release", { product: product.id }, "Release it now")
      : product.kind === "single" && !isSold(shop, product.id)
      ? button("preorder", { product: product.id }, "Take preorders")
      : ""
  }</section>`;
}

/** What a buyer chooses: a tier, or another option. */
function choiceOf(product: Product): string {
  const select = (label: string, name: string, options: readonly { readonly name: string }[]) =>
    `<label>${escaped(label)}<select name="${name}">${
      options.map((option) => `<option>${escaped(option.name)}</option>`).join("")
    }</select></label>`;
  if (product.kind === "membership") return product.tiers.length === 0 ? "" : select("Tier", "tier", product.tiers);
  if (product.variants === undefined) return "";
  const { category, options } = product.variants;
  return `<input type="hidden" name="category" value="${escaped(category)}">${select(category, "option", options)}`;
}

/** What is sold, and how it is paid. */
function offerOf(product: Product, isReleased: boolean): string {
  const price = `$${(product.priceCents / 100).toFixed(2)}`;
  switch (product.kind) {
    case "instalments":
      return `${price} in ${String(product.charges)} instalments, one a month`;
    case "preorder":
      return isReleased
        ? price
        : `preorder, ${price} when it is released, on ${moment(product.releaseAt).slice(0, 10)}`;
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
    button("refund", { sale: sale.id }, "Refund", whyNoRefund(sale)),
    button("dispute", { sale: sale.id }, "Dispute", whyNoDispute(sale)),
    ...(sale.disputedAt === undefined || sale.disputeWon ? [] : [
      button("dispute-won", { sale: sale.id }, "Dispute won"),
    ]),
    button("cancel", { subscription: subscription?.id ?? "" }, "Cancel", whyNoCancel(subscription, shop.now())),
    ...(subscription === undefined || sale.recurring || sale.state === "giftGiver"
      ? []
      : subscriptionActs(subscription, product)),
  ];
  return `<tr><td>${moment(sale.createdAt)}</td><td>${escaped(product?.name ?? "")}</td><td>${escaped(sale.email)}</td>
<td><code>${escaped(sale.license?.key ?? "")}</code></td><td>${escaped(state.join(", "))}</td><td>${
    acts.join(" ")
  }</td></tr>`;
}

/** Why a sale can't be refunded; null: it can be. */
function whyNoRefund({ state, refunded, bundleSaleId, giftPartnerId }: Sale): string | null {
  if (refunded === true) return "All of it was refunded";
  if (state === "preorderAuthorized" || state === "freeTrial") return "Nothing was charged yet";
  return bundleSaleId === undefined || giftPartnerId !== undefined ? null : "It came with a bundle: refund that";
}

function whyNoDispute({ state, disputedAt }: Sale): string | null {
  if (disputedAt !== undefined) return "It was disputed before";
  return state === "preorderAuthorized" || state === "freeTrial" ? "Nothing was charged yet" : null;
}

function whyNoCancel(subscription: Subscription | undefined, now: number): string | null {
  if (subscription === undefined) return "It was paid at once: only what is paid again and again can be cancelled";
  const { cancelledAt, deactivatedAt } = subscription;
  if (deactivatedAt !== undefined && deactivatedAt <= now) return "It has ended";
  return cancelledAt === undefined ? null : "It is cancelled already";
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
    button("restart", { subscription: id }, "Restart"),
    button("fail-payment", { subscription: id }, "Fail a payment"),
    ...tiers.map(({ name }) => button("tier", { subscription: id, tier: name }, `Change to ${name}`)),
  ];
}

/** `why`: it can't be pressed, for this reason. */
function button(act: string, fields: Readonly<Record<string, string>>, text: string,
  why: string | null = null): string {
  const hidden = Object.entries(fields).map(([name, value]) =>
    `<input type="hidden" name="${name}" value="${escaped(value)}">`
  );
  return `<form method="post" action="/shop/${act}">${hidden.join("")}<button${notNow(why)}>${
    escaped(text)
  }</button></form>`;
}

function notNow(why: string | null): string {
  return why === null ? "" : ` disabled title="${escaped(why)}"`;
}

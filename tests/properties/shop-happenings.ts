import type { Decision } from "../../src/access/facts.ts";
import type { Product as Terms } from "../../src/access/policy.ts";
import type { ShopActs } from "gumroad-emulator/acts";
import type { Order } from "gumroad-emulator/order";
import type { Option, Product } from "gumroad-emulator/products";
import { isChargedBack, type Sale } from "gumroad-emulator/sale";
import type { Subscription } from "gumroad-emulator/subscription";
import { DAY } from "../access/purchases.ts";
import { isToldTogether } from "./shop-truth.ts";

/** How a history is told: by pings taken at their word, or with Gumroad's API beside them, and by operators too. */
export type Telling = "pings" | "read back" | "operators";

/** A shop at the moment when something happens, with one thing of each kind picked out. */
export interface Scene {
  readonly acts: ShopActs;
  readonly telling: Telling;
  readonly now: number;
  readonly sales: readonly Sale[];
  readonly products: readonly Product[];
  readonly product: Product;
  /** One that money was paid for. */
  readonly sale: Sale;
  /** Any row of the books. */
  readonly row: Sale;
  readonly subscription: Subscription;
  readonly subscriptions: readonly Subscription[];
  readonly email: string;
  /** Somebody else. */
  readonly other: string;
  /** Picks among several. */
  readonly which: number;
  termsOf(productId: string): Terms | undefined;
  pass(milliseconds: number): void;
  resend(sale: Sale): void;
  /** The seller renames a tier: to what no policy lists, to what reads the same, or back. */
  rename(productId: string, tier: Option, which: number): void;
  /** Whether a tier has the name that it had first, as people read it. */
  isAsEver(tier: Option | undefined): boolean;
  /** Somebody with the ping URL tells of a change of plan to a tier that there isn't. */
  makeUp(subscription: Subscription, which: number): void;
  /** Likewise to a tier that there is. */
  forge(subscription: Subscription, tier: Option): void;
  /** Gumroad's support moves a purchase to another email. */
  changeEmail(sale: Sale): void;
  /** An operator decides about a purchase. */
  decide(sale: Sale, decision: Decision): void;
  /** An operator gives somebody a role for nothing, or takes it back. */
  grant(email: string, decision: Decision): void;
}

const MINUTE = 60_000;

/** What can happen. Where there is nothing that it could happen to, or Gumroad would refuse it, it doesn't. */
export const HAPPENINGS = { buy: (scene) => {
  buy(scene);
}, "buy several": (scene) => {
  buy(scene, { quantity: 1 + (scene.which % 3) });
}, "buy two at once": (scene) => {
  if (!isUnclear(scene)) scene.acts.sellCart([orderOf(scene, scene.product), orderOf(scene, otherProduct(scene))]);
}, "buy for nothing": (scene) => {
  buy(scene, { priceCents: 0 });
}, "buy as the seller": (scene) => {
  buy(scene, { test: true });
}, give: (scene) => {
  // By pings alone a person has to decide which of two gifts was disputed.
  if (scene.telling !== "pings" || !isAgain(scene, "giftGiver", scene.email)) {
    buy(scene, { gift: { to: scene.other } });
  }
}, refund: ({ acts, sale, telling }) => {
  if (telling !== "pings" || sale.giftPartnerId === undefined) acts.refund(sale);
}, "refund half": ({ acts, sale, telling }) => {
  if (telling !== "pings" || sale.giftPartnerId === undefined) acts.refund(sale, { partial: true });
}, "refund a gift": ({ acts, sale, telling }) => {
  if (telling !== "pings") acts.refundGift(sale);
}, "take a refund back": ({ acts, sale, telling }) => {
  if (telling !== "pings") acts.reverseRefund(sale);
}, dispute: ({ acts, sale }) => void acts.dispute(sale),
  "win a dispute": ({ acts, sale, sales, telling, termsOf, products }) => {
    // Of a refunded sale no ping tells that the dispute was won: it matters where a refund is kept.
    const isUntold = sales.some(({ cart, refunded, productId }) =>
      cart === sale.cart && refunded === true &&
      (termsOf(productId)?.onRefund === "keep" || termsOf(productId)?.onDispute === "remove")
    );
    if (telling !== "pings" || (!isUntold && !isFixed(products, sale.productId))) acts.disputeWon(sale);
  }, cancel: ({ acts, subscription }) => void acts.cancel(subscription),
  "cancel as the seller": ({ acts, subscription }) => void acts.cancel(subscription, "seller"),
  end: ({ acts, subscription }) => void acts.end(subscription),
  restart: ({ acts, subscription, telling, products }) => {
    if (telling !== "pings" || !isFixed(products, subscription.productId)) acts.restart(subscription);
  }, renew: ({ acts, subscription }) => {
    // Nobody is charged ahead of time but for an upgrade, which drops a downgrade that waits.
    if (subscription.pendingPlan === undefined) acts.renew(subscription);
  }, upgrade: (scene) => void scene.acts.upgrade(scene.subscription, { tier: tierOf(scene, "dearer") }),
  "upgrade the period": ({ acts, subscription }) =>
    void acts.upgrade(subscription, { recurrence: "yearly", priceCents: subscription.plan.priceCents * 10 }),
  "upgrade the seats": ({ acts, subscription }) =>
    void acts.upgrade(subscription, { quantity: subscription.plan.quantity + 1 }), downgrade: (scene) => {
    const { acts, subscription, products, isAsEver } = scene;
    const product = products.find(({ id }) => id === subscription.productId);
    const isRenamed = product?.kind === "membership" && !product.tiers.every(isAsEver);
    if (!isRenamed && canDowngrade(scene)) acts.downgrade(subscription, { tier: tierOf(scene, "cheaper") });
  }, "change seats": ({ acts, subscription, which }) => {
    // Never back to as many as before, nor while a downgrade waits: then no ping tells whether an upgrade dropped it.
    if (subscription.pendingPlan === undefined) {
      acts.changeSeats(subscription, subscription.plan.quantity + 1 + (which % 3));
    }
  }, "fail to pay": ({ acts, subscription }) => {
    if (subscription.pendingPlan === undefined) acts.failPayment(subscription);
  }, "fail to pay later": ({ acts, subscription }) => {
    if (subscription.pendingPlan === undefined) acts.failPayment(subscription, { atNextCharge: true });
  }, release: ({ acts, product }) => void acts.releasePreorder(product.id), "fail a preorder": ({ acts, sales }) => {
    const preorder = sales.find(({ state }) => state === "preorderAuthorized");
    if (preorder !== undefined) acts.failPreorder(preorder);
  }, "add to a bundle": ({ acts, products, which }) => {
    const bundles = products.filter(({ kind }) => kind === "bundle");
    const singles = products.filter(({ kind }) => kind === "single");
    acts.addToBundle(bundles[which % bundles.length]?.id ?? "", singles[which % singles.length]?.id ?? "");
  }, "revoke access": ({ acts, sale, telling }) => {
    if (telling !== "pings") acts.revokeAccess(sale);
  }, "give access back": ({ acts, sale, telling }) => {
    if (telling !== "pings") acts.restoreAccess(sale);
  }, "rename a tier": ({ rename, products, subscription, subscriptions, telling, which }) => {
    const product = products.find(({ id }) => id === subscription.productId);
    if (telling === "pings" || product?.kind !== "membership" || product.freeTrialDays !== undefined) return;
    // A downgrade told by one name and due under another: what it comes to, only the next charge tells.
    const waits = subscriptions.some(({ productId, pendingPlan }) => productId === product.id && pendingPlan);
    const tier = product.tiers[which % product.tiers.length];
    if (!waits && tier !== undefined) rename(product.id, tier, which);
  }, "make up a change of plan": ({ makeUp, subscription, which }) => {
    makeUp(subscription, which);
  }, "forge an upgrade": ({ forge, subscription, products, which }) => {
    const product = products.find(({ id }) => id === subscription.productId);
    // In a trial, the books don't say when the plan was changed after that.
    const others = product?.kind === "membership" && product.freeTrialDays === undefined
      ? product.tiers.filter(({ id }) => id !== subscription.plan.tier?.id)
      : [];
    const tier = others[which % others.length];
    if (tier !== undefined) forge(subscription, tier);
  }, "change a purchase's email": ({ changeEmail, row, telling }) => {
    // By pings alone, a giver's dispute is then under an email that no gift names.
    if (telling !== "pings" || row.state !== "giftGiver") changeEmail(row);
  }, "change the account's email": ({ acts, email, which }) => {
    acts.changeAccountEmail(email, `${String(which % 2)}.${email}`);
  }, "delete a product": ({ acts, subscription, which }) => {
    if (which === 0) acts.deleteProduct(subscription.productId);
  }, "resend a ping": ({ resend, row, sales, telling, termsOf }) => {
    // A dispute marks what came with a bundle, and no ping tells that it was won.
    const bundle = sales.find(({ id }) => id === row.bundleSaleId);
    if (telling !== "pings" || bundle === undefined || isToldTogether(row, bundle, termsOf(bundle.productId))) {
      resend(row);
    }
  }, "let days pass": ({ pass, which }) => {
    pass((1 + which * 4) * DAY);
  }, "let minutes pass": ({ pass, which }) => {
    pass((1 + which) * MINUTE);
  }, decide: ({ telling, row, decide, which, now, other }) => {
    if (telling === "operators") decide(row, decisionOf(now, which, other));
  }, grant: ({ telling, grant, which, now, other, email }) => {
    if (telling === "operators") grant(email, decisionOf(now, which, other));
  } } as const satisfies Readonly<Record<string, (scene: Scene) => void>>;

/** The name of something that can happen. */
export type What = keyof typeof HAPPENINGS;

const TIME = ["let days pass", "let days pass", "let days pass"] as const;
const MONEY = ["revoke access", "give access back", "refund", "refund half", "take a refund back", "dispute",
  "dispute", "win a dispute", "win a dispute", "resend a ping", "decide", "change a purchase's email"] as const;
const LIFE = ["cancel", "cancel as the seller", "end", "restart", "restart", "renew", "fail to pay",
  "fail to pay later", "delete a product", "change the account's email", "change a purchase's email"] as const;
const PLANS = ["upgrade", "upgrade", "upgrade the period", "upgrade the seats", "downgrade", "downgrade", "downgrade",
  "change seats", "rename a tier", "rename a tier", "make up a change of plan", "forge an upgrade"] as const;
const SHOPPING = ["buy several", "buy two at once", "buy for nothing", "buy as the seller", "let minutes pass",
  "grant", "add to a bundle"] as const;
const GIFTS = ["give", "give", "give", "refund a gift"] as const;
const BUNDLES = ["add to a bundle", "add to a bundle", "buy for nothing", "refund", "dispute", "win a dispute",
  "take a refund back", "revoke access", "let minutes pass", ...TIME] as const;
const PREORDERS = ["release", "fail a preorder"] as const;

/** What goes together. Could anything follow anything, what matters would hardly ever meet. */
export const THEMES: readonly { readonly kinds: readonly Product["kind"][]; readonly happenings: readonly What[] }[] =
  [
    { kinds: ["single", "bundle"], happenings: [...SHOPPING, ...MONEY] },
    { kinds: ["single", "bundle"],
      happenings: ["buy for nothing", "buy for nothing", "let minutes pass", "refund", "dispute", "win a dispute"] },
    { kinds: ["bundle", "bundle", "single"], happenings: [...BUNDLES, ...GIFTS] },
    { kinds: ["single", "bundle"], happenings: [...BUNDLES, ...GIFTS, ...MONEY] },
    { kinds: ["single"], happenings: [...GIFTS, ...GIFTS, ...MONEY, "let minutes pass"] },
    { kinds: ["membership"], happenings: [...LIFE, ...MONEY, ...TIME, ...TIME] },
    { kinds: ["membership"],
      happenings: ["refund", "refund half", "dispute", "win a dispute", "cancel", ...TIME, ...TIME] },
    { kinds: ["membership"], happenings: [...PLANS, ...TIME, ...TIME, "renew", "cancel", "restart"] },
    { kinds: ["instalments"], happenings: [...LIFE, ...MONEY, ...TIME, ...TIME, ...TIME] },
    { kinds: ["preorder"], happenings: [...PREORDERS, ...MONEY, ...TIME] },
    { kinds: ["single", "bundle", "membership", "instalments", "preorder"],
      happenings: [...SHOPPING, ...GIFTS, ...MONEY, ...LIFE, ...PLANS, ...PREORDERS, ...TIME, ...TIME] },
  ];

function buy(scene: Scene, changes: Partial<Order> = {}): void {
  if (!isUnclear(scene)) scene.acts.sell({ ...orderOf(scene, scene.product), ...changes });
}

/**
 * Of two gifts or two bundles within ten minutes, it can't be told which one an operator's act is about: those are
 * left out.
 */
function isUnclear(scene: Scene): boolean {
  return scene.telling === "operators" &&
    (isAgain(scene, "giftReceiver", scene.other) ||
      (scene.product.kind === "bundle" && isAgain(scene, "charged", scene.email)));
}

/** Whether the same person just bought, gave or got such a thing. */
function isAgain({ sales, product, products, now }: Scene, state: Sale["state"], email: string): boolean {
  const kinds = new Map(products.map(({ id, kind }) => [id, kind]));
  return sales.some((sale) =>
    sale.state === state && sale.email === email && kinds.get(sale.productId) === product.kind &&
    now - sale.createdAt <= 10 * MINUTE
  );
}

function orderOf({ email, which }: Scene, product: Product): Order {
  const version = product.variants === undefined ? undefined : product.variants.options[which % 3];
  const tier = product.kind === "membership" ? product.tiers[which % product.tiers.length] : undefined;
  return { product: product.id, email, accountEmail: email,
    ...(version === undefined || product.variants === undefined
      ? {}
      : { variants: { [product.variants.category]: version.name } }),
    ...(tier === undefined ? {} : { tier: tier.name }) };
}

/**
 * Whether it has so many charges. After the last one, the shop restarts and ends it in one second, and pings can't
 * tell which was last.
 */
function isFixed(products: readonly Product[], productId: string): boolean {
  return products.some((product) =>
    product.id === productId && product.kind === "membership" && product.charges !== undefined
  );
}

/**
 * Where two things are bought at once, the second is one of the first two that the shop sells: they come in bundles.
 */
function otherProduct({ products, product, which }: Scene): Product {
  return products[which % 2] ?? product;
}

function tierOf({ subscription, products, which }: Scene, than: "dearer" | "cheaper"): string {
  const product = products.find(({ id }) => id === subscription.productId);
  const now = subscription.plan.tier?.priceCents ?? 0;
  const tiers = product?.kind === "membership"
    ? product.tiers.filter(({ priceCents }) => (than === "dearer" ? priceCents > now : priceCents < now))
    : [];
  return tiers[which % tiers.length]?.name ?? "";
}

/**
 * A downgrade counts from the date that its ping names. Gumroad itself waits for the next charge, which is another
 * moment when nothing is paid ahead or that charge fails: such histories are left out. So is a second one for the same
 * day, where a charge may never come to tell which of the two it was.
 */
function canDowngrade({ subscription, sales, termsOf, telling }: Scene): boolean {
  const isPaidAhead = !subscription.test && !subscription.chargeFailed && !subscription.cardDeclined &&
    sales.every((sale) => !subscription.saleIds.includes(sale.id) || (sale.refunded !== true && !isChargedBack(sale)));
  const isSettledByCharge = telling !== "operators" && termsOf(subscription.productId)?.onEnd === undefined;
  return isPaidAhead && (subscription.pendingPlan === undefined || isSettledByCharge);
}

function decisionOf(now: number, which: number, to: string): Decision {
  if (which % 4 === 0) return { kind: "give", until: which === 0 ? null : now + which * DAY };
  if (which % 4 === 1) return { kind: "take" };
  return which % 4 === 2 ? { kind: "follow" } : { kind: "move", to, only: true };
}

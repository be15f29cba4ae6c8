import type { Product } from "../../src/access/policy.ts";
import { onePeriodAfter } from "gumroad-emulator/clock";
import type { Option } from "gumroad-emulator/products";
import { isChargedBack, type Sale } from "gumroad-emulator/sale";
import { endedReason, type Subscription } from "gumroad-emulator/subscription";
import products from "../../fixtures/policy.ts";

/** A shop's books, which the service never sees. */
export interface Books {
  readonly sales: readonly Sale[];
  readonly subscriptions: readonly Subscription[];
  /** Epoch milliseconds. */
  now(): number;
  /** All names that a tier had from a moment on. Left out: none was ever renamed. */
  namesSince?(tier: Option, moment: number): readonly string[];
  /** What was ever in a bundle. Left out: what came with each bundle is all that it ever held. */
  contentsOf?(productId: string): readonly string[];
  /** Whose a source is, where that isn't whom it names by now. */
  ownerOf?(source: string): string | undefined;
  /** Whether a sale's own row shows none of its marks. Left out: each does. */
  isHidden?(sale: Sale): boolean;
  /** When an operator moved a sale away, where that is their last word. */
  movedAt?(saleId: string): number | undefined;
  /** Upgrades of a subscription that were made up: they count until its next charge. */
  forged?(subscriptionId: string): readonly { readonly at: number; readonly tier: string }[];
}

/** The seller's decisions by product id. */
export type Terms = ReadonlyMap<string, Product>;

/** What an operator said last of a sale or subscription, by its id; null: nothing that holds. */
export type LastWord = (id: string) => "has" | "has not" | null;

const MINUTE = 60_000;
const DAY = 86_400_000;

/**
 * The roles that each buyer should have now, by the shop's own books and the seller's terms: a plain model of the
 * truth table, written apart from `src/access`, in the shop's words. Everybody whose email the books name is in it.
 */
export function rolesByTheBooks(books: Books, terms: Terms = products, lastWord: LastWord = () => null,
  isOnTrust = false): ReadonlyMap<string, readonly string[]> {
  const { subscriptions } = books;
  const sales = books.sales.map((sale) => {
    const source = sale.subscriptionId === undefined ? `sale:${sale.id}` : `subscription:${sale.subscriptionId}`;
    return { ...sale, email: books.ownerOf?.(source) ?? sale.email };
  });
  const now = books.now();
  const byId = new Map(sales.map((sale) => [sale.id, sale]));
  const roles = new Map<string, Set<string>>(sales.map(({ email }) => [email, new Set()]));
  const give = (email: string, productId: string, option: string | undefined) => {
    for (const role of rolesFor(terms.get(productId), option)) roles.get(email)?.add(role);
  };

  for (const sale of sales.filter(({ subscriptionId }) => subscriptionId === undefined)) {
    if (has(sale, byId, terms, lastWord, isOnTrust ? null : books)) {
      give(sale.email, sale.productId, optionOf(sale, terms));
    }
  }
  for (const subscription of subscriptions) {
    const charges = subscription.saleIds.flatMap((id) => chargeOf(byId.get(id), byId) ?? []);
    const [first] = charges;
    const said = lastWord(subscription.id);
    const { productId } = subscription;
    // Whoever was charged first owns it, whatever email later charges are made under.
    if (first !== undefined &&
      (said === null ? goesOn(subscription, charges, terms.get(productId), now) : said === "has")) {
      give(first.email, productId, tierNow(subscription, charges, terms.get(productId), books));
    }
  }
  return new Map([...roles].map(([email, all]) => [email, [...all].sort()]));
}

/** A gifted period is one charge in two rows: to whom it was given, and whether that money stayed. */
function chargeOf(sale: Sale | undefined, byId: ReadonlyMap<string, Sale>): Sale | undefined {
  if (sale?.state === "giftGiver") return undefined;
  const giver = sale?.state === "giftReceiver" ? byId.get(sale.giftPartnerId ?? "") : undefined;
  return sale === undefined || giver === undefined ? sale : { ...giver, state: "charged", email: sale.email };
}

/** Whether a purchase without a subscription gives anything to whom it names. `books` null: by pings alone. */
function has(sale: Sale, byId: ReadonlyMap<string, Sale>, terms: Terms, lastWord: LastWord,
  books: Pick<Books, "contentsOf" | "movedAt" | "isHidden"> | null): boolean {
  const word = (of: Sale): boolean | null => {
    const said = lastWord(of.id);
    return said === null ? null : said === "has";
  };
  const own = word(sale);
  const bundle = byId.get(sale.bundleSaleId ?? "");
  if (bundle !== undefined) {
    if (own !== null) return own;
    if (books === null && !isToldTogether(sale, bundle, terms.get(bundle.productId))) return true;
    // Any other bundle that the same person has may have brought it just as well, if it isn't younger.
    const bundles = [...byId.values()].filter(({ email, productId, state, createdAt }) =>
      email === sale.email && books?.contentsOf?.(productId).includes(sale.productId) === true &&
      createdAt <= sale.createdAt + 10 * MINUTE && (state === "giftReceiver" || state === sale.state)
    );
    // One that is known as somebody else's, under an email from before it was changed, says nothing of this.
    // Nor does one that an operator had moved away before this was added to it.
    const known = [bundle, ...bundles].filter(({ email, id, createdAt }) =>
      email === sale.email &&
      ((books?.movedAt?.(id) ?? sale.createdAt) >= sale.createdAt || sale.createdAt <= createdAt + 10 * MINUTE)
    );
    if (known.length === 0) {
      return books?.isHidden?.(sale) === true ? sale.accessRevoked !== true : isPaid(sale, terms, "remove");
    }
    return known.some((each) => has(each, byId, terms, lastWord, books));
  }
  switch (sale.state) {
    case "giftGiver":
      return false;
    case "giftReceiver": {
      // Two rows, one gift: whichever an operator gave is given, and else whichever they took is taken.
      const giver = byId.get(sale.giftPartnerId ?? "");
      if (giver === undefined) return own ?? false;
      return own === true || word(giver) === true ||
        (own !== false && (word(giver) ?? isPaid(giver, terms, "remove")));
    }
    case "preorderAuthorized":
    case "freeTrial":
      return own ?? false;
    case "charged":
      return own ?? isPaid(sale, terms, "remove");
  }
}

/** By pings alone, nothing links what the seller adds to a bundle later, or without a word in the terms, to that. */
export function isToldTogether(child: Sale, bundle: Sale, terms: Product | undefined): boolean {
  return child.createdAt === bundle.createdAt && terms !== undefined && "contains" in terms &&
    terms.contains.includes(child.productId);
}

/**
 * Whether the money of a charge stayed, or what happened to it doesn't matter to the seller. `unlessSaid`: what a full
 * refund or a dispute does otherwise.
 */
function isPaid(sale: Sale, terms: Terms, unlessSaid: "keep" | "remove"): boolean {
  if (sale.accessRevoked) return false;
  const { onRefund = unlessSaid, onPartialRefund = "keep", onDispute = unlessSaid } = terms.get(sale.productId) ?? {};
  if (sale.refunded === true && onRefund === "remove") return false;
  if (sale.partlyRefunded === true && onPartialRefund === "remove") return false;
  return !(isChargedBack(sale) && onDispute === "remove");
}

function goesOn(subscription: Subscription, charges: readonly Sale[], product: Product | undefined,
  now: number): boolean {
  if (product === undefined) return false;
  const terms: Terms = new Map([[product.id, product]]);
  const newest = charges.at(-1);
  if (subscription.instalments) {
    if (!charges.every((sale) => isPaid(sale, terms, "remove"))) return false;
    if (endedReason(subscription) === "fixed_subscription_period_ended") return true;
  } else if (newest !== undefined && !isPaid(newest, terms, "keep")) return false;
  if (subscription.deactivatedAt === undefined || product.onEnd === "keep") return true;
  return now < subscription.deactivatedAt + (product.onEnd?.graceDays ?? 0) * DAY;
}

/**
 * The tier paid for, or the cheaper one that the subscriber asked for, once what was paid for is over: by what the
 * terms call it. One that the terms never listed under any name takes nothing: the one before it stays.
 */
function tierNow({ id, plan, pendingPlan, createdAt }: Subscription, charges: readonly Sale[],
  product: Product | undefined, { now, namesSince = ({ name }) => [name], forged }: Books): string | undefined {
  const made = forged?.(id).findLast(({ at }) => charges.every((charge) => charge.createdAt < at));
  if (made !== undefined) return made.tier;
  const last = charges.findLast(({ state }) => state !== "freeTrial");
  const isDue = pendingPlan !== undefined && last !== undefined &&
    onePeriodAfter(last.createdAt, plan.recurrence) <= now();
  const paid = charges.flatMap(({ variants }) => variants.map(({ option }) => option));
  const tiers = [...paid, ...[plan.tier, isDue ? pendingPlan.tier : undefined].flatMap((tier) => tier ?? [])];
  const listed = product !== undefined && "variant" in product ? Object.keys(product.roles) : [];
  return tiers.map((tier) => {
    const first = charges.find(({ variants }) => variants.some(({ option }) => option.id === tier.id));
    const names = namesSince(tier, first?.createdAt ?? createdAt).map((name) => name.trim().toLowerCase());
    return listed.find((name) => names.includes(name.toLowerCase()));
  }).findLast((name) => name !== undefined);
}

function optionOf({ productId, variants }: Sale, terms: Terms): string | undefined {
  const product = terms.get(productId);
  return variants.find(({ category }) => product !== undefined && "variant" in product && category === product.variant)
    ?.option.name;
}

function rolesFor(product: Product | undefined, option: string | undefined): readonly string[] {
  if (product === undefined) return [];
  if (!("variant" in product)) return product.roles ?? [];
  const listed = option === undefined ? undefined : product.roles[option];
  return (listed !== undefined && "also" in listed ? listed.roles : listed) ?? product.otherwise ?? [];
}

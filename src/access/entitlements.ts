import { entriesOf, type Charge, type Source, type SourceId, type Sources } from "./facts.ts";
import { contentsOf, rolesOf, type Consequence, type Policy, type Product } from "./policy.ts";
import { tierInForce } from "./tiers.ts";

/** Why a source gives access, or doesn't: the rows of the truth table. */
export type Reason =
  | "paid"
  | "test-purchase"
  | "gift"
  | "refunded"
  | "refunded-kept"
  | "partly-refunded"
  | "partly-refunded-kept"
  | "disputed"
  | "disputed-kept"
  | "dispute-won"
  | "bundle-gone"
  | "preorder"
  | "running"
  | "cancelled-running"
  | "restarted"
  | "in-grace"
  | "ended"
  | "ended-kept"
  | "paid-off"
  | "not-sold"
  | "not-in-policy";

/** What one source comes to at a moment. */
export interface Verdict {
  readonly source: SourceId;
  readonly productId: string;
  readonly access: boolean;
  readonly reason: Reason;
  /** The option or tier in force, where the product has them. */
  readonly variant: string | null;
  /** False: the policy doesn't name this option, so `otherwise` was taken. */
  readonly variantListed: boolean;
  /** The seller's own test purchase. */
  readonly test: boolean;
  /** The roles it gives; empty without access. */
  readonly roles: readonly string[];
}

/** What a buyer may have at a moment. */
export interface Access {
  /** Sorted, without doubles. */
  readonly roles: readonly string[];
  readonly verdicts: readonly Verdict[];
  /** When time alone may change the answer (epoch ms), or null. */
  readonly changesAt: number | null;
}

interface Standing {
  readonly access: boolean;
  readonly reason: Reason;
  /** When time alone ends it. */
  readonly until?: number;
}

/** How far apart the sale times of a bundle and of its children may lie. */
const BUNDLE_WINDOW_MS = 10 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

/** The truth table: facts, policy and a moment in, roles out. A role stays while any source gives it. */
export function entitlements(sources: Sources, policy: Policy, now: number): Access {
  const verdicts: Verdict[] = [];
  const moments: number[] = [];
  for (const [id, source] of entriesOf(sources)) {
    const product = policy.get(source.productId);
    if (product === undefined) {
      verdicts.push(nothing(id, source, "not-in-policy"));
      continue;
    }
    const standing = standingOf(id, source, product, sources, policy, now);
    if (standing.until !== undefined && standing.until > now) moments.push(standing.until);
    if (!standing.access) {
      verdicts.push(nothing(id, source, standing.reason));
      continue;
    }
    const tier = tierInForce(source, product, now);
    if (tier.changesAt !== null) moments.push(tier.changesAt);
    const { roles, listed } = rolesOf(product, tier.variant);
    const { reason } = standing;
    verdicts.push({ source: id, productId: source.productId, access: true, reason, variant: tier.variant, variantListed: listed, test: isTest(source), roles });
  }
  return {
    roles: [...new Set(verdicts.flatMap((verdict) => verdict.roles))].sort(),
    verdicts,
    changesAt: moments.length === 0 ? null : Math.min(...moments),
  };
}

function standingOf(id: SourceId, source: Source, product: Product, sources: Sources, policy: Policy, now: number): Standing {
  const own = ownStanding(id, source, product, now);
  const [sold] = source.charges;
  if (!own.access || sold === undefined || isSubscription(id)) return own;
  const bundles = bundlesOf(sold, source.productId, sources, policy, now);
  return bundles.length > 0 && !bundles.some((bundle) => bundle.access) ? { access: false, reason: "bundle-gone" } : own;
}

/** What a source comes to by itself, whatever bundle it may have come with. */
function ownStanding(id: SourceId, source: Source, product: Product, now: number): Standing {
  if (!source.charges.some((charge) => charge.seen)) return { access: false, reason: "not-sold" };
  const paid = source.charges.filter((charge) => charge.seen && !charge.preorder);
  const [first] = paid;
  if (first === undefined) return { access: false, reason: "preorder" };
  if (!isSubscription(id)) return ofCharge(first, product, "remove");
  return product.plan === "instalments" ? ofInstalments(source, paid, product, now) : ofMembership(source, paid, product, now);
}

/** A single charge by itself. `unlessSaid` is what a refund does where the policy doesn't say. */
function ofCharge(charge: Charge, product: Product, unlessSaid: Consequence): Standing {
  const onRefund = product.onRefund ?? unlessSaid;
  const onDispute = product.onDispute ?? unlessSaid;
  const onPartialRefund = product.onPartialRefund ?? "keep";
  if (charge.refunded && onRefund === "remove") return { access: false, reason: "refunded" };
  if (charge.disputed && !charge.disputeWon && onDispute === "remove") return { access: false, reason: "disputed" };
  if (charge.partlyRefunded && !charge.refunded && onPartialRefund === "remove") return { access: false, reason: "partly-refunded" };
  if (charge.refunded) return { access: true, reason: "refunded-kept" };
  if (charge.disputed) return { access: true, reason: charge.disputeWon ? "dispute-won" : "disputed-kept" };
  if (charge.partlyRefunded) return { access: true, reason: "partly-refunded-kept" };
  if (charge.test) return { access: true, reason: "test-purchase" };
  return { access: true, reason: charge.gift ? "gift" : "paid" };
}

/** A membership runs if it never ended, or was restarted, or charged again, since. */
function ofMembership(source: Source, paid: readonly Charge[], product: Product, now: number): Standing {
  const { ended, cancelledAt } = source;
  if (ended !== null && !runsAgain(source, paid)) return afterEnd(ended.at, product, now);

  // Refunding one charge doesn't end a membership, unless the policy says so; then the newest charge decides.
  const newest = ofCharge(newestOf(paid), product, "keep");
  if (!newest.access) return newest;
  if (ended !== null) return { access: true, reason: "restarted" };
  return { access: true, reason: cancelledAt === null ? "running" : "cancelled-running" };
}

/** An instalment plan paid off keeps access for good; any charge taken back ends it. */
function ofInstalments(source: Source, paid: readonly Charge[], product: Product, now: number): Standing {
  const broken = paid.map((charge) => ofCharge(charge, product, "remove")).find((standing) => !standing.access);
  if (broken !== undefined) return broken;
  const { ended } = source;
  if (ended === null || runsAgain(source, paid)) return { access: true, reason: "running" };
  if (ended.reason === "fixed_subscription_period_ended") return { access: true, reason: "paid-off" };
  return afterEnd(ended.at, product, now);
}

function runsAgain({ ended, restartedAt }: Source, paid: readonly Charge[]): boolean {
  if (ended === null) return true;
  return (restartedAt !== null && restartedAt >= ended.at) || paid.some((charge) => charge.soldAt > ended.at);
}

function afterEnd(endedAt: number, product: Product, now: number): Standing {
  if (product.onEnd === "keep") return { access: true, reason: "ended-kept" };
  const until = endedAt + (product.onEnd?.graceDays ?? 0) * DAY_MS;
  return now < until ? { access: true, reason: "in-grace", until } : { access: false, reason: "ended" };
}

/**
 * The bundles that a price-0 sale may have come with. Gumroad links them in no ping: same buyer, a product the bundle
 * contains, sold within ten minutes. With two bundles in reach the sale stands while either does.
 */
function bundlesOf(charge: Charge, productId: string, sources: Sources, policy: Policy, now: number): readonly Standing[] {
  if (charge.priceCents !== 0) return [];
  return entriesOf(sources).flatMap(([id, source]) => {
    const bundle = policy.get(source.productId);
    if (bundle === undefined || !contentsOf(bundle).includes(productId)) return [];
    const together = source.charges.some((sold) => sold.seen && sold.gift === charge.gift && Math.abs(sold.soldAt - charge.soldAt) <= BUNDLE_WINDOW_MS);
    return together ? [ownStanding(id, source, bundle, now)] : [];
  });
}

function newestOf(charges: readonly Charge[]): Charge {
  return charges.reduce((newest, charge) => (charge.soldAt > newest.soldAt ? charge : newest));
}

function nothing(id: SourceId, source: Source, reason: Reason): Verdict {
  return { source: id, productId: source.productId, access: false, reason, variant: null, variantListed: true, test: isTest(source), roles: [] };
}

function isTest(source: Source): boolean {
  return source.charges.some((charge) => charge.test);
}

function isSubscription(id: SourceId): boolean {
  return id.startsWith("subscription:");
}

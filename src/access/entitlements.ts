import { entriesOf, grantedRole, type Act, type Charge, type Source, type SourceId, type Sources } from "./facts.ts";
import { sidesOf } from "./gift-sides.ts";
import { areTogether, endOf, flagsOf, isGiversSide } from "./known.ts";
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
  | "gift-gone"
  | "preorder"
  | "running"
  | "cancelled-running"
  | "restarted"
  | "in-grace"
  | "ended"
  | "ended-kept"
  | "paid-off"
  | "not-sold"
  | "not-in-policy"
  | "complimentary"
  | "complimentary-over"
  | "given"
  | "taken"
  | "moved";

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

const DAY_MS = 24 * 60 * 60_000;

/** The truth table: facts, policy and a moment in, roles out. A role stays while any source gives it. */
export function entitlements(sources: Sources, policy: Policy, now: number): Access {
  const verdicts: Verdict[] = [];
  const moments: number[] = [];
  for (const [id, source] of entriesOf(sources)) {
    const granted = grantedRole(id);
    if (granted !== null) {
      const standing = decided(source.act, now) ?? { access: false, reason: "complimentary-over" };
      if (standing.until !== undefined) moments.push(standing.until);
      verdicts.push(
        standing.access
          ? { ...nothing(id, source, "complimentary"), access: true, roles: [granted] }
          : nothing(id, source, "complimentary-over"),
      );
      continue;
    }
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
    verdicts.push({ source: id, productId: source.productId, access: true, reason, variant: tier.variant,
      variantListed: listed, test: isTest(source), roles });
  }
  return {
    roles: [...new Set(verdicts.flatMap((verdict) => verdict.roles))].sort(),
    verdicts,
    changesAt: moments.length === 0 ? null : Math.min(...moments),
  };
}

/** What an operator decided, while it holds; null: the facts decide. */
function decided(act: Act | null, now: number): Standing | null {
  switch (act?.decision.kind) {
    case "give":
      if (act.decision.until === null) return { access: true, reason: "given" };
      return now < act.decision.until ? { access: true, reason: "given", until: act.decision.until } : null;
    case "take":
      return { access: false, reason: "taken" };
    case "move":
      return { access: false, reason: "moved" };
    case "follow":
    case undefined:
      return null;
  }
}

function standingOf(id: SourceId, source: Source, product: Product, sources: Sources, policy: Policy,
  now: number): Standing {
  const own = ownStanding(id, source, product, now);
  const [sold] = source.charges;
  if (decided(source.act, now) !== null || sold?.seen !== true || sold.preorder || isSubscription(id)) return own;
  const bundles = bundlesOf(sold, source.productId, sources, policy, now);
  // Nobody refunds what came with a bundle, and a dispute that marks it is the bundle's: its own flags say nothing.
  if (bundles.length > 0) return whileAny(bundles, own) ?? { access: false, reason: "bundle-gone" };
  if (sold.gift === "received") return ofReceived(own, sold, source.productId, sources, product, now);
  return isGiversSide(sold) ? ofGiven(own, sold, source.productId, sources, now) : own;
}

/**
 * What a source comes to that stands while any of these does, in its own words where it has some; null where none
 * does.
 */
function whileAny(standings: readonly Standing[], own: Standing): Standing | null {
  const standing = standings.find(({ access }) => access);
  return standing !== undefined && own.access ? own : (standing ?? null);
}

/** What a source comes to by itself, whatever bundle or gift it may have come with. */
function ownStanding(id: SourceId, source: Source, product: Product, now: number): Standing {
  const byAct = decided(source.act, now);
  if (byAct !== null) return byAct;
  if (!source.charges.some((charge) => charge.seen)) return { access: false, reason: "not-sold" };
  const paid = source.charges.filter((charge) => charge.seen && !charge.preorder);
  const [first] = paid;
  if (first === undefined) return { access: false, reason: "preorder" };
  if (!isSubscription(id)) return ofCharge(first, product, "remove");
  return product.plan === "instalments"
    ? ofInstalments(source, paid, product, now)
    : ofMembership(source, paid, product, now);
}

/** A single charge by itself. `unlessSaid` is what a refund does where the policy doesn't say. */
function ofCharge(charge: Charge, product: Product, unlessSaid: Consequence): Standing {
  const onRefund = product.onRefund ?? unlessSaid;
  const onDispute = product.onDispute ?? unlessSaid;
  const onPartialRefund = product.onPartialRefund ?? "keep";
  const { refunded, partlyRefunded, disputed, disputeWon } = flagsOf(charge);
  if (refunded && onRefund === "remove") return { access: false, reason: "refunded" };
  if (disputed && !disputeWon && onDispute === "remove") return { access: false, reason: "disputed" };
  if (partlyRefunded && !refunded && onPartialRefund === "remove") return { access: false, reason: "partly-refunded" };
  if (refunded) return { access: true, reason: "refunded-kept" };
  if (disputed) return { access: true, reason: disputeWon ? "dispute-won" : "disputed-kept" };
  if (partlyRefunded) return { access: true, reason: "partly-refunded-kept" };
  if (charge.test) return { access: true, reason: "test-purchase" };
  return { access: true, reason: charge.gift === "none" ? "paid" : "gift" };
}

function ofMembership(source: Source, paid: readonly Charge[], product: Product, now: number): Standing {
  // Refunding one charge doesn't end a membership, unless the policy says so; then the newest charge decides, and no
  // grace after an end gives back what the refund took.
  const newest = ofCharge(newestOf(paid), product, "keep");
  if (!newest.access) return newest;
  const ended = endOf(source);
  if (ended !== null) return afterEnd(ended.at, product, now);
  if (source.ended !== null) return { access: true, reason: "restarted" };
  return { access: true, reason: source.cancelledAt === null ? "running" : "cancelled-running" };
}

/** An instalment plan paid off keeps access for good; any charge taken back ends it. */
function ofInstalments(source: Source, paid: readonly Charge[], product: Product, now: number): Standing {
  const broken = paid.map((charge) => ofCharge(charge, product, "remove")).find((standing) => !standing.access);
  if (broken !== undefined) return broken;
  const ended = endOf(source);
  if (ended === null) return { access: true, reason: "running" };
  if (ended.reason === "fixed_subscription_period_ended") return { access: true, reason: "paid-off" };
  return afterEnd(ended.at, product, now);
}

function afterEnd(endedAt: number, product: Product, now: number): Standing {
  if (product.onEnd === "keep") return { access: true, reason: "ended-kept" };
  const until = endedAt + (product.onEnd?.graceDays ?? 0) * DAY_MS;
  return now < until ? { access: true, reason: "in-grace", until } : { access: false, reason: "ended" };
}

/**
 * The bundles that a price-0 sale may have come with. Gumroad links them in no ping: same buyer, a product the bundle
 * contains, sold within ten minutes; the API at least says which sales are bundles and children of one. With two
 * bundles in reach the sale stands while either does.
 */
function bundlesOf(charge: Charge, productId: string, sources: Sources, policy: Policy,
  now: number): readonly Standing[] {
  if (charge.priceCents !== 0 || (charge.read !== null && charge.read.bundle !== "child")) return [];
  return entriesOf(sources).flatMap(([id, source]) => {
    const bundle = policy.get(source.productId);
    if (bundle === undefined || !contentsOf(bundle).includes(productId)) return [];
    const together = source.charges.some((sold) =>
      sold.seen && (sold.read === null || sold.read.bundle === "bundle") && sold.gift === charge.gift &&
      areTogether(sold, charge)
    );
    return together ? [ownStanding(id, source, bundle, now)] : [];
  });
}

/**
 * A received gift stands while a giver's side does: refunds and disputes happen to that, and the receiver's side may
 * show none of it, or only what was true when its ping was resent. With two gifts at once it isn't told which side
 * belongs to which: while fewer giver's sides are known than were received, some gift has none, and goes by its own
 * flags.
 */
function ofReceived(own: Standing, received: Charge, productId: string, sources: Sources, product: Product,
  now: number): Standing {
  const givers = sidesOf("given", received, productId, sources);
  const standing = whileAny(
    givers.map(({ side, act }) => decided(act, now) ?? ofCharge(asPaid(side, received), product, "remove")),
    own,
  );
  if (standing !== null) return standing;
  const isOneUnknown = givers.length < sidesOf("received", received, productId, sources).length;
  return isOneUnknown || !own.access ? own : { access: false, reason: "gift-gone" };
}

/** The giver's side, with what only the receiver's ping told of its money. The API tells it all. */
function asPaid(given: Charge, received: Charge): Charge {
  if (given.read !== null) return given;
  const { refunded, partlyRefunded, disputed, disputeWon } = flagsOf(received);
  return {
    ...given,
    refunded: given.refunded || refunded,
    partlyRefunded: given.partlyRefunded || partlyRefunded,
    disputed: given.disputed || disputed,
    disputeWon: given.disputeWon || disputeWon,
  };
}

/**
 * A giver's side stands for a receiver's that was never told of; an operator who took that one away, or moved it,
 * meant both.
 */
function ofGiven(own: Standing, given: Charge, productId: string, sources: Sources, now: number): Standing {
  const decisions = sidesOf("received", given, productId, sources).map(({ act }) => decided(act, now));
  const [first] = decisions;
  return first !== undefined && first !== null && decisions.every((decision) => decision?.access === false)
    ? first
    : own;
}

function newestOf(charges: readonly Charge[]): Charge {
  return charges.reduce((newest, charge) => (charge.soldAt > newest.soldAt ? charge : newest));
}

function nothing(id: SourceId, source: Source, reason: Reason): Verdict {
  return { source: id, productId: source.productId, access: false, reason, variant: null, variantListed: true,
    test: isTest(source), roles: [] };
}

function isTest(source: Source): boolean {
  return source.charges.some((charge) => charge.test);
}

function isSubscription(id: SourceId): boolean {
  return id.startsWith("subscription:");
}

import { isSubscription, type Act, type Charge, type Source, type SourceId } from "./facts.ts";
import { areTogether, endOf, flagsOf, newestOf, paidCharges } from "./known.ts";
import type { Consequence, Product } from "./policy.ts";

/** Why a source gives access, or doesn't: the rows of the truth table. */
export type Reason = "paid" | "test-purchase" | "gift" | "refunded" | "refunded-kept" | "partly-refunded"
  | "partly-refunded-kept" | "disputed" | "disputed-kept" | "dispute-won" | "revoked" | "bundle-unknown"
  | "bundle-unsure" | "bundle-gone" | "gift-gone" | "preorder" | "running" | "cancelled-running" | "restarted"
  | "in-grace" | "ended" | "ended-kept" | "paid-off" | "not-sold" | "not-in-policy" | "complimentary"
  | "complimentary-over" | "given" | "taken" | "moved";

/** Whether a source gives access, and by which row of the truth table. */
export interface Standing {
  readonly access: boolean;
  readonly reason: Reason;
  /** When time alone ends it. */
  readonly until?: number;
}

const DAY_MS = 24 * 60 * 60_000;

/** What an operator decided, while it holds; null: the facts decide. */
export function decided(act: Act | null, now: number): Standing | null {
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
    default:
      return null;
  }
}

/** The standing of a source that lasts while any of these does, its own if that gives access; null if none does. */
export function whileAny(standings: readonly Standing[], own: Standing): Standing | null {
  const standing = standings.find(({ access }) => access);
  return standing !== undefined && own.access ? own : (standing ?? null);
}

/** What a source comes to by itself, whatever bundle or gift it may have come with. */
export function ownStanding(id: SourceId, source: Source, product: Product, now: number): Standing {
  const byAct = decided(source.act, now);
  if (byAct !== null) return byAct;
  if (!source.charges.some((charge) => charge.seen)) return { access: false, reason: "not-sold" };
  const paid = paidCharges(source);
  const [first] = paid;
  if (first === undefined) return { access: false, reason: "preorder" };
  if (!isSubscription(id)) return ofCharge(first, product, "remove");
  return product.plan === "instalments"
    ? ofInstalments(source, paid, product, now)
    : ofMembership(source, paid, product, now);
}

/** A single charge by itself. `unlessSaid` is what a refund does where the policy doesn't say. */
export function ofCharge(charge: Charge, product: Product, unlessSaid: Consequence): Standing {
  const { onRefund = unlessSaid, onDispute = unlessSaid, onPartialRefund = "keep" } = product;
  if (charge.revoked?.is === true) return { access: false, reason: "revoked" };
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
  // A refund ends a membership only if the policy says so: then the newest charge's, and no grace gives it back.
  const last = newestOf(paid);
  // A gift's two sides are one charge; by pings the giver's is told of only when it is disputed.
  const newest = source.charges
    .filter((side) =>
      side === last ||
      (last.gift !== "none" && side.gift !== last.gift && (side.gift !== "none" || !side.seen) &&
        areTogether(side, last))
    )
    .map((side) => ofCharge(side, product, "keep"))
    .reduce((one, other) => (one.access ? other : one));
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

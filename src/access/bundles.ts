import { entriesOf, isSubscription, type Charge, type Source, type SourceId, type Sources } from "./facts.ts";
import { areTogether, paidCharges, TOGETHER_MS } from "./known.ts";
import { contentsOf, type Policy } from "./policy.ts";

/** Gumroad's tries of one ping end by then: what comes in later is told again, and not for the first time. */
const TOLD_WITHIN_MS = 15 * 60_000;

/** A source by its first charge: a bundle, or what may have come with one. */
interface Sold {
  readonly id: SourceId;
  readonly source: Source;
  readonly charge: Charge;
  readonly holds: readonly string[];
}

/** What came with bundles: all those it can have come with, the nearest first (which brings one of a product). */
export type Children = ReadonlyMap<SourceId, readonly Pick<Sold, "id" | "source">[]>;

/**
 * Finds the bundles that purchases came with. Gumroad links the two nowhere, and gives what is added to a bundle to
 * everybody who ever bought it, months later.
 * The API marks children: one can be of any of the buyer's bundles that was ever seen to hold its product and isn't
 * younger; it is in here also where none is known. By pings, a bundle brings at most one sale at price 0 of each
 * product that it holds: sold within ten minutes and nearest to it, or first told of together.
 */
export function childrenIn(sources: Sources, policy: Policy): Children {
  const sold = entriesOf(sources).sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([id, source]): Sold[] => {
    const [charge] = paidCharges(source);
    if (charge === undefined) return [];
    const isNone = charge.read !== null && charge.read.bundle !== "bundle";
    return [{ id, source, charge, holds: isNone ? [] : withContents(source, policy).holds }];
  });
  const bundles = sold.filter(({ holds }) => holds.length > 0);
  const inReach = sold.filter((each) =>
    !isSubscription(each.id) && (isChild(each) || (each.charge.read === null && each.charge.priceCents === 0))
  ).map((child) => ({ child, of: bundles.filter((bundle) => canBring(bundle, child)) }));
  const pairs = inReach.flatMap(({ child, of }) => of.map((bundle) => ({ child, bundle })));
  const broughtBy = new Map<SourceId, SourceId>();
  const taken = new Set<string>();
  for (const { child, bundle } of pairs.sort((a, b) => apart(a) - apart(b))) {
    const place = `${bundle.id} ${child.source.productId}`;
    if (broughtBy.has(child.id) || taken.has(place)) continue;
    broughtBy.set(child.id, bundle.id);
    taken.add(place);
  }
  // Another bundle in reach that still stands may just as well have brought it.
  return new Map(inReach.flatMap(({ child, of }) => {
    const by = broughtBy.get(child.id);
    if (by === undefined && !isChild(child)) return [];
    return [[child.id, [...of.filter(({ id }) => id === by), ...of.filter(({ id }) => id !== by)]] as const];
  }));
}

/** Facts with what the policy says that the bundle holds: that may say otherwise one day, and the facts don't. */
export function withContents(facts: Source, policy: Policy): Source {
  const product = policy.get(facts.productId);
  const contents = product === undefined ? [] : contentsOf(product);
  return contents.every((id) => facts.holds.includes(id))
    ? facts
    : { ...facts, holds: [...new Set([...facts.holds, ...contents])].sort() };
}

function isChild({ charge: { read } }: Sold): boolean {
  return read?.bundle === "child";
}

/** By the API, what isn't older than the bundle; by pings, what was sold or first told of within ten minutes. */
function canBring(bundle: Sold, child: Sold): boolean {
  const isClose = areTogether(bundle.charge, child.charge);
  // What came as a gift came with a gift. Until July 2025 Gumroad didn't mark it as one.
  const { gift } = child.charge;
  const isFit = gift === "none" || (gift === "received" && bundle.charge.gift !== "none");
  if (!isFit || !bundle.holds.includes(child.source.productId)) return false;
  if (isChild(child)) {
    // Whoever moved the bundle away decided nothing about what is added to it later.
    const { act } = bundle.source;
    const until = act?.decision.kind === "move" ? act.at : Number.POSITIVE_INFINITY;
    return isClose || (bundle.charge.soldAt <= child.charge.soldAt && child.charge.soldAt <= until);
  }
  const [told, soon] = [bundle.charge.receivedAt, child.charge.receivedAt];
  return bundle.charge.read === null &&
    (isClose ||
      (told !== null && soon !== null && Math.abs(told - soon) <= TOGETHER_MS &&
        soon - child.charge.soldAt <= TOLD_WITHIN_MS && child.charge.soldAt >= bundle.charge.soldAt));
}

/** By time (ms); of one time, gifts go with gifts. */
function apart({ child: { charge: one }, bundle: { charge: other } }: Record<"child" | "bundle", Sold>): number {
  return Math.abs(one.soldAt - other.soldAt) + ((one.gift === "none") === (other.gift === "none") ? 0 : 0.5);
}

import { entriesOf, isSubscription, type Charge, type Source, type SourceId, type Sources } from "./facts.ts";
import { areTogether, paidCharges, TOGETHER_MS } from "./known.ts";
import { contentsOf, type Policy } from "./policy.ts";

/** Gumroad tries to tell of a sale for so long: what comes in later is told again, and not for the first time. */
const TOLD_WITHIN_MS = 15 * 60_000;

/** A source by its first charge: a bundle, or what may have come with one. */
interface Sold {
  readonly id: SourceId;
  readonly productId: string;
  readonly charge: Charge;
  readonly holds: readonly string[];
  /** When an operator moved it away: of what is added to it later, they decided nothing. */
  readonly movedAt: number | null;
}

/** What came with bundles, and with which of the buyer's it can have come: the ids of these, by the child's. */
export type Children = ReadonlyMap<SourceId, readonly SourceId[]>;

/**
 * Finds the bundles of what came with one. Gumroad links them nowhere, and pushes a product that is added to a bundle
 * to everybody who ever bought that, months later.
 * By Gumroad's API, which says what is a child, that can be of any bundle of the buyer's that was ever seen to hold
 * the product, and isn't younger; it is in here also with no bundle known. By pings, a bundle accounts for at most one
 * sale at price 0 of each product that it holds: sold within ten minutes and nearest to it, or first told of together.
 */
export function childrenIn(sources: Sources, policy: Policy): Children {
  const sold = entriesOf(sources).flatMap(([id, source]): Sold[] => {
    const [charge] = paidCharges(source);
    if (charge === undefined) return [];
    const isNone = charge.read !== null && charge.read.bundle !== "bundle";
    return [{ id, productId: source.productId, charge, holds: isNone ? [] : withContents(source, policy).holds,
      movedAt: source.act?.decision.kind === "move" ? source.act.at : null }];
  });
  const bundles = sold.filter(({ holds }) => holds.length > 0);
  const children = new Map<SourceId, readonly SourceId[]>();
  const free: Sold[] = [];
  for (const each of sold) {
    if (isSubscription(each.id)) continue;
    if (each.charge.read?.bundle === "child") {
      const of = bundles.filter((bundle) =>
        fits(bundle, each) && bundle.charge.soldAt <= each.charge.soldAt + TOGETHER_MS &&
        (bundle.movedAt === null || each.charge.soldAt <= bundle.movedAt || areTogether(bundle.charge, each.charge))
      );
      children.set(each.id, of.map(({ id }) => id));
    } else if (each.charge.read === null && each.charge.priceCents === 0) {
      free.push(each);
    }
  }
  return new Map([...children, ...accountedFor(free, bundles.filter(({ charge }) => charge.read === null))]);
}

/** Facts with what the policy says that the bundle holds: that may say otherwise one day, and the facts don't. */
export function withContents(facts: Source, policy: Policy): Source {
  const product = policy.get(facts.productId);
  const contents = product === undefined ? [] : contentsOf(product);
  return contents.every((id) => facts.holds.includes(id))
    ? facts
    : { ...facts, holds: [...new Set([...facts.holds, ...contents])].sort() };
}

function accountedFor(free: readonly Sold[], bundles: readonly Sold[]): Children {
  const children = new Map<SourceId, readonly SourceId[]>();
  for (const bundle of [...bundles].sort((a, b) => a.charge.soldAt - b.charge.soldAt || (a.id < b.id ? -1 : 1))) {
    for (const productId of bundle.holds) {
      const [nearest] = free
        .filter((each) => each.productId === productId && !children.has(each.id) && isWith(bundle, each))
        .sort((a, b) => apart(a, bundle) - apart(b, bundle) || (a.id < b.id ? -1 : 1));
      // Another bundle in reach that still stands may just as well have brought it.
      if (nearest !== undefined) {
        children.set(nearest.id, bundles.filter((other) => isWith(other, nearest)).map(({ id }) => id));
      }
    }
  }
  return children;
}

/** By pings alone: sold within ten minutes, or first told of within ten. */
function isWith(bundle: Sold, child: Sold): boolean {
  const [told, soon] = [bundle.charge.receivedAt, child.charge.receivedAt];
  return fits(bundle, child) &&
    (areTogether(bundle.charge, child.charge) ||
      (told !== null && soon !== null && Math.abs(told - soon) <= TOGETHER_MS &&
        soon - child.charge.soldAt <= TOLD_WITHIN_MS && child.charge.soldAt >= bundle.charge.soldAt));
}

/** What came as a gift came with a gift. Until July 2025 Gumroad didn't mark it as one. */
function fits(bundle: Sold, { productId, charge }: Sold): boolean {
  return bundle.holds.includes(productId) &&
    (charge.gift === "none" || (charge.gift === "received" && bundle.charge.gift !== "none"));
}

function apart(a: Sold, b: Sold): number {
  return Math.abs(a.charge.soldAt - b.charge.soldAt);
}

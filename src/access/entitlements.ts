import { childrenIn, type Children } from "./bundles.ts";
import { entriesOf, grantedRole, isOfLater, isSourceId, isSubscription, type Source, type SourceId,
  type Sources } from "./facts.ts";
import { ofGiven, ofReceived, type AllGifts } from "./gifts.ts";
import { isGiversSide } from "./known.ts";
import { rolesOf, type Policy, type Product, type VariantProduct } from "./policy.ts";
import { decided, ownStanding, whileAny, type Reason, type Standing } from "./standing.ts";
import { tierInForce } from "./tiers.ts";

/** What one source comes to at a moment. */
export interface Verdict {
  readonly source: SourceId;
  readonly productId: string;
  readonly access: boolean;
  readonly reason: Reason;
  /** The option or tier in force, where the product has them; as the policy calls it. */
  readonly variant: string | null;
  /** False: the policy doesn't name this option, so `otherwise` was taken. */
  readonly variantListed: boolean;
  /** What Gumroad calls the option by now, where the policy doesn't list that. */
  readonly unlisted: string | null;
  /** The policy doesn't say what the option gives, or this version what an act does: a person has to decide. */
  readonly unsure: boolean;
  /** Changes of plan that only pings told of, and no charge has confirmed yet. */
  readonly unconfirmed: number;
  readonly test: boolean;
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

/** The truth table: facts, policy and a moment in, roles out. A role stays while any source gives it. */
export function entitlements(sources: Sources, policy: Policy, now: number): Access {
  const children = childrenIn(sources, policy);
  const gifts = Object.fromEntries(entriesOf(sources).filter(([id]) => !children.has(id)));
  const standings = new Map<SourceId, Standing>();
  for (const { id, source } of [...children.values()].flat()) {
    const product = policy.get(source.productId) ?? UNLISTED;
    if (!standings.has(id)) standings.set(id, asGift(id, source, product, { gifts, now }));
  }
  const moments: number[] = [];
  const verdicts = entriesOf(sources).map(([id, source]): Verdict => {
    const granted = grantedRole(id);
    const product = granted === null ? policy.get(source.productId) : { id: "", name: "", roles: [granted] };
    if (product === undefined) return nothing(id, source, "not-in-policy");
    const standing = granted === null
      ? standingOf(id, source, product, { gifts, children, standings, now })
      : ofGrant(source, now);
    if (standing.until !== undefined && standing.until > now) moments.push(standing.until);
    const none = nothing(id, source, standing.reason);
    if (!standing.access) return none;
    const { changesAt, ...tier } = tierInForce(source, product, now);
    if (changesAt !== null) moments.push(changesAt);
    const { roles, listed } = rolesOf(product, tier.variant);
    return { ...none, ...tier, access: true, variantListed: listed, roles,
      unsure: none.unsure || !listed && "variant" in product && product.otherwise === undefined };
  });
  return { roles: [...new Set(verdicts.flatMap((verdict) => verdict.roles))].sort(), verdicts,
    changesAt: moments.length === 0 ? null : Math.min(...moments) };
}

/** Whether a buyer has an option of the product, and the policy doesn't say what it gives. */
export function lacksOption({ access, variantListed, unlisted }: Verdict,
  product: Product | undefined): product is VariantProduct {
  return access && (!variantListed || unlisted !== null) && product !== undefined && "variant" in product &&
    product.otherwise === undefined;
}

/** What a buyer's sources gave when last worked on, and which of them still give it because their loss is held. */
export interface Kept {
  readonly sources: Sources;
  readonly gave: Readonly<Record<SourceId, readonly string[]>>;
  readonly held: Readonly<Record<SourceId, unknown>>;
}

/** Roles, with those that held sources, and sources of a later version's kind, still give. Sorted, no doubles. */
export function withHeld(roles: readonly string[], { gave, held }: Omit<Kept, "sources">): readonly string[] {
  const kept = Object.entries(gave).flatMap(([id, given]) => isSourceId(id) && held[id] === undefined ? [] : given);
  return [...new Set([...roles, ...kept])].sort();
}

/** The roles that a buyer should have at a moment (epoch ms): what facts and policy give, and what is held. */
export function dueRoles(kept: Kept, policy: Policy, now: number): readonly string[] {
  return withHeld(entitlements(kept.sources, policy, now).roles, kept);
}

interface Known extends AllGifts {
  readonly children: Children;
  /** Of their bundles, each worked out once: strangers can make a record of hundreds. */
  readonly standings: ReadonlyMap<SourceId, Standing>;
}

function ofGrant({ act }: Source, now: number): Standing {
  const standing = decided(act, now);
  return standing?.access === true
    ? { ...standing, reason: "complimentary" }
    : { access: false, reason: "complimentary-over" };
}

function standingOf(id: SourceId, source: Source, product: Product, known: Known): Standing {
  const bundles = known.children.get(id);
  return bundles === undefined || decided(source.act, known.now) !== null
    ? asGift(id, source, product, known)
    : ofChild(source, ownStanding(id, source, product, known.now), bundles, known);
}

/**
 * What came with a bundle. Where one is known, the child's own flags say nothing: nobody refunds it, and a dispute is
 * the bundle's. It is gone once all its possible bundles are; by the API, once the buyer's sales were listed since.
 * A bundle that was moved away before an operator last decided about the child, or brought it back, isn't one of them.
 */
function ofChild({ charges, act: own }: Source, alone: Standing, brought: NonNullable<ReturnType<Children["get"]>>,
  known: Known): Standing {
  if (alone.reason === "revoked") return alone;
  const bundles = brought.filter(({ source: { act } }) => act?.decision.kind !== "move" || (own?.at ?? 0) <= act.at);
  if (bundles.length === 0) return alone.access ? { ...alone, reason: "bundle-unknown" } : alone;
  const standing = whileAny(bundles.flatMap(({ id }) => known.standings.get(id) ?? []), alone);
  if (standing !== null) return standing;
  // What an operator decided needs no proof.
  const isSure = charges.every(({ read, soldAt }) =>
    read === null ||
    bundles.some(({ source: { listedAt, act } }) => decided(act, known.now) !== null || (listedAt ?? -1) >= soldAt)
  );
  return isSure ? { access: false, reason: "bundle-gone" } : { access: true, reason: "bundle-unsure" };
}

/** A bundle that the policy doesn't list may hold what it lists. */
const UNLISTED: Product = { id: "", name: "", roles: [] };

/** A purchase by itself; of a gift, the receiver's stands and falls with the giver's. */
function asGift(id: SourceId, source: Source, product: Product, known: AllGifts): Standing {
  const own = ownStanding(id, source, product, known.now);
  const [sold] = source.charges;
  if (sold?.seen !== true || sold.preorder || isSubscription(id) || own.reason === "revoked" ||
    decided(source.act, known.now) !== null) return own;
  if (sold.gift === "received") return ofReceived(own, sold, source, product, known);
  return isGiversSide(sold) ? ofGiven(own, sold, source, known) : own;
}

function nothing(id: SourceId, source: Source, reason: Reason): Verdict {
  return { source: id, productId: source.productId, access: false, reason, variant: null, variantListed: true,
    unlisted: null, unsure: isOfLater(source.act?.decision.kind), unconfirmed: 0,
    test: source.charges.some(({ test }) => test), roles: [] };
}

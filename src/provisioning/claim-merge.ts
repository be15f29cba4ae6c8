import type { SourceId } from "../access/facts.ts";
import type { Claim } from "../ledger/record.ts";

/** Keys leak, and whoever has one may have many accounts: of requests, the newest. What was decided stays. */
const MOST_REQUESTS = 20;

/**
 * Merges what became of claims, in whatever order it comes: of each claim the last decision stands, and of those on
 * what was bought together the one that an operator granted last has it.
 */
export function mergeClaims(known: readonly Claim[], told: readonly Claim[],
  together: readonly SourceId[]): readonly Claim[] {
  const merged = new Map<string, Claim>();
  for (const claim of [...known, ...told]) {
    const key = `${claim.source} ${claim.by}`;
    merged.set(key, later(merged.get(key) ?? claim, claim));
  }
  const last = [...merged.values()].filter(({ source }) => together.includes(source)).reduce(
    (one: Claim | undefined, other) => (one !== undefined && rank(one) > rank(other) ? one : other),
    undefined,
  );
  const claims = [...merged.values()].map((claim): Claim =>
    last?.granted !== undefined && claim !== last && claim.state === "granted" && together.includes(claim.source)
      ? { ...claim, at: last.granted, state: "refused" }
      : claim
  );
  const requests = claims.filter(({ state }) => state === "asked").slice(-MOST_REQUESTS);
  return claims.filter((claim) => claim.state !== "asked" || requests.includes(claim));
}

/** Of two states of one claim: what was decided, and that later. */
function later(one: Claim, other: Claim): Claim {
  const isOther = one.state === "asked" || (other.state !== "asked" && other.at >= one.at);
  const granted = Math.max(one.granted ?? 0, other.granted ?? 0);
  return { ...(isOther ? other : one), ...(granted === 0 ? {} : { granted }) };
}

/** By when it was granted, and of one moment always in the same order. */
function rank({ granted = 0, by }: Claim): string {
  return `${String(granted).padStart(16, "0")} ${by}`;
}

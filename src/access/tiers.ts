import type { Source } from "./facts.ts";
import { rolesOf, variantCategory, type Product } from "./policy.ts";

interface Step {
  readonly at: number;
  /** Ties: an update beats a sale. */
  readonly rank: 0 | 1;
  readonly change: "sale" | "upgrade" | "downgrade";
  readonly from: string | null;
  readonly to: string | null;
}

/** The option in force, and when it may change next (epoch ms). */
export interface TierInForce {
  readonly variant: string | null;
  readonly changesAt: number | null;
}

/**
 * Which option (membership tier) a source has at a moment: the latest of its sales and updates.
 *
 * A downgrade is told ahead of time, and an upgrade that comes before it drops it, without a word from Gumroad. So a
 * downgrade counts only if the plan it leaves is in force just before it.
 */
export function tierInForce(source: Source, product: Product, now: number): TierInForce {
  const category = variantCategory(product);
  if (category === null) return { variant: null, changesAt: null };

  const steps = stepsOf(source, category).sort(
    (a, b) => a.at - b.at || a.rank - b.rank || roleCount(product, a.to) - roleCount(product, b.to) || compare(a.to ?? "", b.to ?? ""),
  );
  let variant: string | null = null;
  let changesAt: number | null = null;
  for (const step of steps) {
    if (step.at > now) {
      changesAt = step.at;
      break;
    }
    if (step.change !== "downgrade" || variant === null || variant === step.from) variant = step.to;
  }
  return { variant, changesAt };
}

function stepsOf(source: Source, category: string): Step[] {
  const sales = source.charges
    .filter((charge) => charge.seen)
    .map((charge): Step => {
      const chosen = charge.variants.find(([name]) => name === category);
      return { at: charge.soldAt, rank: 0, change: "sale", from: null, to: chosen?.[1] ?? null };
    });
  const updates = source.tierChanges.map(({ at, type, from, to }): Step => ({ at, rank: 1, change: type, from, to }));
  return [...sales, ...updates];
}

function roleCount(product: Product, variant: string | null): number {
  return rolesOf(product, variant).roles.length;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

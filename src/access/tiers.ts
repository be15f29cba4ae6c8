import type { Plan, Source } from "./facts.ts";
import { optionsOf } from "./known.ts";
import { rolesOf, variantCategory, type Product } from "./policy.ts";

/** A moment at which the plan changes: a sale that names it, or an update. */
interface Step {
  readonly at: number;
  readonly change: "sale" | "upgrade" | "downgrade";
  /** The plan that an update leaves. */
  readonly from: Plan | null;
  readonly to: Plan;
}

/** The option in force, and when it may change next (epoch ms). */
export interface TierInForce {
  readonly variant: string | null;
  readonly changesAt: number | null;
}

/**
 * Which option (membership tier) a source has at a moment: the latest of its sales and updates; where several fall on
 * one moment, an update counts over a sale, then the one whose tier was charged just then, then the one with more
 * roles.
 *
 * A downgrade is told ahead of time, and an upgrade that comes before it drops it, without a word from Gumroad. So a
 * downgrade counts only if the plan it leaves is in force just before it.
 */
export function tierInForce(source: Source, product: Product, now: number): TierInForce {
  const category = variantCategory(product);
  if (category === null) return { variant: null, changesAt: null };

  const steps = stepsOf(source, category);
  const moments = [...new Set(steps.map((step) => step.at))].sort((a, b) => a - b);
  let inForce: Plan | null = null;
  for (const moment of moments) {
    if (moment > now) return { variant: inForce?.tier ?? null, changesAt: moment };
    const before: Plan | null = inForce;
    const told = steps.filter((step) => step.at === moment);
    // Of two downgrades for one day, the later made takes the other's place; only that day's charge tells which it
    // was.
    const charged = new Set(told.flatMap(({ change, to }) => (change === "sale" ? [to.tier] : [])));
    const [winner] = told
      .filter((step) => step.change !== "downgrade" || before === null || leaves(step, before, steps))
      .sort(
        (a, b) =>
          Number(b.change !== "sale") - Number(a.change !== "sale") ||
          Number(charged.has(b.to.tier)) - Number(charged.has(a.to.tier)) ||
          roleCount(product, b) - roleCount(product, a) ||
          (key(a) < key(b) ? -1 : 1),
      );
    if (winner !== undefined) {
      inForce = winner.change === "sale" && before !== null && agree(winner.to, before)
        ? before
        : winner.to;
    }
  }
  return { variant: inForce?.tier ?? null, changesAt: null };
}

function stepsOf(source: Source, category: string): readonly Step[] {
  const sales = source.charges.flatMap((charge): Step[] => {
    const chosen = optionsOf(charge).find(([name]) => name === category);
    if (!charge.seen || chosen === undefined) return [];
    // What a charge cost says little about its plan: it may be prorated, or discounted.
    return [{ at: charge.soldAt, change: "sale", from: null,
      to: { tier: chosen[1], recurrence: charge.recurrence, priceCents: null, quantity: null } }];
  });
  return [...sales, ...source.tierChanges.map(({ at, type, from, to }): Step => ({ at, change: type, from, to }))];
}

/**
 * Whether a downgrade leaves the plan in force before it. The number of seats, and the price with it, may have changed
 * since in silence: where only these differ, it is dropped only if an upgrade left the very plan that it means to
 * leave.
 */
function leaves(downgrade: Step, before: Plan, steps: readonly Step[]): boolean {
  const { from, at } = downgrade;
  if (from === null || agree(from, before)) return true;
  const isUpgraded = steps.some((step) =>
    step.change === "upgrade" && step.at < at && step.from !== null && agree(step.from, from)
  );
  return from.tier === before.tier && known(from.recurrence, before.recurrence) && !isUpgraded;
}

/** Whether two plans can be the same, as far as both are known. */
function agree(a: Plan, b: Plan): boolean {
  return a.tier === b.tier && known(a.recurrence, b.recurrence) && known(a.priceCents, b.priceCents) &&
    known(a.quantity, b.quantity);
}

function known<T>(a: T | null, b: T | null): boolean {
  return a === null || b === null || a === b;
}

function roleCount(product: Product, { to }: Step): number {
  return rolesOf(product, to.tier).roles.length;
}

/** Makes the choice among equals the same whatever order they came in. */
function key(step: Step): string {
  return JSON.stringify([step.to.tier, step.to.recurrence, step.to.priceCents, step.to.quantity, step.change]);
}

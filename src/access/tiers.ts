import type { Plan, Source } from "./facts.ts";
import { TOGETHER_MS } from "./known.ts";
import { optionNames, type OptionNames } from "./options.ts";
import { rolesOf, type Product, type VariantProduct } from "./policy.ts";

/** A plan with its tier, called as the policy does. */
type Tiered = Plan & { readonly tier: string };

/** A moment at which the plan changes: a sale that names it, or an update. */
interface Step {
  readonly at: number;
  readonly change: "first sale" | "charge" | "upgrade" | "downgrade";
  /** The plan that an update leaves. */
  readonly from: Plan | null;
  readonly to: Tiered;
}

/**
 * Which option (membership tier) a source has at a moment, and when that may change next (epoch ms): the latest of its
 * sales and updates that the policy lists, so that a new name at Gumroad (`unlisted`) takes nothing from anybody. Of
 * one moment, an update counts over a sale, then the tier that was charged just then, then the one with more roles;
 * but a renewal's own tier stands against all of them. `unconfirmed` counts changes of plan that no charge has
 * confirmed. A downgrade is told ahead of time, and an upgrade before it drops it without a word from Gumroad: so a
 * downgrade counts only if the plan it leaves is in force just before it.
 */
export function tierInForce(source: Source, product: Product, now: number) {
  const none = { variant: null, unlisted: null, unconfirmed: 0, changesAt: null };
  if (!("variant" in product)) return none;

  const names = optionNames(product, source.charges);
  const steps = stepsOf(source, names);
  const moments = [...new Set(steps.map((step) => step.at))].sort((a, b) => a - b);
  let inForce: Tiered | null = null;
  let unlisted: string | null = null;
  for (const moment of moments.filter((at) => at <= now)) {
    const winner = winnerOf(moment, steps, inForce, product, names);
    if (winner === undefined) continue;
    unlisted = names.isListed(winner.to.tier) ? null : winner.to.tier;
    if (unlisted !== null && inForce !== null && names.isListed(inForce.tier)) continue;
    inForce = isSale(winner) && inForce !== null && agree(winner.to, inForce) ? inForce : winner.to;
  }
  return { variant: inForce?.tier ?? null, unlisted, unconfirmed: unconfirmed(steps, now),
    changesAt: moments.find((at) => at > now) ?? null };
}

function winnerOf(moment: number, steps: readonly Step[], before: Plan | null, product: VariantProduct,
  names: OptionNames) {
  const told = steps.filter((step) => step.at === moment);
  // Of two downgrades for one day, the later made takes the other's place; only that day's charge tells which it was.
  const charged = new Set(told.flatMap((step) => (isSale(step) ? [step.to.tier] : [])));
  const isDecided = told.some(({ change }) => change === "charge");
  return told
    .filter((step) => !isDecided || charged.has(step.to.tier))
    .filter((step) => step.change !== "downgrade" || before === null || leaves(step, before, steps))
    .sort((a, b) =>
      Number(names.isListed(b.to.tier)) - Number(names.isListed(a.to.tier)) ||
      Number(!isSale(b)) - Number(!isSale(a)) ||
      Number(charged.has(b.to.tier)) - Number(charged.has(a.to.tier)) ||
      rolesOf(product, b.to.tier).roles.length - rolesOf(product, a.to.tier).roles.length ||
      (key(a) < key(b) ? -1 : 1)
    )[0];
}

function stepsOf(source: Source, names: OptionNames): readonly Step[] {
  const sales = source.charges.flatMap((charge): Step[] => {
    const tier = names.chosen(charge);
    if (!charge.seen || tier === null) return [];
    // What a charge cost says little about its plan: it may be prorated, or discounted.
    return [{ at: charge.soldAt, change: charge.recurring ? "charge" : "first sale", from: null,
      to: { tier, recurrence: charge.recurrence, priceCents: null, quantity: null } }];
  });
  return [...sales, ...updatesOf(source, names)];
}

/**
 * Only pings tell of changes, and whoever has the ping URL can make them up. So an upgrade counts no later than it was
 * told, one to an unknown tier or dropped by an operator not at all, and the next charge's tier replaces them all.
 */
function updatesOf({ tierChanges, changesDroppedAt }: Source, names: OptionNames): readonly Step[] {
  return tierChanges.flatMap(({ at, toldAt, type, from, to }): Step[] => {
    const tier = to.tier ?? from.tier;
    if ((type !== "upgrade" && type !== "downgrade") || tier === null || !names.exists(tier) ||
      (toldAt ?? at) <= (changesDroppedAt ?? -1)) return [];
    return [{
      // Whole seconds, as all of Gumroad's.
      at: type === "upgrade" ? Math.floor(Math.min(at, toldAt ?? at) / 1_000) * 1_000 : at,
      change: type,
      from: { ...from, tier: from.tier === null ? null : names.called(from.tier) },
      to: { ...to, tier: names.called(tier) },
    }];
  });
}

/** Changes with no charge since, nor one of their own tier in the minutes before. */
function unconfirmed(steps: readonly Step[], now: number): number {
  const sales = steps.filter(isSale);
  const isConfirmed = ({ at, to }: Step) =>
    sales.some((sale) => sale.at >= at || (sale.to.tier === to.tier && at - sale.at <= TOGETHER_MS));
  return steps.filter((step) => !isSale(step) && step.at <= now && !isConfirmed(step)).length;
}

function isSale({ change }: Step): boolean {
  return change === "first sale" || change === "charge";
}

/**
 * Whether a downgrade leaves the plan in force before it. Seats, and the price with them, may have changed since in
 * silence: where only these differ, it is dropped only if an upgrade left the very plan that it means to leave.
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

/** Makes the choice among equals the same whatever order they came in. */
function key(step: Step): string {
  return JSON.stringify([step.to.tier, step.to.recurrence, step.to.priceCents, step.to.quantity, step.change]);
}

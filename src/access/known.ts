import type { Charge, ChargeRead, Source } from "./facts.ts";

/** What became of a charge's money. */
export type Flags = Pick<ChargeRead, "refunded" | "partlyRefunded" | "disputed" | "disputeWon">;

/**
 * How far apart the sale times of one order may lie: of a bundle and what is in it, of a gift's two sides. A bank that
 * asks back may take minutes.
 */
const TOGETHER_MS = 10 * 60_000;

/** Whether two sales can be of one order, by their times (epoch ms). */
export function areTogether(a: Pick<Charge, "soldAt">, b: Pick<Charge, "soldAt">): boolean {
  return Math.abs(a.soldAt - b.soldAt) <= TOGETHER_MS;
}

/**
 * What is known of a charge's money: what the API said last, else what pings told. A ping after a reading only causes
 * another.
 */
export function flagsOf(charge: Charge): Flags {
  return charge.read ?? charge;
}

/**
 * Whether a charge is the giver's side of a gift. By pings alone that is a guess, from a dispute that nothing else
 * explains; a `sale` ping, which no giver's side has, shows that it was wrong.
 */
export function isGiversSide({ gift, seen, read }: Charge): boolean {
  return gift === "given" && (read !== null || !seen);
}

/** The options that a charge was made with: as the API named them last, else as pings did. */
export function optionsOf(charge: Charge): Charge["variants"] {
  return charge.read === null || charge.read.variants.length === 0 ? charge.variants : charge.read.variants;
}

/**
 * The end of a subscription, or null while it runs: what the API said last, else what pings told. By pings it runs if
 * it never ended, or was restarted, or charged again, since.
 */
export function endOf({ read, ended, restartedAt, charges }: Source): Source["ended"] {
  if (read !== null) return read.ended;
  if (ended === null || (restartedAt !== null && restartedAt >= ended.at)) return null;
  return charges.some((charge) => charge.seen && !charge.preorder && charge.soldAt > ended.at) ? null : ended;
}

/**
 * Whether an answer of the API tells more of a source than what is known: then it is worth reading back. When it was
 * asked makes no difference, nor does the day of an end.
 */
export function tellsMore(known: Source | undefined, told: Source): boolean {
  if (known === undefined) return true;
  if (told.read !== null && (endOf(told) === null) !== (endOf(known) === null)) return true;
  return told.charges.some((charge) => {
    const ours = known.charges.find(({ saleId }) => saleId === charge.saleId);
    return ours?.seen !== true || !sameFlags(flagsOf(ours), flagsOf(charge)) || !sameOptions(ours, charge);
  });
}

/** Whether two charges were made with the same options. */
export function sameOptions(a: Charge, b: Charge): boolean {
  return JSON.stringify(optionsOf(a)) === JSON.stringify(optionsOf(b));
}

function sameFlags(a: Flags, b: Flags): boolean {
  return a.refunded === b.refunded && a.partlyRefunded === b.partlyRefunded && a.disputed === b.disputed &&
    a.disputeWon === b.disputeWon;
}

import type { Charge, Flags, Options, Source } from "./facts.ts";

const FLAGS = ["refunded", "partlyRefunded", "disputed", "disputeWon"] as const;
/** How far apart one order's sales may be: a bundle's, a gift's two sides. A bank that asks back may take minutes. */
export const TOGETHER_MS = 10 * 60_000;

/** Whether two sales can be of one order, by their times (epoch ms). */
export function areTogether(a: Pick<Charge, "soldAt">, b: Pick<Charge, "soldAt">): boolean {
  return Math.abs(a.soldAt - b.soldAt) <= TOGETHER_MS;
}

/** The charges that were made: seen, and no preorder's authorization. */
export function paidCharges({ charges }: Pick<Source, "charges">): readonly Charge[] {
  return charges.filter(({ seen, preorder }) => seen && !preorder);
}

/** The latest of charges, of which there must be one. */
export function newestOf(charges: readonly Charge[]): Charge {
  return charges.reduce((newest, charge) => (charge.soldAt > newest.soldAt ? charge : newest));
}

/** What is known of a charge's money: what the API said last, else what pings told. */
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

/** The options that a charge was made with, under all the names they were seen under, the latest first. */
export function namesOf({ names, read, variants }: Pick<Charge, "names" | "read" | "variants">): readonly Options[] {
  const seen = [...names].sort((a, b) => b.at - a.at).map((each) => each.variants);
  return [...(read === null ? [] : [read.variants]), ...seen, variants].filter((options) => options.length > 0);
}

/**
 * The end of a subscription, or null while it runs: what the API said last, else what pings told. By pings it runs if
 * it never ended, or was restarted, or charged again, since.
 */
export function endOf({ read, ended, restartedAt, charges }: Source): Source["ended"] {
  if (read !== null) return read.ended;
  if (ended === null || (restartedAt !== null && restartedAt >= ended.at)) return null;
  return paidCharges({ charges }).some(({ soldAt }) => soldAt > ended.at) ? null : ended;
}

/** Whether an answer of the API tells more than is known: times, and an end's day, don't count. */
export function tellsMore(known: Source | undefined, told: Source): boolean {
  if (known === undefined) return true;
  if (told.read !== null && (endOf(told) === null) !== (endOf(known) === null)) return true;
  return told.charges.some((charge) => {
    const ours = known.charges.find(({ saleId }) => saleId === charge.saleId);
    const [named] = namesOf(charge);
    return ours?.seen !== true || FLAGS.some((flag) => flagsOf(ours)[flag] !== flagsOf(charge)[flag]) ||
      (named !== undefined && text(named) !== text(namesOf(ours)[0])) ||
      (charge.revoked !== null && charge.revoked.is !== (ours.revoked?.is ?? false));
  });
}

/** Whether two charges can have been made with the same options: some name of one's is one of the other's. */
export function sameOptions(a: Charge, b: Charge): boolean {
  const [names, others] = [namesOf(a).map(text), namesOf(b).map(text)];
  return names.length === 0 ? others.length === 0 : names.some((name) => others.includes(name));
}

/** Facts without the moments at which Gumroad's API was asked: the same later is no news; a first listing is. */
export function undated(source: Source | undefined): Source | undefined {
  if (source === undefined) return undefined;
  const charges = source.charges.map((charge) => ({ ...charge, read: timeless(charge.read),
    revoked: timeless(charge.revoked) })
  );
  return { ...source, charges, listedAt: source.listedAt === null ? null : 0, read: timeless(source.read) };
}

function timeless<T extends { readonly at: number }>(read: T | null): T | null {
  return read === null ? null : { ...read, at: 0 };
}

function text(options: Options | undefined): string {
  return options === undefined ? "" : JSON.stringify(options);
}

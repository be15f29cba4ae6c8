/** When an attempt is admitted: the throttle's arithmetic. Times are epoch milliseconds, spans are seconds. */

/** How fast attempts of one kind may follow each other. */
export interface ThrottleRule {
  /** So many attempts are admitted at once. */
  readonly free: number;
  /** The wait after the last of these; it doubles with every further attempt. */
  readonly firstDelaySeconds: number;
  /** It grows no further than this. */
  readonly longestDelaySeconds: number;
  /** After so long without an attempt all is forgotten. */
  readonly forgetAfterSeconds: number;
}

/** The attempts counted so far. */
export interface Attempts {
  readonly count: number;
  readonly lastAt: number;
  /** Nothing is admitted before. */
  readonly nextAt: number;
}

/** Decides on an attempt at `now`: the counters with it, or how long it has to wait (seconds). */
export function decide(rule: ThrottleRule, before: Attempts | undefined, now: number): Attempts | number {
  const known = before === undefined || now >= before.lastAt + rule.forgetAfterSeconds * 1_000 ? undefined : before;
  if (known !== undefined && now < known.nextAt) return Math.ceil((known.nextAt - now) / 1_000);
  const count = (known?.count ?? 0) + 1;
  return { count, lastAt: now, nextAt: now + delaySeconds(rule, count) * 1_000 };
}

function delaySeconds({ free, firstDelaySeconds, longestDelaySeconds }: ThrottleRule, count: number): number {
  return count < free ? 0 : Math.min(firstDelaySeconds * 2 ** (count - free), longestDelaySeconds);
}

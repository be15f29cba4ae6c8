/**
 * When an attempt is admitted: the arithmetic of the throttle, pure. Times are epoch milliseconds, spans are seconds.
 */

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

/** Whether an attempt is admitted: the counters with it, or the wait. */
export type Decision = { readonly admitted: true; readonly attempts: Attempts } | { readonly admitted: false;
  readonly retryAfterSeconds: number };

/** Decides on an attempt at `now`. */
export function decide(rule: ThrottleRule, before: Attempts | undefined, now: number): Decision {
  const known = before === undefined || now >= before.lastAt + rule.forgetAfterSeconds * 1_000 ? undefined : before;
  if (known !== undefined && now < known.nextAt) {
    return { admitted: false, retryAfterSeconds: Math.ceil((known.nextAt - now) / 1_000) };
  }
  const count = (known?.count ?? 0) + 1;
  return { admitted: true, attempts: { count, lastAt: now, nextAt: now + delaySeconds(rule, count) * 1_000 } };
}

function delaySeconds({ free, firstDelaySeconds, longestDelaySeconds }: ThrottleRule, count: number): number {
  return count < free ? 0 : Math.min(firstDelaySeconds * 2 ** (count - free), longestDelaySeconds);
}

/**
 * How many attempts a rule admits in a span, at most: somebody who starts from nothing and tries again as soon as they
 * may. Waiting never gains anything as long as `free` attempts take longer to be forgotten than to be earned, which
 * {@link isSound} says.
 */
export function guessesWithin(rule: ThrottleRule, spanSeconds: number): number {
  let guesses = 0;
  let attempts: Attempts | undefined;
  for (let now = 0; now < spanSeconds * 1_000; now = Math.max(now, attempts.nextAt)) {
    const decision = decide(rule, attempts, now);
    if (!decision.admitted) throw new Error("A rule refused an attempt at the time it had named");
    attempts = decision.attempts;
    guesses += 1;
  }
  return guesses;
}

/** Whether waiting to be forgotten brings an attacker no more guesses than going on. */
export function isSound({ free, longestDelaySeconds, forgetAfterSeconds }: ThrottleRule): boolean {
  return free * longestDelaySeconds <= forgetAfterSeconds && longestDelaySeconds < forgetAfterSeconds;
}

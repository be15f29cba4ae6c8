/** What the throttle's rules come to for somebody who tries again as soon as they may. */
import { type Attempts, decide, type ThrottleRule } from "../../src/accounts/throttle-rule.ts";

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
    if (typeof decision === "number") throw new Error("A rule refused an attempt at the time it had named");
    attempts = decision;
    guesses += 1;
  }
  return guesses;
}

/** Whether waiting to be forgotten brings an attacker no more guesses than going on. */
export function isSound({ free, longestDelaySeconds, forgetAfterSeconds }: ThrottleRule): boolean {
  return free * longestDelaySeconds <= forgetAfterSeconds && longestDelaySeconds < forgetAfterSeconds;
}

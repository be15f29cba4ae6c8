import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import { throttleRules } from "../../src/accounts/throttle.ts";
import { type Attempts, decide, type ThrottleRule } from "../../src/accounts/throttle-rule.ts";
import { guessesWithin, isSound } from "./guesses.ts";

const rule: ThrottleRule = { free: 3, firstDelaySeconds: 2, longestDelaySeconds: 10, forgetAfterSeconds: 100 };
const day = 86_400;

/** Tries at each of these seconds, and tells what came of it: 0 for admitted, otherwise the wait. */
function waitsAt(...seconds: number[]): number[] {
  let attempts: Attempts | undefined;
  return seconds.map((second) => {
    const decision = decide(rule, attempts, second * 1_000);
    if (typeof decision === "number") return decision;
    attempts = decision;
    return 0;
  });
}

describe("decide", () => {
  it("admits the free attempts at once", () => {
    expect(waitsAt(0, 0, 0)).toEqual([0, 0, 0]);
  });

  it("makes the wait grow, and lets it grow no further than the longest", () => {
    expect(waitsAt(0, 0, 0, 0, 2, 2, 6, 6, 14, 14, 24, 24)).toEqual([0, 0, 0, 2, 0, 4, 0, 8, 0, 10, 0, 10]);
  });

  it("does not hold against anybody what it refused", () => {
    expect(waitsAt(0, 0, 0, 1, 1, 1, 1, 2)).toEqual([0, 0, 0, 1, 1, 1, 1, 0]);
  });

  it("forgets all after a quiet while", () => {
    expect(waitsAt(0, 0, 0, 2, 6, 106, 106, 106, 106)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 2]);
  });

  it("names waits in whole seconds, rounded up", () => {
    expect(decide(rule, { count: 3, lastAt: 0, nextAt: 2_000 }, 1_999)).toBe(1);
    expect(decide(rule, { count: 3, lastAt: 0, nextAt: 2_000 }, 2_000)).toMatchObject({ count: 4 });
  });
});

describe("guessesWithin", () => {
  it("counts what an eager attacker gets", () => {
    // At 0, 0, 0, 2, 6, 14, 24, 34, …: three at once, three more within 14 s, then one each 10 s.
    expect(guessesWithin(rule, 14)).toBe(5);
    expect(guessesWithin(rule, 94)).toBe(13);
  });

  it("is more than any other timing gets", () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 200 }), (pauses) => {
      let now = 0;
      const seconds = pauses.map((pause) => (now += pause % 13 === 0 ? pause : pause % 11));
      const span = (seconds.at(-1) ?? 0) + 1;
      expect(waitsAt(...seconds).filter((wait) => wait === 0).length).toBeLessThanOrEqual(guessesWithin(rule, span));
    }));
  });
});

describe("the rules in force", () => {
  it.each([
    { name: "user", rule: throttleRules.user, guesses: 76 },
    { name: "userAndNetwork", rule: throttleRules.userAndNetwork, guesses: 38 },
    { name: "knownAddress", rule: throttleRules.knownAddress, guesses: 67 },
    { name: "network", rule: throttleRules.network, guesses: 395 },
  ])("admit $guesses attempts a day by $name, and waiting brings no more", ({ rule: inForce, guesses }) => {
    expect(guessesWithin(inForce, day)).toBe(guesses);
    expect(isSound(inForce)).toBe(true);
  });

  it(
    "let one address against one user get no further than its network, and all addresses together no further than " +
      "the user's bound",
    () => {
      expect(guessesWithin(throttleRules.userAndNetwork, day)).toBeLessThan(guessesWithin(throttleRules.user, day));
    },
  );
});

import { describe, expect, it } from "@jest/globals";

import { dueAfter, retrySeconds } from "../../src/provisioning/timing.ts";

describe("waiting", () => {
  it("of a failed message begins with seconds and grows, within SQS's twelve hours", () => {
    const waits = Array.from({ length: 9 }, (_, index) => retrySeconds(index + 1));
    expect(waits[0]).toBeLessThanOrEqual(5);
    for (let index = 1; index < waits.length; index += 1) expect(waits[index]).toBeGreaterThan(waits[index - 1]!);
    expect(Math.max(...waits)).toBeLessThan(43_200);
  });

  it("spans at least half an hour in ten receives, then the message is a dead letter at once", () => {
    const total = Array.from({ length: 10 }, (_, index) => retrySeconds(index + 1)).reduce((sum, seconds) =>
      sum + seconds
    );
    expect(total).toBeGreaterThan(30 * 60);
    expect(retrySeconds(10)).toBe(0);
    expect(retrySeconds(Number.NaN)).toBe(0);
  });

  it("of a record grows to its bound", () => {
    expect([1, 2, 3, 4, 5, 50].map((attempts) => dueAfter("AUTH0_SCOPE", attempts))).toEqual([60_000, 120_000, 240_000,
      480_000, 900_000, 900_000]);
    expect(dueAfter("AUTH0_REFUSED", 50)).toBe(6 * 60 * 60_000);
    expect(dueAfter("EMAIL_UNVERIFIED", 1)).toBe(60_000);
    expect(dueAfter("EMAIL_UNVERIFIED", 50)).toBe(6 * 60 * 60_000);
  });
});

import { describe, expect, it } from "@jest/globals";

import { buyerTag, loggable, scrub } from "../src/log.ts";

describe("a log line", () => {
  it.each([
    ["GET /api/v2/users-by-email?email=ann%40example.com failed", "GET /api/v2/users-by-email?email=<email> failed"],
    ['{"message":"the user Ann+x@Example.com exists"}', '{"message":"the user <email> exists"}'],
    ["POST https://x.example/ping/s3cr3t-token?x=1", "POST https://x.example/ping/…?x=1"],
    ["Authorization: Bearer eyJhbGciOi.eyJz.abc_-1=", "Authorization: Bearer …"],
    ["authorization: basic dXNlcjp0b2tlbg==", "authorization: basic …"],
    ["at node_modules/@aws-sdk/core: ann%40example.com,bo@example.com",
      "at node_modules/@aws-sdk/core: <email>,<email>"],
  ])("never holds an email, a token or a ping path: %s", (text, expected) => {
    expect(scrub(text)).toBe(expected);
  });

  it("keeps what helps to mend", () => {
    const text =
      "Insufficient scope, expected any of: create:role_members (role rol_123, source sale:fH9XoNJ-gQtcIacRpiKnyg==)";
    expect(scrub(text)).toBe(text);
  });

  it.each(["a", "a@", "@", "%40", "a.", "Bearer ", "/ping/", "%4", " a"])(
    "of 4 MB of %j is made in one reading, and cut",
    (part) => {
      const text = part.repeat(4_000_000 / part.length);

      // Time that grows with the square of the length would be hours.
      expect(String(loggable(text)).length).toBeLessThan(2_100);
    },
  );

  it("holds no end of an address that was cut", () => {
    const text = `${"x".repeat(1_995)} ann-with-a-long-name@example.com`;

    expect(loggable(text)).toBe(`${"x".repeat(1_995)} <ema… (2003 characters)`);
  });

  it("shows the beginning of a long list", () => {
    expect(loggable(Array.from({ length: 5_000 }, String))).toHaveLength(100);
    expect(loggable(["a"])).toEqual(["a"]);
    expect(loggable(7)).toBe(7);
  });

  it("names a buyer by a tag that is always the same", () => {
    expect(buyerTag("ann@example.com")).toMatch(/^[0-9a-f]{12}$/);
    expect(buyerTag("ann@example.com")).toBe(buyerTag("ann@example.com"));
    expect(buyerTag("ann@example.com")).not.toBe(buyerTag("bo@example.com"));
  });
});

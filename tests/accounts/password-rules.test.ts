import { describe, expect, it, jest } from "@jest/globals";

import { HttpError } from "../../src/http/errors.ts";
import { checkNewPassword } from "../../src/accounts/password-rules.ts";

describe("checkNewPassword", () => {
  it.each([
    { password: "plum-tree-at-noon", why: "a few words" },
    { password: "correct horse battery staple", why: "spaces" },
    { password: "quetzalfjordwombat", why: "lower case alone" },
    { password: "8402917365518274", why: "digits alone" },
    { password: "žluťoučký kůň 🐎 úpěl", why: "any letters, and pictures" },
    { password: "Tq7#mW2x", why: "eight characters" },
    { password: `plum-tree-at-noon ${"wx9".repeat(40)}`.slice(0, 128), why: "128 characters" },
  ])("takes $why", async ({ password }) => {
    await expect(checkNewPassword(password, "ann")).resolves.toBeUndefined();
  });

  it.each([
    { password: "Tq7#mW2", reason: "shorter than 8" },
    { password: "🐎".repeat(7), reason: "shorter than 8" },
    { password: "e\u0301".repeat(7), reason: "shorter than 8" },
    { password: `plum-tree-at-noon ${"wx9".repeat(40)}`.slice(0, 129).padEnd(129, "k"), reason: "longer than 128" },
    { password: "\ufdfa".repeat(8), reason: "longer than 128" },
    { password: "plum-tree\ud800-at-noon", reason: "broken characters" },
    { password: "password1", reason: "This is a commonly used password." },
    { password: "12345678", reason: "easy to guess" },
    { password: "qwertyuiop", reason: "easy to guess" },
    { password: "aaaaaaaaaaaaaaaaaaaa", reason: "easy to guess" },
    { password: "abcabcabc".repeat(14), reason: "easy to guess" },
    { password: "annsmith@example", reason: "easy to guess" },
    { password: "example.com", reason: "a part of the username" },
    { password: "iloveyou2", reason: "easy to guess" },
  ])("refuses $password: $reason", async ({ password, reason }) => {
    const check = checkNewPassword(password, "annsmith@example.com");

    await expect(check).rejects.toThrow(HttpError);
    await expect(check).rejects.toThrow(reason);
  });

  it("rates the first 40 characters, so that the longest password costs no more than those", async () => {
    const strong = "4@8({[<3697|!1/0$5+7%2";
    await expect(checkNewPassword("a".repeat(40) + strong, "ann")).rejects.toThrow(HttpError);
    await expect(checkNewPassword(strong + "a".repeat(40), "ann")).resolves.not.toThrow();
  });
});

describe("the work of rating", () => {
  it("is small for a password that can be read in thousands of ways", async () => {
    await checkNewPassword("plum-tree-at-noon", "ann");
    const slice = jest.spyOn(String.prototype, "slice");
    await checkNewPassword("4@8({[<3697|!1/0$5+7%2".repeat(5), "ann@example.com");
    const slices = slice.mock.calls.length;
    slice.mockRestore();

    // Each stands for a word that was looked up: 120,000 with the meter's own settings.
    expect(slices).toBeGreaterThan(1_000);
    expect(slices).toBeLessThan(20_000);
  });

  it("still sees through the usual replacements", async () => {
    for (const weak of ["p4$$w0rd", "P@ssw0rd1", "1l0v3y0u2"]) {
      await expect(checkNewPassword(weak, "ann")).rejects.toThrow(HttpError);
    }
  });
});

describe("the commonest passwords", () => {
  it("are refused: every 100th of the first 3,000 that are long enough", async () => {
    const { dictionary } = await import("@zxcvbn-ts/language-common");
    const common = Object.entries(dictionary)
      .flatMap(([name, words]) => (name.startsWith("passwords") ? words : []))
      .map(String)
      .filter((word) => word.length >= 8)
      .slice(0, 3_000)
      .filter((_, index) => index % 100 === 0);
    expect(common).toHaveLength(30);

    const taken: string[] = [];
    for (const password of common) {
      await checkNewPassword(password, "ann").then(() => taken.push(password), () => undefined);
    }

    expect(taken).toEqual([]);
  });
});

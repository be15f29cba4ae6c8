import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import { HttpError } from "../../src/http/errors.ts";
import { longestUsername, normalizeUsername } from "../../src/accounts/username.ts";

describe("normalizeUsername", () => {
  it.each([
    { typed: "Ann", stored: "ann", why: "case" },
    { typed: "  ann\t", stored: "ann", why: "spaces around" },
    { typed: "Ann@Example.COM", stored: "ann@example.com", why: "an email" },
    { typed: "ａｎｎ", stored: "ann", why: "full-width letters" },
    { typed: "Rene\u0301", stored: "ren\u00e9", why: "a combining accent" },
    { typed: "Straße", stored: "strasse", why: "the sharp s" },
    { typed: "ΟΔΟΣ", stored: "οδοσ", why: "the final sigma" },
    { typed: "ﬁn", stored: "fin", why: "a ligature" },
    { typed: "ann\u00a0 lee", stored: "ann lee", why: "runs of spaces, also unusual ones" },
    { typed: "__proto__", stored: "__proto__", why: "a name that means something to the language" },
    { typed: "李小龍", stored: "李小龍", why: "letters without case" },
    { typed: "a".repeat(longestUsername), stored: "a".repeat(longestUsername), why: "the longest" },
  ])("takes $why: $typed", ({ typed, stored }) => {
    expect(normalizeUsername(typed)).toBe(stored);
  });

  it.each([
    { typed: "", why: "nothing" },
    { typed: " \u3000 ", why: "nothing but spaces" },
    { typed: "a".repeat(longestUsername + 1), why: "too long" },
    { typed: "\ufdfa".repeat(100), why: "too long once normalized" },
    { typed: "a".repeat(1_000_000), why: "far too long" },
    { typed: "an\u0000n", why: "a control character" },
    { typed: "an\u200bn", why: "a zero-width space" },
    { typed: "ann\u202egnp", why: "a change of direction" },
    { typed: "ann\ufe0f", why: "a variation selector" },
    { typed: "\ud800nn", why: "half a character" },
    { typed: "ann\ue000", why: "private use" },
    { typed: "a\nb", why: "a line break" },
  ])("refuses $why", ({ typed }) => {
    expect(() => normalizeUsername(typed)).toThrow(HttpError);
  });

  it("changes nothing the second time, for every single character", () => {
    const unstable: number[] = [];
    // Beyond these planes nothing has a case or another form.
    for (let codePoint = 0; codePoint <= 0x2ffff; codePoint += 1) {
      const character = String.fromCodePoint(codePoint);
      if (character === character.normalize("NFKC") && character.toUpperCase() === character.toLowerCase()) continue;
      const once = stored(character);
      if (once !== undefined && stored(once) !== once) unstable.push(codePoint);
    }
    expect(unstable).toEqual([]);
  });

  it("changes nothing the second time, for any text of letters that have a case, an accent or another form", () => {
    const among = (min: number, max: number) => fc.integer({ min, max });
    // Latin, combining accents, Greek, Cyrillic, Georgian, more Latin and Greek, letter-like signs, ligatures, full
    // width.
    const letters = fc.oneof(among(0x20, 0x24f), among(0x300, 0x52f), among(0x10a0, 0x10ff), among(0x1e00, 0x1fff),
      among(0x2100, 0x218f), among(0xfb00, 0xfb4f), among(0xff01, 0xff5e));
    fc.assert(fc.property(fc.array(letters, { maxLength: 12 }), (codePoints) => {
      const once = stored(String.fromCodePoint(...codePoints));
      expect(once === undefined ? undefined : stored(once)).toBe(once);
    }));
  });
});

function stored(typed: string): string | undefined {
  try {
    return normalizeUsername(typed);
  } catch (error) {
    if (error instanceof HttpError) return undefined;
    throw error;
  }
}

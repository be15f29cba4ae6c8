import { readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "@jest/globals";
import * as z from "zod";

import { throttleRules } from "../../src/accounts/throttle.ts";
import type { ThrottleRule } from "../../src/accounts/throttle-rule.ts";
import { guessesWithin } from "./guesses.ts";

const page = readFileSync(path.join(import.meta.dirname, "../../docs/security.md"), "utf8");

/** The cells of the page's table rows whose first cell matches. */
function rows(first: RegExp): string[][] {
  return page
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.slice(2, -2).split(" | "))
    .filter(([cell = ""]) => first.test(cell));
}

/** Every level 1 item of V6, V7 and V9 in ASVS 5.0.0. */
const levelOne = [
  ...["6.1.1", "6.2.1", "6.2.2", "6.2.3", "6.2.4", "6.2.5", "6.2.6", "6.2.7", "6.2.8", "6.3.1", "6.3.2", "6.4.1",
    "6.4.2"],
  ...["7.2.1", "7.2.2", "7.2.3", "7.2.4", "7.4.1", "7.4.2", "9.1.1", "9.1.2", "9.1.3", "9.2.1"],
];

describe("docs/security.md", () => {
  it("goes through every level 1 item, and is plain about each", () => {
    const items = rows(/^\d\.\d\.\d$/u);

    expect(items.map(([item]) => item)).toEqual(levelOne);
    for (const [item, , state = "", reason = ""] of items) {
      expect({ item, state }).toEqual({ item,
        state: expect.stringMatching(/^(met|partly|not met|does not apply)$/u) });
      expect({ item, reason }).toEqual({ item,
        reason: expect.stringMatching(state === "met" || state === "partly" ? /`[\w-]+\.test\.ts › / : /\w{3}/u) });
    }
  });

  it("names only tests that there are", () => {
    const named = [...page.matchAll(/`([\w-]+\.test\.ts) › ([^`]+)`/gu)];

    expect(named.length).toBeGreaterThan(20);
    for (const [, file = "", titles = ""] of named) {
      const source = readFileSync(path.join(import.meta.dirname, file), "utf8");
      for (const title of titles.split(" › ")) {
        expect({ file, title, found: isTitleIn(source, title) }).toEqual({ file, title, found: true });
      }
    }
  });

  it("states the throttle's numbers as they are", () => {
    const rules = rows(/\(`\w+`\)$/u);

    expect(rules).toHaveLength(4);
    for (const [name = "", free, first, longest, , guesses] of rules) {
      const rule = ruleNamed(/`(\w+)`/u.exec(name)?.[1]);
      expect([name, free, first, longest, guesses]).toEqual([
        name,
        String(rule.free),
        `${String(rule.firstDelaySeconds)} s`,
        `${String(rule.longestDelaySeconds)} s`,
        String(guessesWithin(rule, 86_400)),
      ]);
    }
  });
});

function isTitleIn(source: string, title: string): boolean {
  return [`("${title}"`, `('${title}'`, `\n    "${title}",`, `\n      "${title}",`].some((start) =>
    source.includes(start)
  );
}

function ruleNamed(name: string | undefined): ThrottleRule {
  const { user, userAndNetwork, knownAddress, network } = throttleRules;
  const rule = new Map(Object.entries({ user, userAndNetwork, knownAddress, network })).get(z.string().parse(name));
  if (rule === undefined) throw new Error(`There is no rule ${String(name)}`);
  return rule;
}

import { describe, expect, it } from "@jest/globals";

import { makeOutput } from "../../cli/terminal/output.ts";
import { patiently } from "../../cli/shop/patience.ts";
import { about, barLine, leftAt, startProgress, wordsOf } from "../../cli/terminal/progress.ts";
import { NeedsPersonError, TemporaryError } from "../../src/errors.ts";

describe("the estimate", () => {
  it("goes by the pace of this run alone", () => {
    expect(leftAt({ total: 5_000, done: 2_600, before: 2_500, tookMs: 60_000 })).toBe(", about 24 min left");
    expect(leftAt({ total: 5_000, done: 2_500, before: 2_500, tookMs: 60_000 })).toBe("");
    expect(leftAt({ total: 5_000, done: 5_000, before: 0, tookMs: 60_000 })).toBe("");
  });

  it.each([[20_000, "less than a minute"], [90_000, "about 2 min"], [125 * 60_000, "about 2 h 5 min"]])(
    "says %d ms as %s",
    (ms, words) => {
      expect(about(ms)).toBe(words);
    },
  );
});

describe("a bar", () => {
  const words = (done: number, total: number | null) =>
    wordsOf({ what: "items of the ledger", total, done, before: 0, tookMs: 0 });

  it("is as long as the terminal has columns for it, and gives way to its words", () => {
    expect(barLine(50, 100, words(50, 100), 82)).toBe(
      `${"\u2588".repeat(10)}${"\u2591".repeat(10)} ${words(50, 100)}`,
    );
    expect(barLine(50, 100, words(50, 100), 62)).toBe(words(50, 100));
  });

  it("claims no total that is not known, or that an old count gives: AWS counts a table every six hours", () => {
    for (const total of [null, 0, 17]) {
      expect(barLine(18, total, words(18, total), 80)).toBe("18 items of the ledger so far");
    }
  });
});

describe("progress where no terminal is", () => {
  const lines = (json: boolean): readonly string[] => {
    const said: string[] = [];
    let now = 0;
    const progress = startProgress({ what: "sales", total: 5_000, before: 1_000 }, {
      output: makeOutput({ print: () => undefined, colours: false, json: () => json }),
      questions: null,
      complain: (line) => said.push(line),
      now: () => now,
    });
    for (const done of [1_010, 1_500, 1_990, 2_000]) {
      now += 4_000;
      progress.to(done);
    }
    progress.stop();
    return said;
  };

  it("is a line every ten seconds", () => {
    expect(lines(false)).toEqual(["1,990 of 5,000 sales, 39 %, about 1 min left"]);
  });

  it("is nothing for a script", () => {
    expect(lines(true)).toEqual([]);
  });
});

describe("patience", () => {
  const attempts = async (outcomes: readonly (Error | string)[]) => {
    const waits: number[] = [];
    let nth = 0;
    const attempt = async (): Promise<string> => {
      const outcome = outcomes[nth++] ?? "nothing more was said";
      if (typeof outcome === "string") return outcome;
      throw outcome;
    };
    const result = await patiently(attempt, async (ms) => waits.push(ms)).catch((error: unknown) => error);
    return { result, waits };
  };
  const away = new TemporaryError("GUMROAD_UNREACHABLE", "away");

  it("outlasts a minute of failures", async () => {
    expect(await attempts([away, away, away, away, "here"])).toEqual({ result: "here",
      waits: [1_000, 4_000, 10_000, 45_000] });
  });

  it("ends after that, and at once where waiting can't help", async () => {
    expect((await attempts([away, away, away, away, away])).result).toBe(away);
    const revoked = new NeedsPersonError("GUMROAD_TOKEN", "revoked");
    expect(await attempts([revoked, "here"])).toEqual({ result: revoked, waits: [] });
  });
});

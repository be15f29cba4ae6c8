import { describe, expect, it } from "@jest/globals";

import { markdown, standing } from "../../bench/figures.ts";

describe("what the bench says of a table", () => {
  it("is that the service is ahead, where it is on every row, or as good as level", () => {
    const { notes, unexplained } = standing([{ what: "calls", ours: 3, theirs: 5, better: "less" }, { what: "roles",
      ours: 200, theirs: 9, better: "more" }, { what: "start", ours: 101, theirs: 100, better: "less" }]);
    expect(notes).toEqual(["Ahead of the handbook's way on every row, or level."]);
    expect(unexplained).toEqual([]);
  });

  it("names each row on which the handbook's way is ahead, and why", () => {
    const { notes, unexplained } = standing([{ what: "calls", ours: 3, theirs: 5, better: "less", why: "never" }, {
      what: "cost",
      ours: 5,
      theirs: 1,
      better: "less",
      why: "it has no alarms",
    }, { what: "roles", ours: 1, theirs: 2, better: "more", why: "it guesses" }]);
    expect(notes).toEqual(["**Behind the handbook's way** (cost: 5 ×): it has no alarms.",
      "**Behind the handbook's way** (roles: 0.50 ×): it guesses."]);
    expect(unexplained).toEqual([]);
  });

  it("counts a row on which it is ahead for no known reason, which fails the run", () => {
    const { notes, unexplained } = standing([{ what: "p99", ours: 2, theirs: 1, better: "less" }]);
    expect(unexplained).toEqual(["p99"]);
    expect(notes).toEqual(["**Behind the handbook's way** (p99: 2 ×): no reason is known."]);
  });

  it("stands under the table in Markdown", () => {
    expect(markdown({ title: "T", columns: ["a", "b"], rows: [["1", "2"]], notes: ["n"], unexplained: [] })).toBe(
      "**T**\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n- n",
    );
  });
});

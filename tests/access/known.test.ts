import { describe, expect, it } from "@jest/globals";

import type { Charge, Source } from "../../src/access/facts.ts";
import { endOf, flagsOf, tellsMore } from "../../src/access/known.ts";
import { charge, DAY, JAN_5, reading, source } from "./purchases.ts";

const END = { at: JAN_5 + 60 * DAY, reason: "cancelled" } as const;
const day = (n: number) => JAN_5 + n * DAY;

describe("what became of a charge's money", () => {
  it("is what pings told, until the API was asked; then all of what it said", () => {
    expect(flagsOf(charge({ partlyRefunded: true }))).toMatchObject({ refunded: false, partlyRefunded: true });
    expect(flagsOf(charge({ refunded: true, disputed: true, read: reading(1, { partlyRefunded: true }) })))
      .toMatchObject({ refunded: false, partlyRefunded: true, disputed: false });
  });
});

describe("the end of a subscription", () => {
  const of = (changes: Partial<Source>, ...charges: readonly Charge[]) => endOf(source("club", charges, changes));

  it("is the one that pings told, unless it was restarted or charged since", () => {
    expect(of({ ended: END })).toEqual(END);
    expect(of({ ended: END, restartedAt: END.at })).toBeNull();
    expect(of({ ended: END, restartedAt: END.at - 1 })).toEqual(END);
    expect(of({ ended: END }, charge({ soldAt: END.at + 1 }))).toBeNull();
    expect(of({ ended: END }, charge({ soldAt: END.at + 1, seen: false }))).toEqual(END);
    expect(of({ ended: END }, charge({ soldAt: END.at }))).toEqual(END);
    expect(of({})).toBeNull();
  });

  it("is what the API said, once it was asked", () => {
    expect(of({ ended: END, read: { at: day(70), ended: null } })).toBeNull();
    expect(of({ restartedAt: day(65), read: { at: day(70), ended: END } }, charge({ soldAt: day(66) }))).toEqual(END);
  });
});

describe("an answer of the API", () => {
  const row = charge({ read: reading(9) });
  const answer = source("book", [row]);

  it.each<{ what: string; known: Source | undefined; told: Source }>([
    { what: "nothing is known", known: undefined, told: answer },
    { what: "only a refund was known, of a sale that never came", known: source("book", [charge({ seen: false })]),
      told: answer },
    { what: "another charge is known", known: source("book", [{ ...row, saleId: "s0" }]), told: answer },
    { what: "it says refunded, and pings don't", known: source("book", [charge()]),
      told: source("book", [charge({ read: reading(9, { refunded: true }) })]) },
    { what: "pings say disputed, and it doesn't", known: source("book", [charge({ disputed: true })]), told: answer },
    { what: "it ended", known: source("club", [row]), told: source("club", [], { read: { at: day(9), ended: END } }) },
    { what: "it runs again", known: source("club", [row], { ended: END }),
      told: source("club", [], { read: { at: day(70), ended: null } }) },
  ])("tells more where $what", ({ known, told }) => {
    expect(tellsMore(known, told)).toBe(true);
  });

  it.each<{ what: string; known: Source; told: Source }>([
    { what: "it says the same at another time", known: answer, told: source("book", [charge({ read: reading(10) })]) },
    { what: "pings told all of it", known: source("book", [charge({ refunded: true })]),
      told: source("book", [charge({ read: reading(9, { refunded: true }) })]) },
    { what: "more is known than it shows", known: source("club", [row, { ...row, saleId: "s2" }], { ended: END }),
      told: source("club", [row]) },
    { what: "only the day of the end differs", known: source("club", [row], { ended: END }),
      told: source("club", [], { read: { at: day(70), ended: { ...END, at: END.at + DAY } } }) },
  ])("tells nothing more where $what", ({ known, told }) => {
    expect(tellsMore(known, told)).toBe(false);
  });
});

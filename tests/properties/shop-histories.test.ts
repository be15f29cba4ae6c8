import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import { entitlements } from "../../src/access/entitlements.ts";
import { seed } from "./arbitraries.ts";
import type { Telling } from "./shop-happenings.ts";
import { anyHistory, play, type Moment } from "./shop-play.ts";
import { anyTerms, marketOf, type Market } from "./shop-terms.ts";
import { recordsOf, type Told } from "./shop-told.ts";

/** More of them by hand: `HISTORIES=2000`. */
const numRuns = Number(process.env["HISTORIES"] ?? 150);

/** Chance, for what isn't worth shrinking: numbers from 0 to below 1. */
function chanceFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** All of it, some of it twice, in any order. */
function jumbled(all: readonly Told[], chance: () => number): readonly Told[] {
  const copies = all.flatMap((told) => (chance() < 0.3 ? [told, told] : [told]));
  return copies.map((told) => ({ told, at: chance() })).sort((a, b) => a.at - b.at).map(({ told }) => told);
}

/** Some of it lost, but nothing that has no replacement. */
function thinned(all: readonly Told[], chance: () => number): readonly Told[] {
  const loss = chance();
  return all.filter((told) => told.irreplaceable || chance() >= loss);
}

/** What the API's listings show, and the rows that a ping which came through named. */
function readable(rows: readonly Told[], told: readonly Told[]): readonly Told[] {
  const named = new Set(told.flatMap(({ ping }) => (ping !== null && "saleId" in ping ? [ping.saleId] : [])));
  return rows.filter(({ unlisted }) => unlisted === null || named.has(unlisted));
}

function expectRolesOfTheBooks(all: readonly Told[], { roles, at }: Moment, { policy }: Market): void {
  const records = recordsOf(all);
  const everybody = [...new Set([...roles.keys(), ...records.keys()])];
  const given = everybody.map((email) => ({ email, roles: entitlements(records.get(email) ?? {}, policy, at).roles }));
  expect(given).toEqual(everybody.map((email) => ({ email, roles: roles.get(email) ?? [] })));
}

/** Holds, at every moment asked, what the service is told by then against the books. */
function compare(telling: Telling,
  toldBy: (moment: Moment, before: readonly Moment[], chance: () => number) => readonly Told[]): void {
  fc.assert(fc.property(anyTerms, anyHistory, fc.noShrink(fc.nat()), (terms, history, start) => {
    const market = marketOf(terms);
    const chance = chanceFrom(start);
    const moments = play(market, history, telling);
    for (const [index, moment] of moments.entries()) {
      expectRolesOfTheBooks(jumbled(toldBy(moment, moments.slice(0, index), chance), chance), moment, market);
    }
  }), { seed, numRuns });
}

describe(`a shop's random history (seed ${String(seed)}), at every time asked, gives the roles of its books`, () => {
  it("by pings alone, whatever order they come in and however often", () => {
    compare("pings", ({ told }) => told);
  });

  it("with any pings lost, once every row of Gumroad's API is read, silent acts and all", () => {
    compare("read back", ({ told, rows }, _, chance) => {
      const kept = thinned(told, chance);
      return [...kept, ...readable(rows, kept)];
    });
  });

  it("when older readings come in after the newest", () => {
    compare("read back", ({ told, rows }, before, chance) => {
      const kept = thinned(told, chance);
      return [...kept, ...before.flatMap((moment) => thinned(readable(moment.rows, kept), chance)),
        ...readable(rows, kept)];
    });
  });

  it("but where an operator decided otherwise last", () => {
    compare("operators", ({ told, rows }) => [...told, ...rows]);
  });
});

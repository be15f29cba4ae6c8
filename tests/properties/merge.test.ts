import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import { entitlements } from "../../src/access/entitlements.ts";
import { entriesOf, sourceShape, type Sources } from "../../src/access/facts.ts";
import { addFacts, mergeSource } from "../../src/access/merge.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { DAY, JAN_5 } from "../access/purchases.ts";
import { anyFacts, anySourceId, seed } from "./arbitraries.ts";

const policy = defineProducts([
  { id: "book", name: "Book", roles: ["reader"] },
  { id: "club", name: "Club", variant: "Tier", roles: { Basic: ["club"], Premium: ["club", "premium"] },
    onEnd: { graceDays: 2 } },
]);
const laterOf = (part: object) => new Map<string, unknown>(Object.entries(part)).get("later");
const runs = { seed, numRuns: 300 };

describe(`merging facts (seed ${String(seed)})`, () => {
  it("is commutative", () => {
    fc.assert(fc.property(anyFacts, anyFacts, (a, b) => {
      expect(mergeSource(a, b)).toEqual(mergeSource(b, a));
    }), runs);
  });

  it("is associative", () => {
    fc.assert(fc.property(anyFacts, anyFacts, anyFacts, (a, b, c) => {
      expect(mergeSource(mergeSource(a, b), c)).toEqual(mergeSource(a, mergeSource(b, c)));
    }), runs);
  });

  it("is idempotent", () => {
    fc.assert(fc.property(anyFacts, anyFacts, (a, b) => {
      const both = mergeSource(a, b);
      expect(mergeSource(both, both)).toEqual(both);
      expect(mergeSource(both, a)).toEqual(both);
    }), runs);
  });

  it("gives the same roles at every time asked, whatever the order and however often each ping came", () => {
    const pings = fc.array(fc.tuple(anySourceId, anyFacts), { minLength: 1, maxLength: 8 });
    const shuffled = pings.chain((told) =>
      fc.tuple(fc.constant(told),
        fc.shuffledSubarray([...told, ...told], { minLength: told.length, maxLength: told.length * 2 }).map((
          some,
        ) => [...some, ...told]))
    );
    fc.assert(fc.property(shuffled, fc.integer({ min: -1, max: 25 }), ([told, again], days) => {
      const taken = (list: typeof told) =>
        list.reduce<Sources>((sources, [id, facts]) => addFacts(sources, id, facts), {});
      const now = JAN_5 + days * DAY;
      expect(entitlements(taken(again), policy, now).roles).toEqual(entitlements(taken(told), policy, now).roles);
    }), runs);
  });

  it("keeps the newest reading of each charge and of the subscription, and the last act", () => {
    fc.assert(fc.property(fc.array(anyFacts, { minLength: 1, maxLength: 6 }), (told) => {
      const merged = told.reduce(mergeSource);
      const latest = (times: readonly (number | undefined)[]) =>
        times.reduce<number | undefined>((last, at) => (last === undefined || (at ?? 0) > last ? at : last),
          undefined);
      for (const { saleId, read } of merged.charges) {
        expect(read?.at).toBe(
          latest(told.flatMap(({ charges }) =>
            charges.filter((charge) =>
              charge.saleId === saleId
            ).map((charge) => charge.read?.at)
          )),
        );
      }
      expect(merged.read?.at).toBe(latest(told.map(({ read }) => read?.at)));
      const ofLastMoment = told.flatMap((
        { act },
      ) => (act !== null && act.at === latest(told.map((each) => each.act?.at)) ? [act.id] : []));
      expect(merged.act?.id).toBe(ofLastMoment.sort().at(-1));
    }), runs);
  });

  it("loses nothing that only a later version knows, nor does writing it down and reading it", () => {
    fc.assert(fc.property(anyFacts, anyFacts, (a, b) => {
      const merged = mergeSource(a, b);
      expect(sourceShape.parse(JSON.parse(JSON.stringify(merged)))).toEqual(merged);
      const known = [a, b].flatMap((facts) => [facts, ...facts.charges]).map(laterOf);
      for (const part of [merged, ...merged.charges]) expect(known).toContainEqual(laterOf(part));
      expect(laterOf(merged) === null).toBe(laterOf(a) === null && laterOf(b) === null);
    }), runs);
  });

  it("of two records holds what either knows", () => {
    const record = fc.array(fc.tuple(anySourceId, anyFacts), { maxLength: 4 }).map((told) =>
      told.reduce<Sources>((sources, [id, facts]) => addFacts(sources, id, facts), {})
    );
    const mergeSources = (a: Sources, b: Sources) =>
      entriesOf(b).reduce((sources, [id, facts]) => addFacts(sources, id, facts), a);
    fc.assert(fc.property(record, record, (a, b) => {
      expect(mergeSources(a, b)).toEqual(mergeSources(b, a));
      expect(mergeSources(mergeSources(a, b), b)).toEqual(mergeSources(a, b));
    }), runs);
  });

  it("says when time alone changes the answer: between now and then the roles stay the same", () => {
    const record = fc.array(fc.tuple(anySourceId, anyFacts), { maxLength: 5 }).map((told) =>
      told.reduce<Sources>((sources, [id, facts]) => addFacts(sources, id, facts), {})
    );
    fc.assert(
      fc.property(record, fc.integer({ min: -1, max: 25 }), fc.integer({ min: 0, max: 30 * 24 }),
        (sources, days, hoursLater) => {
          const now = JAN_5 + days * DAY;
          const { roles, changesAt } = entitlements(sources, policy, now);
          const later = now + hoursLater * (DAY / 24);
          if (changesAt === null || later < changesAt) {
            expect(entitlements(sources, policy, later).roles).toEqual(roles);
          }
          if (changesAt !== null) expect(changesAt).toBeGreaterThan(now);
        }),
      runs,
    );
  });
});

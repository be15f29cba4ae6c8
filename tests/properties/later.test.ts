import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import { entitlements } from "../../src/access/entitlements.ts";
import { sourceShape, type Source } from "../../src/access/facts.ts";
import { mergeSource } from "../../src/access/merge.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { newRecord, recordShape } from "../../src/ledger/record.ts";
import { withHolds } from "../../src/provisioning/hold.ts";
import { JAN_5 } from "../access/purchases.ts";
import { anyFacts, seed } from "./arbitraries.ts";

const policy = defineProducts([
  { id: "book", name: "Book", roles: ["reader"] },
  { id: "club", name: "Club", variant: "Tier", roles: { Basic: ["club"], Premium: ["club", "premium"] } },
]);
/** Fields that hold one of a few words. */
const WORDS = ["reason", "gift", "bundle", "type", "kind"];
const runs = { seed, numRuns: 200 };

/** As a later version may have written it: unknown fields everywhere, unknown words where there is one of a few. */
function ofLater(value: unknown, words: readonly string[]): unknown {
  return JSON.parse(JSON.stringify(value), (key, part: unknown) => {
    if (typeof part === "string" && words.includes(key)) return `${part} of later`;
    const isPart = typeof part === "object" && part !== null && !Array.isArray(part);
    return isPart && Object.hasOwn(part, "at") ? { ...part, unheardOf: { kept: true } } : part;
  });
}

const factsOfLater = fc.tuple(anyFacts, fc.subarray(WORDS)).map(([facts, words]) => ofLater(facts, words));

/** One charge of a book, paid. */
function sold(changes: object = {}): Source {
  return sourceShape.parse({ productId: "book", ended: null, restartedAt: null, cancelledAt: null, tierChanges: [],
    read: null, act: null,
    charges: [{ saleId: "s1", seen: true, soldAt: JAN_5, priceCents: 900, variants: [], recurrence: null,
      recurring: false, preorder: false, test: false, gift: "none", refunded: false, partlyRefunded: false,
      disputed: false, disputeWon: false, read: null }], ...changes });
}

const actOfLater = { at: 1, id: "a1", by: "dee", why: "asked", decision: { kind: "suspend", days: 3 } };
const losses = { permit: async () => Promise.resolve(true), noteHeld: async () => Promise.resolve(),
  noteReleased: async () => Promise.resolve() };

describe(`facts of a later version (seed ${String(seed)})`, () => {
  it("are read, merged and written with all that this version doesn't know", () => {
    fc.assert(fc.property(factsOfLater, anyFacts, (written, known) => {
      const read = sourceShape.parse(written);
      expect(JSON.parse(JSON.stringify(read))).toEqual(written);
      const merged = mergeSource(read, known);
      expect(mergeSource(known, read)).toEqual(merged);
      expect(mergeSource(merged, read)).toEqual(merged);
      expect(sourceShape.parse(JSON.parse(JSON.stringify(merged)))).toEqual(merged);
      for (const id of ["sale:s1", "subscription:m1"] as const) entitlements({ [id]: merged }, policy, JAN_5);
    }), runs);
  });

  it("take no access by an act, a kind of gift, a part of a bundle or a change of plan that isn't known", async () => {
    const [charge] = sold().charges;
    const record = { ...newRecord("ann@example.com"), gave: { "sale:s1": ["reader"] } } as const;
    for (const source of [
      sold({ act: actOfLater }),
      sold({ act: actOfLater, charges: [{ ...charge, refunded: true }] }),
      sold({ charges: [{ ...charge, gift: "pooled" }] }),
      sold({
        charges: [{ ...charge,
          read: { at: 1, refunded: false, partlyRefunded: false, disputed: false, disputeWon: false, variants: [],
            bundle: "nested" } }],
      }),
    ]) {
      const sources = { "sale:s1": source } as const;
      const decided = await withHolds({ ...record, sources }, entitlements(sources, policy, JAN_5 + 1), { losses,
        now: () => JAN_5 + 1 });
      expect(decided.roles).toEqual(["reader"]);
    }
    const member = sold({ productId: "club", charges: [{ ...charge, variants: [["Tier", "Premium"]] }],
      tierChanges: [{ at: JAN_5 + 1, toldAt: JAN_5, type: "pause",
        from: { tier: "Premium", recurrence: null, priceCents: null, quantity: null },
        to: { tier: "Basic", recurrence: null, priceCents: null, quantity: null } }] });
    expect(entitlements({ "subscription:m1": member }, policy, JAN_5 + 9).roles).toEqual(["club", "premium"]);
  });

  it("stand in a record whose marks, origins, places and invitations have new words", () => {
    const written = { ...newRecord("ann@example.com"), sources: { "sale:s1": sold({ act: actOfLater }) },
      users: { "auth0|1": { origin: "federated", foreign: [], roles: { reader: "pausing" }, places: ["groups"] } },
      invited: { outcome: "scheduled", at: 1, message: null, asked: null } };
    expect(recordShape.parse(JSON.parse(JSON.stringify(written)))).toEqual(written);
  });

  it("are refused where a word that this version knows lacks what belongs to it", () => {
    const act = { ...actOfLater, decision: { kind: "give" } };
    expect(() => sold({ act })).toThrow();
    expect(() => sold({ act: { ...act, decision: { kind: "give", until: null } } })).not.toThrow();
  });
});

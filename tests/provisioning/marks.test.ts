import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import { newRecord, type BoundUser, type BuyerRecord } from "../../src/ledger/record.ts";
import { changesOf, doubted, marked, settled, withoutUsers } from "../../src/provisioning/marks.ts";
import { seed } from "../properties/arbitraries.ts";

const record = (...users: BoundUser[]): BuyerRecord => ({ ...newRecord("ann@example.com"),
  users: Object.fromEntries(users.map((user, index) => [`auth0|${String(index)}`, user])) });
const user = (roles: BoundUser["roles"], foreign: readonly string[] = []): BoundUser => ({ origin: "created", foreign,
  roles });
const ROLES = ["a", "b", "c"];

describe("marks", () => {
  it("ask for what is desired and not there, and against what we gave and is no longer desired", () => {
    expect(changesOf(marked(record(user({ a: "has", b: "has" })), ["b", "c"]))).toEqual([{ userId: "auth0|0",
      add: ["c"], remove: ["a"] }]);
  });

  it("left by a crash are turned towards what is desired now", () => {
    expect(changesOf(marked(record(user({ a: "adding", b: "removing" })), ["b"]))).toEqual([{ userId: "auth0|0",
      add: ["b"], remove: ["a"] }]);
  });

  it("never touch a role that the user had before we came", () => {
    expect(changesOf(marked(record(user({}, ["a"])), ["a"]))).toEqual([]);
    expect(changesOf(marked(record(user({}, ["a"])), []))).toEqual([]);
  });

  it("are settled into what is there", () => {
    const next = settled(marked(record(user({ a: "has" })), ["b"]));
    expect(next.users["auth0|0"]?.roles).toEqual({ b: "has" });
    expect(changesOf(next)).toEqual([]);
  });

  it("are set for every user of a buyer", () => {
    expect(changesOf(marked(record(user({}), user({ a: "has" })), ["a"]))).toEqual([{ userId: "auth0|0", add: ["a"],
      remove: [] }]);
    expect(Object.keys(withoutUsers(record(user({}), user({})), ["auth0|0"]).users)).toEqual(["auth0|1"]);
  });

  it("are set anew on roles that two writers touched at once", () => {
    const theirs = record(user({ a: "has" }));
    const ours = record(user({ a: "removing", b: "adding" }));
    expect(changesOf(marked(doubted(theirs, ours), ["a"]))).toEqual([{ userId: "auth0|0", add: ["a"],
      remove: ["b"] }]);
  });

  const anyUser = fc.record({ origin: fc.constant("created" as const), foreign: fc.subarray(ROLES),
    roles: fc.dictionary(fc.constantFrom(...ROLES),
      fc.constantFrom("adding" as const, "has" as const, "removing" as const)) });

  it(`settled, leave each user with the desired roles and their own, and nothing to do (seed ${String(seed)})`, () => {
    fc.assert(fc.property(fc.array(anyUser, { maxLength: 3 }), fc.subarray(ROLES), (users, desired) => {
      const before = record(...users);
      const next = settled(marked(before, desired));
      expect(changesOf(marked(next, desired))).toEqual([]);
      for (const [id, { roles, foreign }] of Object.entries(next.users)) {
        for (const role of desired) expect(foreign.includes(role) || roles[role] === "has").toBe(true);
        for (const role of Object.keys(roles)) expect(desired).toContain(role);
        expect(foreign).toEqual(before.users[id]?.foreign);
      }
    }), { seed, numRuns: 200 });
  });
});

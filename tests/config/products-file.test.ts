import { describe, expect, it } from "@jest/globals";

import { rolesOf } from "../../src/access/policy.ts";
import { roleNames } from "../../tenant/role-names.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import products from "../../fixtures/policy.ts";

const book = { id: "b", name: "Book", roles: ["reader"] } as const;

describe("the policy file", () => {
  it("of this project is valid and names its roles", () => {
    expect(roleNames(products)).toEqual(["club", "club-premium", "masterclass", "react-for-dataviz",
      "serverless-handbook"]);
  });

  it("takes every option of docs/policy.md", () => {
    const policy = defineProducts([
      { ...book, onRefund: "keep", onPartialRefund: "remove", onDispute: "keep" },
      { id: "c", name: "Club", variant: "Tier", roles: { Basic: ["club"], Free: [] }, otherwise: ["guest"],
        onEnd: { graceDays: 3 } },
      { id: "t", name: "Team", variant: "Tier", roles: { New: { roles: ["team"], also: ["Old", "Older"] } } },
      { id: "k", name: "Kept", roles: ["kept"], onEnd: "keep" },
      { id: "i", name: "Plan", roles: ["student"], plan: "instalments" },
      { id: "a", name: "All", contains: ["b"], roles: ["collector"] },
    ]);
    expect([...policy.keys()]).toEqual(["b", "c", "t", "k", "i", "a"]);
    expect(roleNames(policy)).toEqual(["club", "collector", "guest", "kept", "reader", "student", "team"]);
  });

  // Called past the type check, which refuses most of these already: see the next test.
  it.each<{ mistake: string; entries: unknown; says: string }>([
    { mistake: "a duplicate id", entries: [book, { ...book, name: "Again" }],
      says: "entry 2 (Again): the id b is used by an entry above" },
    { mistake: "empty roles", entries: [{ ...book, roles: [] }],
      says: 'entry 1 (Book): "roles" needs at least one role' },
    { mistake: "an unknown option", entries: [{ ...book, onRefunds: "keep" }],
      says: 'entry 1 (Book): unknown option "onRefunds"' },
    { mistake: "a wrong value", entries: [{ ...book, onRefund: "maybe" }],
      says: 'entry 1 (Book): "onRefund" takes "keep" or "remove"' },
    { mistake: "a wrong end", entries: [{ ...book, onEnd: "remove" }],
      says: '"onEnd" takes "keep" or { graceDays: 3 }; left out, access ends at once' },
    { mistake: "a wrong plan", entries: [{ ...book, plan: "monthly" }], says: '"plan" takes "instalments"' },
    { mistake: "a role that is no list", entries: [{ ...book, roles: "reader" }],
      says: '"roles" takes a list of role names, as ["club"]' },
    { mistake: "roles by no option", entries: [{ ...book, variant: "Tier", roles: ["club"] }],
      says: '"roles" takes the roles of each option, as { Basic: ["club"] }' },
    { mistake: "an option that gives no list", entries: [{ ...book, variant: "Tier", roles: { Basic: "club" } }],
      says: '"roles.Basic" takes a list of role names, or { roles: ["club"], also: ["its former name"] }' },
    { mistake: "a missing id", entries: [{ name: "Book", roles: ["reader"] }],
      says: 'entry 1 (Book): "id" takes a text' },
    { mistake: "no roles at all", entries: [{ id: "b", name: "Book" }], says: 'entry 1 (Book): "roles"' },
    { mistake: "an empty role name", entries: [{ ...book, roles: [" "] }], says: 'entry 1 (Book): "roles.0"' },
    { mistake: "options without a single role", entries: [{ ...book, variant: "Tier", roles: { Basic: [] } }],
      says: 'entry 1 (Book): "roles" needs at least one role' },
    { mistake: "options that people read as one",
      entries: [{ ...book, variant: "Tier", roles: { Pro: ["pro"], Basic: { roles: ["reader"], also: ["PRO "] } } }],
      says: 'entry 1 (Book): "roles" lists two options that read the same' },
    { mistake: "a bundle of nothing", entries: [{ id: "a", name: "All", contains: [] }],
      says: 'entry 1 (All): "contains" needs' },
    { mistake: "blanks around a role name", entries: [{ ...book, roles: [" reader "] }],
      says: 'entry 1 (Book): "roles.0" must be a role name' },
    { mistake: "a bundle of what isn't listed", entries: [book, { id: "a", name: "All", contains: ["x"] }],
      says: 'entry 2 (All): "contains" names x, which no entry has' },
    { mistake: "a negative grace", entries: [{ ...book, onEnd: { graceDays: -1 } }],
      says: '"onEnd.graceDays" takes 0 to 365 days' },
    { mistake: "no object", entries: ["book"], says: "entry 1 (without a name)" },
  ])("with $mistake is refused, naming the entry", ({ entries, says }) => {
    expect(() => Reflect.apply(defineProducts, undefined, [entries])).toThrow(
      expect.objectContaining({ code: "POLICY_INVALID", message: expect.stringContaining(says) }),
    );
  });

  it("is refused by the type check where its shape is wrong", () => {
    // @ts-expect-error an unknown option
    expect(() => defineProducts([{ ...book, colour: "red" }])).toThrow();
    // @ts-expect-error a product that gives nothing
    expect(() => defineProducts([{ id: "b", name: "Book" }])).toThrow();
    // @ts-expect-error roles by option without saying which option
    expect(() => defineProducts([{ id: "b", name: "Book", roles: { Basic: ["club"] } }])).toThrow();
  });

  it("gives a product's roles by its own option names only", () => {
    const club = { id: "c", name: "Club", variant: "Tier", roles: { Basic: ["club"] } };
    expect(rolesOf(club, "Basic")).toEqual({ roles: ["club"], listed: true });
    expect(rolesOf(club, "toString")).toEqual({ roles: [], listed: false });
    expect(rolesOf(club, null)).toEqual({ roles: [], listed: false });
  });
});

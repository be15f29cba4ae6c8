import { describe, expect, it } from "@jest/globals";

import { entitlements } from "../../src/access/entitlements.ts";
import type { Charge, Source, TierChange } from "../../src/access/facts.ts";
import { mergeSource } from "../../src/access/merge.ts";
import type { Product } from "../../src/access/policy.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { charge, DAY, JAN_5, plan, reading, source } from "./purchases.ts";

const NOW = JAN_5 + 100 * DAY;
const club: Product = { id: "club", name: "Club", variant: "Tier",
  roles: { Basic: ["club"], Premium: ["club", "premium"] } };
const options = (name: string, category = "Tier") => [[category, name] as const];
const verdictOf = (facts: Source, product: Product = club, now = NOW) => {
  const access = entitlements({ "subscription:m1": facts }, defineProducts([product]), now);
  return { ...access.verdicts[0], roles: access.roles };
};
/** A month that the API showed under these names, one day after the other. */
const month = (saleId: string, day: number, ...names: readonly string[]): Source =>
  names.map((name, index) =>
    source("club", [
      charge({ saleId, soldAt: JAN_5 + day * DAY, variants: options(name), recurring: day > 0,
        read: reading(day + index, { variants: options(name) }) }),
    ])
  ).reduce(mergeSource, source("club", []));
const together = (...facts: readonly Source[]) => facts.reduce(mergeSource);

describe("a renamed option", () => {
  const renamed = "Premium (2026)";

  it.each<{ what: string; facts: Source }>([
    { what: "of which the API shows the new name for old charges too", facts: month("s1", 0, "Premium", renamed) },
    { what: "at the renewal, read back",
      facts: together(month("s1", 0, "Premium", renamed), month("s2", 31, renamed)) },
    { what: "at the renewal, by pings alone",
      facts: source("club", [charge({ variants: options("Premium") }),
        charge({ saleId: "s2", soldAt: JAN_5 + 31 * DAY, recurring: true, variants: options(renamed) })]) },
    { what: "twice", facts: month("s1", 0, "Premium", renamed, "Gold") },
    { what: "together with its category",
      facts: together(month("s1", 0, "Premium"),
        source("club", [charge({ read: reading(9, { variants: options(renamed, "Level") }) })])) },
  ])("takes nothing from anybody, and is told: $what", ({ facts }) => {
    expect(verdictOf(facts)).toMatchObject({ access: true, variant: "Premium", roles: ["club", "premium"],
      unsure: false });
  });

  it("is told by its new name, until the policy lists that", () => {
    const facts = together(month("s1", 0, "Basic"), month("s2", 31, "Starter"));
    expect(verdictOf(facts)).toMatchObject({ variant: "Basic", unlisted: "Starter" });
    const also: Product = { ...club, roles: { Starter: { roles: ["club"], also: ["Basic"] }, Premium: ["premium"] } };
    expect(verdictOf(facts, also)).toMatchObject({ variant: "Starter", unlisted: null, roles: ["club"] });
    expect(verdictOf(month("s1", 0, "Basic"), also)).toMatchObject({ variant: "Starter", roles: ["club"] });
  });

  it.each(["premium", " PREMIUM ", "Pre\u200bmium", "Ｐｒｅｍｉｕｍ", "Premium\u202e"])(
    "isn't one where people read the same: %j",
    (name) => {
      expect(verdictOf(month("s1", 0, name)).roles).toEqual(["club", "premium"]);
    },
  );

  it("keeps an upgrade that was told by ping before", () => {
    const told = { at: JAN_5 + 5 * DAY, toldAt: JAN_5 + 5 * DAY, type: "upgrade", from: plan("Basic"),
      to: plan("Premium") } as const;
    const facts = { ...together(month("s1", 0, "Basic"), month("s2", 31, renamed)), tierChanges: [told] };
    expect(verdictOf(facts)).toMatchObject({ variant: "Premium", unlisted: renamed, roles: ["club", "premium"] });
  });

  it("can be left by a downgrade that names it as it is called now", () => {
    const told = { at: JAN_5 + 31 * DAY, toldAt: JAN_5 + 9 * DAY, type: "downgrade", from: plan(renamed),
      to: plan("Basic") } as const;
    const facts = { ...month("s1", 0, "Premium", renamed), tierChanges: [told] };
    expect(verdictOf(facts, club, told.at - 1).roles).toEqual(["club", "premium"]);
    expect(verdictOf(facts).roles).toEqual(["club"]);
  });

  it("keeps the higher tier after a downgrade into a name that the policy doesn't list", () => {
    const facts = together(month("s1", 0, "Premium"), month("s2", 31, "Student"));
    expect(verdictOf(facts)).toMatchObject({ variant: "Premium", unlisted: "Student", roles: ["club", "premium"] });
    expect(verdictOf(together(facts, month("s3", 62, "Basic")))).toMatchObject({ variant: "Basic", unlisted: null,
      roles: ["club"] });
  });

  it("leaves the decision to a policy's `otherwise`, as that is meant for every other name", () => {
    const guests: Product = { ...club, otherwise: ["guest"] };
    expect(verdictOf(month("s1", 0, "Premium", renamed), guests)).toMatchObject({ roles: ["guest"], unsure: false });
    expect(verdictOf(together(month("s1", 0, "Premium"), month("s2", 31, "Student")), guests).roles).toEqual([
      "guest",
    ]);
  });

  it("gives nothing to who never had a listed one; whoever it gave something to keeps that for now", () => {
    expect(verdictOf(month("s1", 0, "Gold"))).toMatchObject({ access: true, roles: [], unlisted: "Gold",
      variantListed: false, unsure: true });
  });

  it("goes by the latest of the names that the policy lists, where the seller changed one buyer's", () => {
    expect(verdictOf(month("s1", 0, "Basic", "Premium")).roles).toEqual(["club", "premium"]);
    expect(verdictOf(month("s1", 0, "Premium", "Basic")).roles).toEqual(["club"]);
    expect(verdictOf(month("s1", 0, "Premium", "Basic", "Premium")).roles).toEqual(["club", "premium"]);
  });
});

describe("changes of plan that only pings tell of", () => {
  const basic = charge({ variants: options("Basic") });
  const upgrade = (day: number, told: number, tier: string | null = "Premium"): TierChange => ({ at: JAN_5 + day * DAY,
    toldAt: JAN_5 + told * DAY, type: "upgrade", from: plan("Basic"), to: { ...plan("Basic"), tier } });
  const of = (tierChanges: readonly TierChange[], charges: readonly Charge[] = [basic], changes: Partial<Source> = {},
    product: Product = club) => verdictOf(source("club", charges, { tierChanges, ...changes }), product);
  const renewal = (day: number, tier: string) =>
    charge({ saleId: `s${String(day)}`, soldAt: JAN_5 + day * DAY, recurring: true, variants: options(tier) });

  it("count an upgrade from when it was told, not from a day ahead", () => {
    const ahead = [1, 31, 62, 93, 124, 155].map((day) => upgrade(day, 1));
    expect(of(ahead)).toMatchObject({ roles: ["club", "premium"], unconfirmed: 6 });
    expect(of(ahead, [basic, renewal(31, "Basic"), renewal(62, "Basic")])).toMatchObject({ roles: ["club"],
      unconfirmed: 0 });
  });

  it("are as nothing where there is no such tier, whatever the policy gives otherwise", () => {
    for (const tier of ["Nonsense", null, "__proto__"]) {
      expect(of([upgrade(1, 1, tier)]).roles).toEqual(["club"]);
      expect(of([{ ...upgrade(1, 1, tier), type: "downgrade" }]).roles).toEqual(["club"]);
      expect(of([upgrade(1, 1, tier)], [basic], {}, { ...club, otherwise: [] }).roles).toEqual(["club"]);
    }
  });

  it("count where a charge was made with a tier that only `otherwise` is for", () => {
    const guests: Product = { ...club, otherwise: ["guest"] };
    expect(of([upgrade(1, 1, "Student")], [basic, { ...renewal(1, "Student") }], {}, guests).roles).toEqual(["guest"]);
  });

  it("give way to a charge of the very same moment, but not to the first sale", () => {
    const downgrade: TierChange = { ...upgrade(31, 5), type: "downgrade", from: plan("Premium"), to: plan("Basic") };
    const premium = charge({ variants: options("Premium") });
    expect(of([downgrade], [premium]).roles).toEqual(["club"]);
    expect(of([downgrade], [premium, renewal(31, "Premium")]).roles).toEqual(["club", "premium"]);
    expect(of([upgrade(0, 0)]).roles).toEqual(["club", "premium"]);
  });

  it("are confirmed by a charge of their tier just before, or any after", () => {
    const { at } = upgrade(40, 40);
    const prorated = charge({ saleId: "s40", soldAt: at - 2_000, recurring: true, variants: options("Premium") });
    expect(of([upgrade(40, 40)])).toMatchObject({ unconfirmed: 1 });
    expect(of([upgrade(40, 40)], [basic, prorated])).toMatchObject({ unconfirmed: 0, roles: ["club", "premium"] });
    expect(of([upgrade(40, 40)], [basic, renewal(62, "Premium")])).toMatchObject({ unconfirmed: 0 });
  });

  it("are dropped by an operator, until another is told", () => {
    const dropped = { changesDroppedAt: JAN_5 + 50 * DAY };
    expect(of([upgrade(40, 40), upgrade(90, 40)], [basic], dropped)).toMatchObject({ roles: ["club"],
      unconfirmed: 0 });
    expect(of([upgrade(40, 40), upgrade(60, 60)], [basic], dropped).roles).toEqual(["club", "premium"]);
  });

  it("told twice are one, from the first time on", () => {
    const once = source("club", [basic], { tierChanges: [upgrade(40, 20)] });
    const again = source("club", [], { tierChanges: [upgrade(40, 30)] });
    expect(mergeSource(again, once).tierChanges).toEqual([upgrade(40, 20)]);
  });
});

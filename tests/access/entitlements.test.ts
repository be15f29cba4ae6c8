import { describe, expect, it } from "@jest/globals";

import { entitlements } from "../../src/access/entitlements.ts";
import type { Charge, Source, SourceId } from "../../src/access/facts.ts";
import type { Product } from "../../src/access/policy.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { charge, DAY, JAN_5, plan, source } from "./purchases.ts";

const NOW = JAN_5 + 100 * DAY;
const book: Product = { id: "book", name: "Book", roles: ["reader"] };
const club: Product = { id: "club", name: "Club", variant: "Tier", roles: { Basic: ["club"], Premium: ["club", "premium"] } };
const course: Product = { id: "course", name: "Course", roles: ["student"], plan: "instalments" };

function verdictOf(product: Product, id: SourceId, facts: Source, now = NOW) {
  const access = entitlements({ [id]: facts }, defineProducts([product]), now);
  return { reason: access.verdicts[0]?.reason, roles: access.roles, changesAt: access.changesAt };
}
const ofSale = (product: Product, changes: Partial<Charge>) => verdictOf(product, "sale:s1", source(product.id, [charge(changes)]));

describe("a single sale", () => {
  it.each<{ known: string; changes: Partial<Charge>; reason: string; access: boolean }>([
    { known: "paid", changes: {}, reason: "paid", access: true },
    { known: "fully refunded", changes: { refunded: true }, reason: "refunded", access: false },
    { known: "partly refunded", changes: { partlyRefunded: true }, reason: "partly-refunded-kept", access: true },
    { known: "partly, then fully refunded", changes: { partlyRefunded: true, refunded: true }, reason: "refunded", access: false },
    { known: "disputed", changes: { disputed: true }, reason: "disputed", access: false },
    { known: "dispute won", changes: { disputed: true, disputeWon: true }, reason: "dispute-won", access: true },
    { known: "dispute won, but refunded", changes: { disputed: true, disputeWon: true, refunded: true }, reason: "refunded", access: false },
    { known: "a gift, to its receiver", changes: { gift: "received", priceCents: 0 }, reason: "gift", access: true },
    { known: "a preorder's authorization", changes: { preorder: true }, reason: "preorder", access: false },
    { known: "the seller's test purchase", changes: { test: true }, reason: "test-purchase", access: true },
    { known: "a refund without its sale", changes: { seen: false, refunded: true }, reason: "not-sold", access: false },
  ])("$known: access $access", ({ changes, reason, access }) => {
    expect(ofSale(book, changes)).toMatchObject({ reason, roles: access ? ["reader"] : [] });
  });

  it.each<{ option: string; product: Product; changes: Partial<Charge>; reason: string; access: boolean }>([
    { option: 'onRefund "keep"', product: { ...book, onRefund: "keep" }, changes: { refunded: true }, reason: "refunded-kept", access: true },
    { option: 'onPartialRefund "remove"', product: { ...book, onPartialRefund: "remove" }, changes: { partlyRefunded: true }, reason: "partly-refunded", access: false },
    { option: 'onDispute "keep"', product: { ...book, onDispute: "keep" }, changes: { disputed: true }, reason: "disputed-kept", access: true },
  ])("follows the policy's $option", ({ product, changes, reason, access }) => {
    expect(ofSale(product, changes)).toMatchObject({ reason, roles: access ? ["reader"] : [] });
  });

  it("gives nothing for a product outside the policy, until the policy lists it", () => {
    const facts = { "sale:s1": source("mug", [charge()]) } as const;
    expect(entitlements(facts, defineProducts([book]), NOW)).toMatchObject({ roles: [], verdicts: [{ reason: "not-in-policy" }] });
    expect(entitlements(facts, defineProducts([{ id: "mug", name: "Mug", roles: ["drinker"] }]), NOW).roles).toEqual(["drinker"]);
  });

  it("gives a role as long as any of two purchases gives it", () => {
    const two = (refunded: boolean) => ({ "sale:s1": source("book", [charge({ refunded: true })]), "sale:s2": source("book", [charge({ saleId: "s2", refunded })]) }) as const;
    expect(entitlements(two(false), defineProducts([book]), NOW).roles).toEqual(["reader"]);
    expect(entitlements(two(true), defineProducts([book]), NOW).roles).toEqual([]);
  });
});

describe("options", () => {
  const bought = (name: string) => ofSaleWith([["Tier", name]]);
  const ofSaleWith = (variants: Charge["variants"], product: Product = club) => entitlements({ "sale:s1": source("club", [charge({ variants })]) }, defineProducts([product]), NOW);

  it("give the roles of the bought one", () => {
    expect(bought("Basic").roles).toEqual(["club"]);
    expect(bought("Premium").roles).toEqual(["club", "premium"]);
  });

  it.each(["Gold", "constructor", "toString", "__proto__"])("give nothing, and say so, for %s, which the policy doesn't list", (name) => {
    expect(bought(name)).toMatchObject({ roles: [], verdicts: [{ access: true, variantListed: false }] });
  });

  it("give `otherwise` where the policy says so, also for a sale without any option", () => {
    const product: Product = { ...club, otherwise: ["guest"] };
    expect(ofSaleWith([["Tier", "Gold"]], product).roles).toEqual(["guest"]);
    expect(ofSaleWith([], product).roles).toEqual(["guest"]);
  });
});

describe("a bundle", () => {
  const bundle: Product = { id: "all", name: "All", contains: ["book"] };
  const policy = defineProducts([book, bundle]);
  const child = charge({ saleId: "child", priceCents: 0, soldAt: JAN_5 + 60_000 });
  const withBundle = (changes: Partial<Charge>, of: Charge = child) =>
    entitlements({ "sale:bundle": source("all", [charge({ saleId: "bundle", ...changes })]), "sale:child": source("book", [of]) }, policy, NOW);

  it("gives its products' roles through their own pings", () => {
    expect(withBundle({}).roles).toEqual(["reader"]);
  });

  it("takes them with it when it is refunded or disputed, which only the bundle's ping tells", () => {
    expect(withBundle({ refunded: true })).toMatchObject({ roles: [], verdicts: [{ reason: "refunded" }, { reason: "bundle-gone" }] });
    expect(withBundle({ disputed: true }).roles).toEqual([]);
  });

  it("has nothing to do with a product that was paid for, sold at another time, or given by somebody else", () => {
    expect(withBundle({ refunded: true }, { ...child, priceCents: 100 }).roles).toEqual(["reader"]);
    expect(withBundle({ refunded: true }, { ...child, soldAt: JAN_5 + 11 * 60_000 }).roles).toEqual(["reader"]);
    expect(withBundle({ refunded: true }, { ...child, gift: "received" }).roles).toEqual(["reader"]);
  });

  it("paid in instalments takes them with it when payment stops or a charge is refunded", () => {
    const inParts = defineProducts([book, { ...bundle, plan: "instalments" }]);
    const of = (facts: Partial<Source>, paid: Charge = charge()) => entitlements({ "subscription:b": source("all", [paid], facts), "sale:child": source("book", [child]) }, inParts, NOW).roles;
    expect(of({})).toEqual(["reader"]);
    expect(of({ ended: { at: JAN_5 + DAY, reason: "fixed_subscription_period_ended" } })).toEqual(["reader"]);
    expect(of({ ended: { at: JAN_5 + DAY, reason: "failed_payment" } })).toEqual([]);
    expect(of({}, charge({ refunded: true }))).toEqual([]);
  });

  it("that comes after its child changes nothing, and two on one day stand for each other", () => {
    expect(entitlements({ "sale:child": source("book", [child]) }, policy, NOW).roles).toEqual(["reader"]);
    const other = { "sale:other": source("all", [charge({ saleId: "other" })]) } as const;
    const facts = { "sale:bundle": source("all", [charge({ saleId: "bundle", refunded: true })]), "sale:child": source("book", [child]), ...other } as const;
    expect(entitlements(facts, policy, NOW).roles).toEqual(["reader"]);
  });
});

describe("a membership", () => {
  const month = charge({ variants: [["Tier", "Basic"]] });
  const of = (changes: Partial<Source>, product: Product = club, now = NOW, charges: readonly Charge[] = [month]) =>
    verdictOf(product, "subscription:m1", source("club", charges, changes), now);
  const ended = { at: JAN_5 + 60 * DAY, reason: "cancelled" } as const;

  it("bought by its own seller is marked as a test", () => {
    const access = entitlements({ "subscription:m1": source("club", [{ ...month, test: true }]) }, defineProducts([club]), NOW);
    expect(access.verdicts).toMatchObject([{ reason: "running", test: true }]);
  });

  it("runs until it ends, also when it is cancelled for later", () => {
    expect(of({})).toMatchObject({ reason: "running", roles: ["club"] });
    expect(of({ cancelledAt: JAN_5 + 200 * DAY })).toMatchObject({ reason: "cancelled-running", roles: ["club"] });
  });

  it.each(["cancelled", "failed_payment", "fixed_subscription_period_ended", "unknown"] as const)("ends at once when it ended (%s)", (reason) => {
    expect(of({ ended: { ...ended, reason } })).toMatchObject({ reason: "ended", roles: [] });
  });

  it("lasts for the days of grace, and says when they are over", () => {
    const graceful: Product = { ...club, onEnd: { graceDays: 3 } };
    const over = ended.at + 3 * DAY;
    expect(of({ ended }, graceful, over - 1)).toEqual({ reason: "in-grace", roles: ["club"], changesAt: over });
    expect(of({ ended }, graceful, over)).toEqual({ reason: "ended", roles: [], changesAt: null });
  });

  it('is kept after its end where the policy says "keep"', () => {
    expect(of({ ended }, { ...club, onEnd: "keep" })).toMatchObject({ reason: "ended-kept", roles: ["club"] });
  });

  it("runs again once restarted at or after its end, or charged after it; not by a restart before", () => {
    expect(of({ ended, restartedAt: ended.at })).toMatchObject({ reason: "restarted", roles: ["club"] });
    expect(of({ ended, restartedAt: ended.at - 1 })).toMatchObject({ reason: "ended", roles: [] });
    const later = { ...month, saleId: "s2", recurring: true, soldAt: ended.at + 1 };
    expect(of({ ended }, club, NOW, [month, later])).toMatchObject({ reason: "restarted", roles: ["club"] });
  });

  it("goes on when one charge is refunded or disputed, unless the policy says otherwise and no newer charge was paid", () => {
    const refunded = [{ ...month, refunded: true }];
    expect(of({}, club, NOW, refunded)).toMatchObject({ reason: "running", roles: ["club"] });
    expect(of({}, { ...club, onRefund: "remove" }, NOW, refunded)).toMatchObject({ reason: "refunded", roles: [] });
    const newer = { ...month, saleId: "s2", soldAt: JAN_5 + 30 * DAY };
    expect(of({}, { ...club, onRefund: "remove" }, NOW, [...refunded, newer])).toMatchObject({ reason: "running", roles: ["club"] });
    expect(of({}, { ...club, onDispute: "remove" }, NOW, [{ ...month, disputed: true }])).toMatchObject({ reason: "disputed", roles: [] });
  });

  describe("with tiers", () => {
    const upgrade = { at: JAN_5 + 40 * DAY, type: "upgrade", from: plan("Basic"), to: plan("Premium") } as const;
    const downgrade = { at: JAN_5 + 90 * DAY, type: "downgrade", from: plan("Premium"), to: plan("Basic") } as const;

    it("has the new tier at once after an upgrade", () => {
      expect(of({ tierChanges: [upgrade] }, club, upgrade.at - 1)).toEqual({ reason: "running", roles: ["club"], changesAt: upgrade.at });
      expect(of({ tierChanges: [upgrade] }, club, upgrade.at).roles).toEqual(["club", "premium"]);
    });

    it("keeps the old tier until a downgrade's day, and says when that is", () => {
      const premium = [{ ...month, variants: [["Tier", "Premium"]] as const }];
      expect(of({ tierChanges: [downgrade] }, club, downgrade.at - 1, premium)).toEqual({ reason: "running", roles: ["club", "premium"], changesAt: downgrade.at });
      expect(of({ tierChanges: [downgrade] }, club, downgrade.at, premium).roles).toEqual(["club"]);
    });

    it("drops a downgrade whose tier was left by an upgrade before", () => {
      const gold: Product = { ...club, roles: { Basic: ["club"], Premium: ["premium"], Gold: ["gold"] } };
      const toGold = { at: JAN_5 + 50 * DAY, type: "upgrade", from: plan("Premium"), to: plan("Gold") } as const;
      expect(of({ tierChanges: [upgrade, toGold, downgrade] }, gold).roles).toEqual(["gold"]);
    });

    it("drops a downgrade when the same tier was upgraded to another price or period before", () => {
      const monthly = plan("Premium", { recurrence: "monthly", priceCents: 3000 });
      const yearly = plan("Premium", { recurrence: "yearly", priceCents: 30_000 });
      const toYearly = { at: JAN_5 + 50 * DAY, type: "upgrade", from: monthly, to: yearly } as const;
      const premium = [{ ...month, variants: [["Tier", "Premium"]] as const, recurrence: "monthly" }];
      const pending = { ...downgrade, from: monthly };
      expect(of({ tierChanges: [toYearly, pending] }, club, NOW, premium).roles).toEqual(["club", "premium"]);
      expect(of({ tierChanges: [pending] }, club, NOW, premium).roles).toEqual(["club"]);
      // A renewal of the upgraded plan says less than the upgrade did: it doesn't bring the downgrade back.
      const renewal = { ...month, saleId: "s2", soldAt: JAN_5 + 89 * DAY, variants: [["Tier", "Premium"]] as const, recurrence: "yearly" };
      expect(of({ tierChanges: [toYearly, pending] }, club, NOW, [...premium, renewal]).roles).toEqual(["club", "premium"]);
    });

    it("gives the most roles of two downgrades for the same day", () => {
      const three: Product = { ...club, roles: { Basic: ["club"], Mid: ["club", "mid"], Premium: ["club", "mid", "premium"] } };
      const premium = [{ ...month, variants: [["Tier", "Premium"]] as const }];
      const toMid = { ...downgrade, to: plan("Mid") };
      expect(of({ tierChanges: [downgrade, toMid] }, three, NOW, premium).roles).toEqual(["club", "mid"]);
      expect(of({ tierChanges: [toMid, downgrade] }, three, NOW, premium).roles).toEqual(["club", "mid"]);
    });

    it("keeps the tier when a later charge names none", () => {
      const later = { ...month, saleId: "s2", soldAt: JAN_5 + 30 * DAY, variants: [] };
      expect(of({}, club, NOW, [month, later]).roles).toEqual(["club"]);
    });

    it("takes the tier of the next renewal", () => {
      const renewal = { ...month, saleId: "s2", recurring: true, soldAt: JAN_5 + 60 * DAY, variants: [["Tier", "Premium"]] as const };
      expect(of({}, club, NOW, [month, renewal]).roles).toEqual(["club", "premium"]);
    });

    it("lets an update beat a sale of the same second", () => {
      expect(of({ tierChanges: [{ ...upgrade, at: JAN_5 }] }).roles).toEqual(["club", "premium"]);
    });
  });
});

describe("an instalment plan", () => {
  const of = (changes: Partial<Source>, product: Product = course, charges: readonly Charge[] = [charge()]) => verdictOf(product, "subscription:i1", source("course", charges, changes));
  const ended = (reason: "cancelled" | "fixed_subscription_period_ended") => ({ ended: { at: JAN_5 + 90 * DAY, reason } });

  it("gives access while it is paid, and for good once paid off", () => {
    expect(of({})).toMatchObject({ reason: "running", roles: ["student"] });
    expect(of(ended("fixed_subscription_period_ended"))).toMatchObject({ reason: "paid-off", roles: ["student"] });
  });

  it("loses it when payment stops, or a charge is refunded or disputed, paid off or not", () => {
    expect(of(ended("cancelled"))).toMatchObject({ reason: "ended", roles: [] });
    expect(of({}, course, [charge(), charge({ saleId: "s2", refunded: true })])).toMatchObject({ reason: "refunded", roles: [] });
    expect(of(ended("fixed_subscription_period_ended"), course, [charge({ disputed: true })])).toMatchObject({ reason: "disputed", roles: [] });
    expect(of({}, course, [charge({ disputed: true, disputeWon: true })])).toMatchObject({ reason: "running", roles: ["student"] });
  });
});

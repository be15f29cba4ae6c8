import { describe, expect, it } from "@jest/globals";

import { entitlements } from "../../src/access/entitlements.ts";
import type { Charge, Source, SourceId } from "../../src/access/facts.ts";
import { addFacts, mergeSource } from "../../src/access/merge.ts";
import type { Product } from "../../src/access/policy.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { act, charge, DAY, JAN_5, plan, reading, source } from "./purchases.ts";

const NOW = JAN_5 + 100 * DAY;
const book: Product = { id: "book", name: "Book", roles: ["reader"] };
const club: Product = { id: "club", name: "Club", variant: "Tier",
  roles: { Basic: ["club"], Premium: ["club", "premium"] } };
const course: Product = { id: "course", name: "Course", roles: ["student"], plan: "instalments" };

function verdictOf(product: Product, id: SourceId, facts: Source, now = NOW) {
  const access = entitlements({ [id]: facts }, defineProducts([product]), now);
  return { reason: access.verdicts[0]?.reason, roles: access.roles, changesAt: access.changesAt };
}
const ofSale = (product: Product, changes: Partial<Charge>) =>
  verdictOf(product, "sale:s1", source(product.id, [charge(changes)]));

describe("a single sale", () => {
  it.each<{ known: string; changes: Partial<Charge>; reason: string; access: boolean }>([
    { known: "paid", changes: {}, reason: "paid", access: true },
    { known: "fully refunded", changes: { refunded: true }, reason: "refunded", access: false },
    { known: "partly refunded", changes: { partlyRefunded: true }, reason: "partly-refunded-kept", access: true },
    { known: "partly, then fully refunded", changes: { partlyRefunded: true, refunded: true }, reason: "refunded",
      access: false },
    { known: "disputed", changes: { disputed: true }, reason: "disputed", access: false },
    { known: "dispute won", changes: { disputed: true, disputeWon: true }, reason: "dispute-won", access: true },
    { known: "dispute won, but refunded", changes: { disputed: true, disputeWon: true, refunded: true },
      reason: "refunded", access: false },
    { known: "a gift, to its receiver", changes: { gift: "received", priceCents: 0 }, reason: "gift", access: true },
    { known: "a preorder's authorization", changes: { preorder: true }, reason: "preorder", access: false },
    { known: "the seller's test purchase", changes: { test: true }, reason: "test-purchase", access: true },
    { known: "a refund without its sale", changes: { seen: false, refunded: true }, reason: "not-sold",
      access: false },
  ])("$known: access $access", ({ changes, reason, access }) => {
    expect(ofSale(book, changes)).toMatchObject({ reason, roles: access ? ["reader"] : [] });
  });

  it.each<{ option: string; product: Product; changes: Partial<Charge>; reason: string; access: boolean }>([
    { option: 'onRefund "keep"', product: { ...book, onRefund: "keep" }, changes: { refunded: true },
      reason: "refunded-kept", access: true },
    { option: 'onPartialRefund "remove"', product: { ...book, onPartialRefund: "remove" },
      changes: { partlyRefunded: true }, reason: "partly-refunded", access: false },
    { option: 'onDispute "keep"', product: { ...book, onDispute: "keep" }, changes: { disputed: true },
      reason: "disputed-kept", access: true },
  ])("follows the policy's $option", ({ product, changes, reason, access }) => {
    expect(ofSale(product, changes)).toMatchObject({ reason, roles: access ? ["reader"] : [] });
  });

  it("gives nothing for a product outside the policy, until the policy lists it", () => {
    const facts = { "sale:s1": source("mug", [charge()]) } as const;
    expect(entitlements(facts, defineProducts([book]), NOW)).toMatchObject({ roles: [],
      verdicts: [{ reason: "not-in-policy" }] });
    expect(entitlements(facts, defineProducts([{ id: "mug", name: "Mug", roles: ["drinker"] }]), NOW).roles).toEqual([
      "drinker",
    ]);
  });

  it("gives a role as long as any of two purchases gives it", () => {
    const two = (refunded: boolean) =>
      ({ "sale:s1": source("book", [charge({ refunded: true })]),
        "sale:s2": source("book", [charge({ saleId: "s2", refunded })]) }) as const;
    expect(entitlements(two(false), defineProducts([book]), NOW).roles).toEqual(["reader"]);
    expect(entitlements(two(true), defineProducts([book]), NOW).roles).toEqual([]);
  });
});

describe("what the API said", () => {
  const refunded = { refunded: true } as const;

  it.each<{ known: string; changes: Partial<Charge>; reason: string; access: boolean }>([
    { known: "a refund that was taken back, of which no ping tells", changes: { refunded: true, read: reading(2) },
      reason: "paid", access: true },
    { known: "a refund whose ping was lost", changes: { read: reading(2, refunded) }, reason: "refunded",
      access: false },
    { known: "a partial refund that became a full one", changes: { partlyRefunded: true, read: reading(2, refunded) },
      reason: "refunded", access: false },
    { known: "a dispute whose ping was lost", changes: { read: reading(2, { disputed: true }) }, reason: "disputed",
      access: false },
    { known: "a dispute that was won, where only its beginning was pinged",
      changes: { disputed: true, read: reading(2, { disputed: true, disputeWon: true }) }, reason: "dispute-won",
      access: true },
    { known: "an open dispute, where a ping says it was won",
      changes: { disputed: true, disputeWon: true, read: reading(2, { disputed: true }) }, reason: "disputed",
      access: false },
  ])("stands for the flags of pings: $known", ({ changes, reason, access }) => {
    expect(ofSale(book, changes)).toMatchObject({ reason, roles: access ? ["reader"] : [] });
  });

  it("counts by when it was asked for, whichever came in first", () => {
    const older = source("book", [charge({ read: reading(2, refunded) })]);
    const newer = source("book", [charge({ read: reading(3) })]);
    expect(verdictOf(book, "sale:s1", mergeSource(older, newer)).reason).toBe("paid");
    expect(verdictOf(book, "sale:s1", mergeSource(newer, older)).reason).toBe("paid");
    expect(
      verdictOf(book, "sale:s1", mergeSource(newer, source("book", [charge({ read: reading(4, refunded) })]))).reason,
    ).toBe("refunded");
  });

  it("stands for the ends and restarts of pings, whichever way", () => {
    const ended = { at: JAN_5 + 60 * DAY, reason: "cancelled" } as const;
    const month = charge({ variants: [["Tier", "Basic"]] });
    const of = (changes: Partial<Source>) => verdictOf(club, "subscription:m1", source("club", [month], changes));
    expect(of({ ended, read: { at: JAN_5 + 70 * DAY, ended: null } })).toMatchObject({ reason: "restarted",
      roles: ["club"] });
    expect(of({ read: { at: JAN_5 + 70 * DAY, ended } })).toMatchObject({ reason: "ended", roles: [] });
    expect(of({ ended, restartedAt: JAN_5 + 65 * DAY, read: { at: JAN_5 + 70 * DAY, ended } })).toMatchObject({
      reason: "ended",
      roles: [],
    });
  });
});

describe("options", () => {
  const bought = (name: string) => ofSaleWith([["Tier", name]]);
  const ofSaleWith = (variants: Charge["variants"], product: Product = club) =>
    entitlements({ "sale:s1": source("club", [charge({ variants })]) }, defineProducts([product]), NOW);

  it("give the roles of the bought one", () => {
    expect(bought("Basic").roles).toEqual(["club"]);
    expect(bought("Premium").roles).toEqual(["club", "premium"]);
  });

  it.each(["Gold", "constructor", "toString", "__proto__"])(
    "give nothing, and say so, for %s, which the policy doesn't list",
    (name) => {
      expect(bought(name)).toMatchObject({ roles: [], verdicts: [{ access: true, variantListed: false }] });
    },
  );

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
  const withBundle = (changes: Partial<Charge>, of: Charge = child, facts: Partial<Source> = {}) =>
    entitlements({ "sale:bundle": source("all", [charge({ saleId: "bundle", ...changes })], facts),
      "sale:child": source("book", [of]) }, policy, NOW);

  it("gives its products' roles through their own pings", () => {
    expect(withBundle({}).roles).toEqual(["reader"]);
  });

  it("takes them with it when it is refunded or disputed, which only the bundle's ping tells", () => {
    expect(withBundle({ refunded: true })).toMatchObject({ roles: [],
      verdicts: [{ reason: "refunded" }, { reason: "bundle-gone" }] });
    expect(withBundle({ disputed: true }).roles).toEqual([]);
  });

  it("has nothing to do with a product that was paid for, sold at another time, or given by somebody else", () => {
    expect(withBundle({ refunded: true }, { ...child, priceCents: 100 }).roles).toEqual(["reader"]);
    expect(withBundle({ refunded: true }, { ...child, soldAt: JAN_5 + 11 * 60_000 }).roles).toEqual(["reader"]);
    expect(withBundle({ refunded: true }, { ...child, gift: "received" }).roles).toEqual(["reader"]);
  });

  it("that the API names settles what time and price only suggest", () => {
    const named = (of: "bundle" | "child" | "none") => ({ ...child, read: reading(2, { bundle: of }) });
    const refundedBundle = { refunded: true, read: reading(2, { refunded: true, bundle: "bundle" }) } as const;
    expect(withBundle(refundedBundle, named("child"), { listedAt: NOW }).roles).toEqual([]);
    // Bought for nothing, with a code, in the minutes around it.
    expect(withBundle(refundedBundle, named("none")).roles).toEqual(["reader"]);
    expect(
      withBundle({ ...refundedBundle, read: reading(2, { refunded: true, bundle: "none" }) }, named("child")).roles,
    ).toEqual(["reader"]);
  });

  it(
    "goes by its own flags and terms alone, not by a child's: a dispute marks both, and no ping tells the child's " +
      "was won",
    () => {
      const marked = { ...child, disputed: true };
      expect(withBundle({ disputed: true, disputeWon: true }, marked).roles).toEqual(["reader"]);
      const kept = defineProducts([book, { ...bundle, onDispute: "keep" }]);
      const facts = { "sale:bundle": source("all", [charge({ saleId: "bundle", disputed: true })]),
        "sale:child": source("book", [{ ...marked,
          read: reading(2, { disputed: true, bundle: "child" }) }]) } as const;
      expect(entitlements(facts, kept, NOW)).toMatchObject({ roles: ["reader"],
        verdicts: [{ reason: "disputed-kept" }, { reason: "disputed-kept" }] });
      expect(entitlements({ "sale:child": source("book", [marked]) }, policy, NOW).roles).toEqual([]);
    },
  );

  it("follows an operator's act with its children, but for a child that has one of its own", () => {
    const of = (bundleAct: Source["act"], childAct: Source["act"]) =>
      entitlements({ "sale:bundle": source("all", [charge({ saleId: "bundle" })], { act: bundleAct }),
        "sale:child": source("book", [child], { act: childAct }) }, policy, NOW).roles;
    expect(of(act(1, { kind: "take" }), null)).toEqual([]);
    expect(of(act(1, { kind: "take" }), act(1, { kind: "give", until: null }))).toEqual(["reader"]);
    expect(of(null, act(1, { kind: "take" }))).toEqual([]);
  });

  it("paid in instalments takes them with it when payment stops or a charge is refunded", () => {
    const inParts = defineProducts([book, { ...bundle, plan: "instalments" }]);
    const of = (facts: Partial<Source>, paid: Charge = charge()) =>
      entitlements({ "subscription:b": source("all", [paid], facts), "sale:child": source("book", [child]) }, inParts,
        NOW).roles;
    expect(of({})).toEqual(["reader"]);
    expect(of({ ended: { at: JAN_5 + DAY, reason: "fixed_subscription_period_ended" } })).toEqual(["reader"]);
    expect(of({ ended: { at: JAN_5 + DAY, reason: "failed_payment" } })).toEqual([]);
    expect(of({}, charge({ refunded: true }))).toEqual([]);
  });

  it("that comes after its child changes nothing, and two on one day stand for each other", () => {
    expect(entitlements({ "sale:child": source("book", [child]) }, policy, NOW).roles).toEqual(["reader"]);
    const other = { "sale:other": source("all", [charge({ saleId: "other" })]) } as const;
    const facts = { "sale:bundle": source("all", [charge({ saleId: "bundle", refunded: true })]),
      "sale:child": source("book", [child]), ...other } as const;
    expect(entitlements(facts, policy, NOW).roles).toEqual(["reader"]);
  });
});

describe("a membership", () => {
  const month = charge({ variants: [["Tier", "Basic"]] });
  const of = (changes: Partial<Source>, product: Product = club, now = NOW, charges: readonly Charge[] = [month]) =>
    verdictOf(product, "subscription:m1", source("club", charges, changes), now);
  const ended = { at: JAN_5 + 60 * DAY, reason: "cancelled" } as const;

  it("bought by its own seller is marked as a test", () => {
    const access = entitlements({ "subscription:m1": source("club", [{ ...month, test: true }]) },
      defineProducts([club]), NOW);
    expect(access.verdicts).toMatchObject([{ reason: "running", test: true }]);
  });

  it("runs until it ends, also when it is cancelled for later", () => {
    expect(of({})).toMatchObject({ reason: "running", roles: ["club"] });
    expect(of({ cancelledAt: JAN_5 + 200 * DAY })).toMatchObject({ reason: "cancelled-running", roles: ["club"] });
  });

  it.each(["cancelled", "failed_payment", "fixed_subscription_period_ended", "unknown"] as const)(
    "ends at once when it ended (%s)",
    (reason) => {
      expect(of({ ended: { ...ended, reason } })).toMatchObject({ reason: "ended", roles: [] });
    },
  );

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

  it("goes on when one charge is refunded or disputed, unless the policy says otherwise", () => {
    const refunded = [{ ...month, refunded: true }];
    expect(of({}, club, NOW, refunded)).toMatchObject({ reason: "running", roles: ["club"] });
    expect(of({}, { ...club, onRefund: "remove" }, NOW, refunded)).toMatchObject({ reason: "refunded", roles: [] });
    const newer = { ...month, saleId: "s2", soldAt: JAN_5 + 30 * DAY };
    expect(of({}, { ...club, onRefund: "remove" }, NOW, [...refunded, newer])).toMatchObject({ reason: "running",
      roles: ["club"] });
    expect(of({}, { ...club, onDispute: "remove" }, NOW, [{ ...month, disputed: true }])).toMatchObject({
      reason: "disputed",
      roles: [],
    });
  });

  it("gets nothing back by ending, where its policy took it after a refund or a dispute", () => {
    const strict: Product = { ...club, onRefund: "remove", onDispute: "remove", onEnd: { graceDays: 30 } };
    expect(of({ ended }, strict, ended.at + DAY, [{ ...month, refunded: true }])).toMatchObject({ reason: "refunded",
      roles: [] });
    expect(of({ ended }, { ...strict, onEnd: "keep" }, NOW, [{ ...month, disputed: true }])).toMatchObject({
      reason: "disputed",
      roles: [],
    });
    expect(of({ ended }, strict, ended.at + DAY)).toMatchObject({ reason: "in-grace", roles: ["club"] });
  });

  describe("with tiers", () => {
    const upgrade = { at: JAN_5 + 40 * DAY, toldAt: null, type: "upgrade", from: plan("Basic"),
      to: plan("Premium") } as const;
    const downgrade = { at: JAN_5 + 90 * DAY, toldAt: null, type: "downgrade", from: plan("Premium"),
      to: plan("Basic") } as const;

    it("has the new tier at once after an upgrade", () => {
      expect(of({ tierChanges: [upgrade] }, club, upgrade.at - 1)).toEqual({ reason: "running", roles: ["club"],
        changesAt: upgrade.at });
      expect(of({ tierChanges: [upgrade] }, club, upgrade.at).roles).toEqual(["club", "premium"]);
    });

    it("keeps the old tier until a downgrade's day, and says when that is", () => {
      const premium = [{ ...month, variants: [["Tier", "Premium"]] as const }];
      expect(of({ tierChanges: [downgrade] }, club, downgrade.at - 1, premium)).toEqual({ reason: "running",
        roles: ["club", "premium"], changesAt: downgrade.at });
      expect(of({ tierChanges: [downgrade] }, club, downgrade.at, premium).roles).toEqual(["club"]);
    });

    it("drops a downgrade whose tier was left by an upgrade before", () => {
      const gold: Product = { ...club, roles: { Basic: ["club"], Premium: ["premium"], Gold: ["gold"] } };
      const toGold = { at: JAN_5 + 50 * DAY, toldAt: null, type: "upgrade", from: plan("Premium"),
        to: plan("Gold") } as const;
      expect(of({ tierChanges: [upgrade, toGold, downgrade] }, gold).roles).toEqual(["gold"]);
    });

    it("drops a downgrade when the same tier was upgraded to another price or period before", () => {
      const monthly = plan("Premium", { recurrence: "monthly", priceCents: 3000 });
      const yearly = plan("Premium", { recurrence: "yearly", priceCents: 30_000 });
      const toYearly = { at: JAN_5 + 50 * DAY, toldAt: null, type: "upgrade", from: monthly, to: yearly } as const;
      const premium = [{ ...month, variants: [["Tier", "Premium"]] as const, recurrence: "monthly" }];
      const pending = { ...downgrade, from: monthly };
      expect(of({ tierChanges: [toYearly, pending] }, club, NOW, premium).roles).toEqual(["club", "premium"]);
      expect(of({ tierChanges: [pending] }, club, NOW, premium).roles).toEqual(["club"]);
      // A renewal of the upgraded plan says less than the upgrade did: it doesn't bring the downgrade back.
      const renewal = { ...month, saleId: "s2", soldAt: JAN_5 + 89 * DAY, variants: [["Tier", "Premium"]] as const,
        recurrence: "yearly" };
      expect(of({ tierChanges: [toYearly, pending] }, club, NOW, [...premium, renewal]).roles).toEqual(["club",
        "premium"]);
    });

    it("counts a downgrade though seats were added in silence since, unless an upgrade dropped it", () => {
      const seats = (tier: string, quantity: number) =>
        plan(tier, { recurrence: "monthly", priceCents: (tier === "Basic" ? 1000 : 3000) * quantity, quantity });
      const upgraded = { ...upgrade, from: seats("Basic", 1), to: seats("Premium", 1) };
      expect(of({ tierChanges: [upgraded, { ...downgrade, from: seats("Premium", 3), to: seats("Basic", 3) }] }).roles)
        .toEqual(["club"]);
      // Told before the seats were added by an upgrade, which drops it.
      const moreSeats = { ...upgrade, at: JAN_5 + 50 * DAY, from: seats("Premium", 1), to: seats("Premium", 2) };
      expect(
        of({ tierChanges: [upgraded, moreSeats, { ...downgrade, from: seats("Premium", 1), to: seats("Basic", 1) }] })
          .roles,
      ).toEqual(["club", "premium"]);
    });

    it("gives the most roles of two downgrades for the same day", () => {
      const three: Product = { ...club,
        roles: { Basic: ["club"], Mid: ["club", "mid"], Premium: ["club", "mid", "premium"] } };
      const premium = [{ ...month, variants: [["Tier", "Premium"]] as const }];
      const toMid = { ...downgrade, to: plan("Mid") };
      expect(of({ tierChanges: [downgrade, toMid] }, three, NOW, premium).roles).toEqual(["club", "mid"]);
      expect(of({ tierChanges: [toMid, downgrade] }, three, NOW, premium).roles).toEqual(["club", "mid"]);
    });

    it("follows the charge of that day, if any: the later made of two downgrades takes the other's place", () => {
      const three: Product = { ...club,
        roles: { Basic: ["club"], Mid: ["club", "mid"], Premium: ["club", "mid", "premium"] } };
      const premium = { ...month, variants: [["Tier", "Premium"]] as const };
      const renewal = { ...month, saleId: "s2", recurring: true, soldAt: downgrade.at };
      expect(of({ tierChanges: [{ ...downgrade, to: plan("Mid") }, downgrade] }, three, NOW, [premium, renewal]).roles)
        .toEqual(["club"]);
    });

    it("keeps the tier when a later charge names none", () => {
      const later = { ...month, saleId: "s2", soldAt: JAN_5 + 30 * DAY, variants: [] };
      expect(of({}, club, NOW, [month, later]).roles).toEqual(["club"]);
    });

    it("takes the tier of the next renewal", () => {
      const renewal = { ...month, saleId: "s2", recurring: true, soldAt: JAN_5 + 60 * DAY,
        variants: [["Tier", "Premium"]] as const };
      expect(of({}, club, NOW, [month, renewal]).roles).toEqual(["club", "premium"]);
    });

    it("lets an update beat a sale of the same second", () => {
      expect(of({ tierChanges: [{ ...upgrade, at: JAN_5 }] }).roles).toEqual(["club", "premium"]);
    });
  });
});

describe("an instalment plan", () => {
  const of = (changes: Partial<Source>, product: Product = course, charges: readonly Charge[] = [charge()]) =>
    verdictOf(product, "subscription:i1", source("course", charges, changes));
  const ended = (reason: "cancelled" | "fixed_subscription_period_ended") => ({
    ended: { at: JAN_5 + 90 * DAY, reason },
  });

  it("gives access while it is paid, and for good once paid off", () => {
    expect(of({})).toMatchObject({ reason: "running", roles: ["student"] });
    expect(of(ended("fixed_subscription_period_ended"))).toMatchObject({ reason: "paid-off", roles: ["student"] });
  });

  it("loses it when payment stops, or a charge is refunded or disputed, paid off or not", () => {
    expect(of(ended("cancelled"))).toMatchObject({ reason: "ended", roles: [] });
    expect(of({}, course, [charge(), charge({ saleId: "s2", refunded: true })])).toMatchObject({ reason: "refunded",
      roles: [] });
    expect(of(ended("fixed_subscription_period_ended"), course, [charge({ disputed: true })])).toMatchObject({
      reason: "disputed",
      roles: [],
    });
    expect(of({}, course, [charge({ disputed: true, disputeWon: true })])).toMatchObject({ reason: "running",
      roles: ["student"] });
  });
});

describe("a gift", () => {
  const got = charge({ saleId: "got", priceCents: 0, gift: "received", soldAt: JAN_5 + 2000 });
  const paid = charge({ saleId: "paid", gift: "given", read: reading(1) });
  /** What pings tell of it: nothing but its dispute. */
  const disputed = { ...paid, seen: false, disputed: true, read: null };
  const policy = defineProducts([book, { id: "mug", name: "Mug", roles: ["drinker"] }]);
  const of = (...sides: (readonly [id: string, side: Charge, changes?: Partial<Source>])[]) =>
    entitlements(
      Object.fromEntries(
        sides.map(([id, side, changes]) => [`sale:${id}`, source("book", [{ ...side, saleId: id }], changes)]),
      ),
      policy,
      NOW,
    );

  it("is the receiver's, also while nothing is known of the giver's side, or only that it stands", () => {
    expect(of(["got", got])).toMatchObject({ roles: ["reader"], verdicts: [{ reason: "gift" }] });
    expect(of(["got", got], ["paid", paid])).toMatchObject({ roles: ["reader"],
      verdicts: [{ reason: "gift" }, { reason: "gift" }] });
  });

  it.each<{ what: string; side: Partial<Charge> }>([
    { what: "refunded", side: { read: reading(2, { refunded: true }) } },
    { what: "disputed", side: disputed },
  ])("ends when the giver's side is $what, though the receiver's shows none of it", ({ side }) => {
    expect(of(["got", { ...got, read: reading(3) }], ["paid", { ...paid, ...side }])).toMatchObject({ roles: [],
      verdicts: [{ reason: "gift-gone" }, { access: false }] });
  });

  it(
    "is there again when the giver's dispute is won or the refund is taken back, whatever an older word of the " +
      "receiver's side says",
    () => {
      expect(of(["got", { ...got, disputed: true }], ["paid", { ...disputed, disputeWon: true }]).roles).toEqual([
        "reader",
      ]);
      expect(
        of(["got", { ...got, read: reading(2, { refunded: true }) }], ["paid", { ...paid, read: reading(3) }]).roles,
      ).toEqual(["reader"]);
    },
  );

  it("stays refunded when only the receiver's side tells so, and the giver's that a dispute was won", () => {
    expect(of(["got", { ...got, refunded: true }], ["paid", { ...disputed, disputeWon: true }]).roles).toEqual([]);
  });

  it.each<{ what: string; side: Partial<Charge>; product?: string }>([
    { what: "given at another time", side: { soldAt: JAN_5 + DAY } },
    { what: "with other options", side: { variants: [["Version", "Long"]] } },
    { what: "of another product", side: {}, product: "mug" },
  ])("has nothing to do with one $what", ({ side, product = "book" }) => {
    const facts = { "sale:got": source("book", [got]),
      "sale:paid": source(product, [{ ...paid, ...side, read: reading(2, { refunded: true }) }]) } as const;
    expect(entitlements(facts, policy, NOW).roles).toEqual(["reader"]);
  });

  it("that is gone leaves the receiver what they bought themselves", () => {
    expect(of(["got", got], ["paid", { ...paid, read: reading(2, { refunded: true }) }], ["own", charge()]).roles)
      .toEqual(["reader"]);
  });

  it("of two at once stays as long as one does: the one refunded, or the one of which a dispute told", () => {
    const gone = { ...paid, read: reading(2, { refunded: true }) };
    expect(of(["got", got], ["again", got], ["paid", gone], ["other", { ...paid, read: reading(2) }]).roles).toEqual([
      "reader",
    ]);
    expect(of(["got", got], ["again", got], ["paid", gone]).roles).toEqual(["reader"]);
    expect(of(["got", got], ["again", got], ["paid", gone], ["other", gone]).roles).toEqual([]);
  });

  it("whose own ping was lost is there by the giver's row, until that is refunded", () => {
    expect(of(["paid", { ...paid, read: reading(2) }])).toMatchObject({ roles: ["reader"],
      verdicts: [{ reason: "gift" }] });
    expect(of(["paid", { ...paid, read: reading(2, { refunded: true }) }]).roles).toEqual([]);
    // A dispute's ping alone never showed that it was sold.
    expect(of(["paid", { ...disputed, disputeWon: true }])).toMatchObject({ roles: [],
      verdicts: [{ reason: "not-sold" }] });
  });

  it(
    "isn't ended by the dispute of a purchase of the giver's own, once its sale showed what it was and it was " +
      "moved to them",
    () => {
      const moved = { act: act(1, { kind: "move", to: "dee@example.com" }) } as const;
      expect(of(["got", got], ["own", { ...disputed, seen: true }, moved]).roles).toEqual(["reader"]);
    },
  );

  it("that an operator took away or moved isn't given back by the giver's row; what they gave on either stays", () => {
    expect(of(["got", got, { act: act(1, { kind: "take" }) }], ["paid", paid])).toMatchObject({ roles: [],
      verdicts: [{ reason: "taken" }, { reason: "taken" }] });
    expect(of(["got", got, { act: act(1, { kind: "move", to: "bo@example.com" }) }], ["paid", paid]).roles).toEqual(
      [],
    );
    expect(of(["got", got], ["paid", paid, { act: act(1, { kind: "take" }) }]).roles).toEqual([]);
    expect(
      of(["got", got], ["paid", { ...paid, read: reading(2, { refunded: true }) }, {
        act: act(1, { kind: "give", until: null }),
      }]).roles,
    ).toEqual(["reader"]);
  });
});

describe("an operator's act", () => {
  const GIVE = { kind: "give", until: null } as const;
  const TAKE = { kind: "take" } as const;
  const refunded = charge({ refunded: true, read: reading(2, { refunded: true }) });
  const ofBook = (of: Charge, ...acts: readonly Source["act"][]) =>
    verdictOf(book, "sale:s1", acts.reduce((facts, each) =>
      mergeSource(facts, source("book", [], { act: each })), source("book", [of])));

  it("gives and takes against pings and readings", () => {
    expect(ofBook(refunded, act(1, GIVE))).toMatchObject({ reason: "given", roles: ["reader"] });
    expect(ofBook(charge({ read: reading(3) }), act(1, TAKE))).toMatchObject({ reason: "taken", roles: [] });
    expect(ofBook(charge(), act(1, { kind: "move", to: "bo@example.com" }))).toMatchObject({ reason: "moved",
      roles: [] });
  });

  it("lets the facts decide again, by `follow` or when what it gave is over", () => {
    expect(ofBook(refunded, act(1, GIVE), act(2, { kind: "follow" }))).toMatchObject({ reason: "refunded",
      roles: [] });
    const until = NOW + DAY;
    expect(ofBook(refunded, act(1, { kind: "give", until }))).toEqual({ reason: "given", roles: ["reader"],
      changesAt: until });
    expect(ofBook(refunded, act(1, { kind: "give", until: NOW }))).toEqual({ reason: "refunded", roles: [],
      changesAt: null });
    expect(ofBook(charge(), act(1, { kind: "give", until: NOW })).reason).toBe("paid");
  });

  it("counts if it is the last by time, then by id, in whatever order they came", () => {
    expect(ofBook(charge(), act(2, TAKE, "a1"), act(1, GIVE, "a2")).reason).toBe("taken");
    expect(ofBook(charge(), act(1, TAKE, "a1"), act(1, GIVE, "a2")).reason).toBe("given");
    expect(ofBook(charge(), act(1, GIVE, "a2"), act(1, TAKE, "a1")).reason).toBe("given");
  });

  it("on a membership gives by the tier in force, ended or not, and takes it while it runs", () => {
    const month = charge({ variants: [["Tier", "Premium"]] });
    const of = (changes: Partial<Source>) => verdictOf(club, "subscription:m1", source("club", [month], changes));
    const ended = { at: JAN_5 + 60 * DAY, reason: "cancelled" } as const;
    expect(of({ ended, act: act(61, GIVE) })).toMatchObject({ reason: "given", roles: ["club", "premium"] });
    expect(of({ read: { at: JAN_5 + 70 * DAY, ended: null }, act: act(61, TAKE) })).toMatchObject({ reason: "taken",
      roles: [] });
  });

  it("gives nothing of a product outside the policy", () => {
    expect(
      entitlements({ "sale:s1": source("mug", [charge()], { act: act(1, GIVE) }) }, defineProducts([book]), NOW).roles,
    ).toEqual([]);
  });
});

describe("a complimentary grant", () => {
  const granted = (decision: Parameters<typeof act>[1] | null) =>
    entitlements({ "grant:reader": source("", [], { act: decision === null ? null : act(1, decision) }) },
      defineProducts([book]), NOW);

  it("gives its role until it is revoked", () => {
    expect(granted({ kind: "give", until: null })).toMatchObject({ roles: ["reader"], changesAt: null,
      verdicts: [{ reason: "complimentary", access: true }] });
    expect(granted({ kind: "take" })).toMatchObject({ roles: [],
      verdicts: [{ reason: "complimentary-over", access: false }] });
    expect(granted({ kind: "follow" }).roles).toEqual([]);
    expect(granted(null).roles).toEqual([]);
  });

  it("expires by itself, and says when", () => {
    expect(granted({ kind: "give", until: NOW + 1 })).toMatchObject({ roles: ["reader"], changesAt: NOW + 1 });
    expect(granted({ kind: "give", until: NOW })).toMatchObject({ roles: [], changesAt: null });
  });

  it("outlasts the purchase that gave the same role, and needs no product for it", () => {
    const facts = addFacts({ "sale:s1": source("book", [charge({ refunded: true })]) }, "grant:reader",
      source("", [], { act: act(1, { kind: "give", until: null }) }));
    expect(entitlements(facts, defineProducts([book]), NOW).roles).toEqual(["reader"]);
  });
});

describe("an option that the seller renamed, or changed for a buyer", () => {
  const told = (read: Charge["read"]) =>
    ({ "subscription:m1": source("club", [charge({ variants: [["Tier", "Premium"]], read })]) }) as const;

  it("counts as the API named it last, whichever name sorts last", () => {
    const basic = reading(2, { variants: [["Tier", "Basic"]] });
    expect(entitlements(told(basic), defineProducts([club]), NOW).roles).toEqual(["club"]);
    expect(entitlements(told(reading(2)), defineProducts([club]), NOW).roles).toEqual(["club", "premium"]);
  });
});

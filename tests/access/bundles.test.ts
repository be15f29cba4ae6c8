import { describe, expect, it } from "@jest/globals";

import { withContents } from "../../src/access/bundles.ts";
import { entitlements } from "../../src/access/entitlements.ts";
import type { Charge, Source, Sources } from "../../src/access/facts.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { act, charge, DAY, JAN_5, reading, source, type ChargeRead } from "./purchases.ts";

const NOW = JAN_5 + 100 * DAY;
const MINUTE = 60_000;
const policy = defineProducts([
  { id: "book", name: "Book", roles: ["reader"] },
  { id: "film", name: "Film", roles: ["viewer"] },
  { id: "all", name: "All", contains: ["book"] },
  { id: "other", name: "Other", contains: ["book"] },
]);
const rolesOf = (sources: Sources) => entitlements(sources, policy, NOW).roles;
const reasonOf = (sources: Sources, id: string) =>
  entitlements(sources, policy, NOW).verdicts.find(({ source: of }) => of === id)?.reason;

describe("what came with a bundle, by the API", () => {
  const bundle = (flags: Partial<ChargeRead> = {}, facts: Partial<Source> = {}, sold: Partial<Charge> = {}) =>
    source("all", [charge({ saleId: "bundle", ...sold, read: reading(50, { bundle: "bundle", ...flags }) })], {
      listedAt: NOW,
      ...facts,
    });
  const child = (productId: string, soldAt: number, flags: Partial<ChargeRead> = {}, sold: Partial<Charge> = {}) =>
    source(productId, [
      charge({ saleId: "child", priceCents: 0, soldAt, ...sold, read: reading(49, { bundle: "child", ...flags }) }),
    ]);
  const gone = { refunded: true } as const;

  it.each<{ what: string; of: Source; come: Source }>([
    { what: "five days after the bundle was bought", of: bundle(gone), come: child("book", JAN_5 + 5 * DAY) },
    { what: "twelve minutes after it", of: bundle(gone), come: child("book", JAN_5 + 12 * MINUTE) },
    { what: "for a product that the policy doesn't put into it, and Gumroad did",
      of: bundle(gone, { holds: ["film"] }), come: child("film", JAN_5 + 40 * DAY) },
    { what: "and whose row the bundle's dispute marks too", of: bundle({ disputed: true }),
      come: child("book", JAN_5 + 30 * DAY, { disputed: true }) },
    { what: "before the bundle itself, by a moment", of: bundle(gone), come: child("book", JAN_5 - MINUTE) },
    { what: "with a price of its own", of: bundle(gone), come: child("book", JAN_5, {}, { priceCents: 100 }) },
    { what: "and whose bundle was revoked", of: bundle({}, {}, { revoked: { at: NOW, is: true } }),
      come: child("book", JAN_5 + DAY) },
  ])("is gone with it, though it came $what", ({ of, come }) => {
    const sources = { "sale:bundle": of, "sale:child": come } as const;
    expect(rolesOf(sources)).toEqual([]);
    expect(reasonOf(sources, "sale:child")).toBe("bundle-gone");
  });

  it("is there again once the bundle's dispute is won, however its own row is marked", () => {
    expect(
      rolesOf({ "sale:bundle": bundle({ disputed: true, disputeWon: true }),
        "sale:child": child("book", JAN_5 + 30 * DAY, { disputed: true }) }),
    ).toEqual(["reader"]);
  });

  it("stands while any of the bundles does that were ever seen to hold it", () => {
    const second = (flags: Partial<ChargeRead>) =>
      source("other", [
        charge({ saleId: "second", soldAt: JAN_5 + DAY, read: reading(50, { bundle: "bundle", ...flags }) }),
      ]);
    const late = child("book", JAN_5 + 2 * DAY);
    expect(rolesOf({ "sale:bundle": bundle(gone), "sale:second": second({}), "sale:child": late })).toEqual([
      "reader",
    ]);
    expect(rolesOf({ "sale:bundle": bundle(gone), "sale:second": second(gone), "sale:child": late })).toEqual([]);
  });

  it("has nothing to do with a bundle that was bought after it", () => {
    const sources = { "sale:bundle": bundle(gone, {}, { soldAt: JAN_5 + 11 * MINUTE }),
      "sale:child": child("book", JAN_5) } as const;
    expect(rolesOf(sources)).toEqual(["reader"]);
    expect(reasonOf(sources, "sale:child")).toBe("bundle-unknown");
  });

  it("stays, and is told, with no bundle known; unless its own row says otherwise", () => {
    expect(entitlements({ "sale:child": child("book", JAN_5) }, policy, NOW)).toMatchObject({ roles: ["reader"],
      verdicts: [{ reason: "bundle-unknown" }] });
    expect(rolesOf({ "sale:child": child("book", JAN_5, { disputed: true }) })).toEqual([]);
  });

  it("stays until the buyer's sales were listed since it came: there may be another bundle", () => {
    const sources = (listedAt: number | null) =>
      ({ "sale:bundle": bundle(gone, { listedAt }), "sale:child": child("book", JAN_5 + 4 * DAY) }) as const;
    for (const listedAt of [null, JAN_5 + 3 * DAY]) {
      expect(rolesOf(sources(listedAt))).toEqual(["reader"]);
      expect(reasonOf(sources(listedAt), "sale:child")).toBe("bundle-unsure");
    }
    expect(rolesOf(sources(JAN_5 + 5 * DAY))).toEqual([]);
  });

  it("follows what an operator decided about the bundle, without any listing", () => {
    const taken = bundle({}, { listedAt: null, act: act(60, { kind: "take" }) });
    expect(rolesOf({ "sale:bundle": taken, "sale:child": child("book", JAN_5 + 4 * DAY) })).toEqual([]);
  });

  it("is by itself once an operator brought it back, or let it stand, after its bundle was moved away", () => {
    const left = (day: number) =>
      ({ "sale:bundle": bundle({}, { act: act(50, { kind: "move", to: "bo@example.com" }) }),
        "sale:child": { ...child("book", JAN_5), act: act(day, { kind: "follow" }) } }) as const;
    expect(reasonOf(left(60), "sale:child")).toBe("bundle-unknown");
    expect(rolesOf(left(60))).toEqual(["reader"]);
    expect(rolesOf(left(40))).toEqual([]);
  });

  it("stays what it was when the policy's bundle no longer lists it", () => {
    const kept = withContents(bundle(gone), policy);
    expect(kept.holds).toEqual(["book"]);
    const edited = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }, { id: "film", name: "Film",
      roles: ["viewer"] }, { id: "all", name: "All", contains: ["film"] }]);
    const come = child("book", JAN_5 + 4 * DAY);
    expect(entitlements({ "sale:bundle": kept, "sale:child": come }, edited, NOW).roles).toEqual([]);
    expect(entitlements({ "sale:bundle": bundle(gone), "sale:child": come }, edited, NOW).roles).toEqual(["reader"]);
  });

  it("goes with a bundle that the policy doesn't list at all, as the shop told what was in it", () => {
    const only = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }]);
    const sources = (flags: Partial<ChargeRead>) =>
      ({ "sale:bundle": bundle(flags, { holds: ["book"] }), "sale:child": child("book", JAN_5 + DAY) }) as const;
    expect(entitlements(sources({}), only, NOW).roles).toEqual(["reader"]);
    expect(entitlements(sources(gone), only, NOW).roles).toEqual([]);
  });
});

describe("what came with a gifted bundle", () => {
  const got = charge({ saleId: "got", priceCents: 0, gift: "received", read: reading(2, { bundle: "bundle" }) });
  const paid = (flags: Partial<ChargeRead> = {}) =>
    source("all", [charge({ saleId: "paid", gift: "given", read: reading(50, { bundle: "bundle", ...flags }) })], {
      listedAt: NOW,
    });
  const child = (changes: Partial<Charge> = {}) =>
    source("book", [
      charge({ saleId: "child", priceCents: 0, gift: "received", soldAt: JAN_5 + 1_000,
        read: reading(2, { bundle: "child" }), ...changes }),
    ]);
  const giftOf = (giver: Source, own: Charge = got, come: Source = child()) =>
    ({ "sale:paid": giver, "sale:got": source("all", [own]), "sale:child": come }) as const;

  it("stands while the giver's purchase does", () => {
    expect(rolesOf(giftOf(paid()))).toEqual(["reader"]);
  });

  it.each<{ what: string; sources: Sources }>([
    { what: "is refunded", sources: giftOf(paid({ refunded: true })) },
    { what: "is disputed", sources: giftOf(paid({ disputed: true })) },
    { what: "is refunded, and the receiver's own row shows it too",
      sources: giftOf(paid({ refunded: true }), { ...got, read: reading(50, { bundle: "bundle", refunded: true }) }) },
    { what: "is refunded, of a time when Gumroad didn't mark the products as a gift",
      sources: giftOf(paid({ refunded: true }), got, child({ gift: "none" })) },
    { what: "is refunded, and a product came months later",
      sources: giftOf(paid({ refunded: true }), got, child({ soldAt: JAN_5 + 90 * DAY })) },
    { what: "is refunded, and the receiver's own bundle was never told of",
      sources: { "sale:paid": paid({ refunded: true }), "sale:child": child() } },
  ])("is gone when that $what", ({ sources }) => {
    expect(rolesOf(sources)).toEqual([]);
  });

  it("is no other gift, of the same product: that goes with its own giver's purchase", () => {
    const other = (flags: Partial<ChargeRead>) => ({
      "sale:given": source("book", [charge({ saleId: "given", gift: "given", read: reading(50, flags) })]),
      "sale:received": source("book", [charge({ saleId: "received", priceCents: 0, gift: "received" })]),
    });
    expect(reasonOf({ ...giftOf(paid()), ...other({ refunded: true }) }, "sale:received")).toBe("gift-gone");
    expect(reasonOf({ ...giftOf(paid({ refunded: true })), ...other({}) }, "sale:received")).toBe("gift");
  });

  it("is there again once the dispute is won", () => {
    expect(
      rolesOf(
        giftOf(paid({ disputed: true, disputeWon: true }), { ...got,
          read: reading(2, { bundle: "bundle", disputed: true }) }),
      ),
    ).toEqual(["reader"]);
  });

  it("is gone by the dispute's ping alone, where nothing can be read", () => {
    const told = {
      "sale:paid": source("all", [charge({ saleId: "paid", gift: "given", seen: false, disputed: true })]),
      "sale:got": source("all", [{ ...got, read: null }]),
      "sale:child": child({ read: null }),
    } as const;
    expect(rolesOf(told)).toEqual([]);
    expect(rolesOf({ "sale:got": told["sale:got"], "sale:child": told["sale:child"] })).toEqual(["reader"]);
  });
});

describe("what came with a bundle, by pings alone", () => {
  const bundle = (changes: Partial<Charge> = {}) =>
    source("all", [charge({ saleId: "bundle", refunded: true, receivedAt: JAN_5, ...changes })]);
  const free = (changes: Partial<Charge> = {}) => source("book", [charge({ priceCents: 0, ...changes })]);

  it("is one sale of a product, the nearest: somebody else's free purchase isn't taken by refunding a bundle", () => {
    const sources = { "sale:bundle": bundle(), "sale:child": free({ soldAt: JAN_5 + 1_000 }),
      "sale:free": free({ soldAt: JAN_5 - 5 * MINUTE }) } as const;
    expect(rolesOf(sources)).toEqual(["reader"]);
    expect(reasonOf(sources, "sale:child")).toBe("bundle-gone");
    expect(reasonOf(sources, "sale:free")).toBe("paid");
  });

  it("is as many sales as there are bundles, whichever come first", () => {
    const two = { "sale:bundle": bundle(), "sale:again": bundle({ soldAt: JAN_5 + MINUTE }),
      "sale:a": free({ soldAt: JAN_5 }), "sale:b": free({ soldAt: JAN_5 + MINUTE }) } as const;
    expect(rolesOf(two)).toEqual([]);
    expect(rolesOf({ ...two, "sale:c": free({ soldAt: JAN_5 + 2 * MINUTE }) })).toEqual(["reader"]);
  });

  it("is what was first told of together with it, though the bank took days", () => {
    const days = JAN_5 + 3 * DAY;
    const sources = (told: number) =>
      ({ "sale:bundle": bundle({ receivedAt: days }),
        "sale:child": free({ soldAt: days, receivedAt: told }) }) as const;
    expect(rolesOf(sources(days + 5_000))).toEqual([]);
    expect(rolesOf(sources(days + 11 * MINUTE))).toEqual(["reader"]);
  });

  it("isn't an old purchase, of which both came in again together", () => {
    const replayed = JAN_5 + 30 * DAY;
    expect(
      rolesOf({ "sale:bundle": bundle({ receivedAt: replayed }),
        "sale:free": free({ soldAt: JAN_5 + 2 * DAY, receivedAt: replayed }) }),
    ).toEqual(["reader"]);
  });

  it("isn't what came later, alone: that stands", () => {
    expect(rolesOf({ "sale:bundle": bundle(), "sale:late": free({ soldAt: JAN_5 + 11 * MINUTE }) })).toEqual([
      "reader",
    ]);
  });
});

describe("access that the seller revoked", () => {
  const of = (changes: Partial<Charge>) => ({ "sale:s1": source("book", [charge(changes)]) });

  it("is gone, and comes back when that is undone; an answer that doesn't say changes nothing", () => {
    const sources = of({ revoked: { at: JAN_5, is: true }, read: reading(9) });
    expect(rolesOf(sources)).toEqual([]);
    expect(reasonOf(sources, "sale:s1")).toBe("revoked");
    expect(rolesOf(of({ revoked: { at: JAN_5, is: false }, read: reading(9) }))).toEqual(["reader"]);
  });

  it("is gone from what came with a bundle that stands, and from a gift whose giver's purchase does", () => {
    const revoked = { at: NOW, is: true } as const;
    expect(
      rolesOf({ "sale:bundle": source("all", [charge({ read: reading(2, { bundle: "bundle" }) })]),
        ...of({ priceCents: 0, revoked, read: reading(2, { bundle: "child" }) }) }),
    ).toEqual([]);
    const given = charge({ saleId: "paid", gift: "given", read: reading(1) });
    expect(entitlements({ ...of({ gift: "received", revoked }), "sale:paid": source("book", [given]) }, policy, NOW)
      .verdicts[0]).toMatchObject({ access: false, reason: "revoked" });
  });

  it("is there where an operator gave it", () => {
    expect(
      rolesOf({
        "sale:s1": source("book", [charge({ revoked: { at: NOW, is: true } })], {
          act: act(60, { kind: "give", until: null }),
        }),
      }),
    ).toEqual(["reader"]);
  });
});

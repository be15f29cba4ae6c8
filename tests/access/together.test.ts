import { describe, expect, it } from "@jest/globals";

import { entitlements } from "../../src/access/entitlements.ts";
import type { Source, Sources } from "../../src/access/facts.ts";
import { boughtTogether } from "../../src/access/together.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { act, charge, DAY, JAN_5, reading, source } from "./purchases.ts";

const policy = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }, { id: "film", name: "Film",
  roles: ["viewer"] }, { id: "all", name: "All", contains: ["book", "film"] }]);
const child = (day: number, bundle: "child" | "none" = "child", product = "book") =>
  source(product, [charge({ priceCents: 0, soldAt: JAN_5 + day * DAY, read: reading(90, { bundle }) })]);
const sources = { "sale:bundle": source("all", [charge({ read: reading(1, { bundle: "bundle" }) })]),
  "sale:child": child(0), "sale:late": child(60), "sale:free": child(0, "none"),
  "sale:away": { ...child(2), act: act(3, { kind: "move", to: "bo@example.com" }) } } as const;

/** How often the facts are looked at of so many gifts of a bundle, refunded, that came within a few minutes. */
function looks(gifts: number, look: (all: Sources) => unknown): number {
  let count = 0;
  const counted = (productId: string, gift: "received" | "given", bundle: "bundle" | "child"): Source => {
    const charges = [charge({ gift, priceCents: 0, read: reading(1, { bundle, refunded: true }) })];
    return { ...source(productId, charges), get charges() {
      count += 1;
      return charges;
    } };
  };
  look(Object.fromEntries(Array.from({ length: gifts }, (_, nth) => [
    [`sale:bundle ${String(nth)}`, counted("all", "received", "bundle")] as const,
    [`sale:child ${String(nth)}`, counted("book", "received", "child")] as const,
    [`sale:given ${String(nth)}`, counted("all", "given", "bundle")] as const,
  ]).flat()));
  return count;
}

it.each([
  ["what belongs together", (all: Sources) => boughtTogether(all, policy)("sale:bundle 0")],
  ["what a buyer may have", (all: Sources) => entitlements(all, policy, JAN_5)],
])("%s is told in time, however many gifts strangers heap on somebody", (_what, look) => {
  // With the square of their number it is four times as much; with the third power, eight times.
  expect(looks(40, look) / looks(20, look)).toBeLessThan(5);
});

describe("what belongs together", () => {
  it("is a bundle and what came with it, however late; not what was bought, nor what was moved away", () => {
    expect([...boughtTogether(sources, policy)("sale:bundle")].sort()).toEqual(["sale:bundle", "sale:child",
      "sale:late"]);
    expect([...boughtTogether(sources, policy)("sale:late")].sort()).toEqual(["sale:bundle", "sale:child",
      "sale:late"]);
    expect(boughtTogether(sources, policy)("sale:free")).toEqual(["sale:free"]);
  });

  it("is of two bundles the one that was named, with what is nearest to it", () => {
    const bundle = (day: number) =>
      source("all", [charge({ soldAt: JAN_5 + day * DAY, read: reading(90, { bundle: "bundle" }) })]);
    const two = { "sale:one": bundle(0), "sale:two": bundle(10), "sale:with one": child(0), "sale:with two": child(10),
      "sale:late": child(20, "child", "film"), "sale:later": child(21, "child", "film") } as const;
    expect([...boughtTogether(two, policy)("sale:one")].sort()).toEqual(["sale:later", "sale:one", "sale:with one"]);
    expect([...boughtTogether(two, policy)("sale:two")].sort()).toEqual(["sale:late", "sale:two", "sale:with two"]);
  });

  it("is of a bundle bought and one given in the same minute the one that was named", () => {
    const sold = (productId: string, gift: "none" | "received" | "given", bundle: "bundle" | "child") =>
      source(productId, [charge({ gift, priceCents: 0, read: reading(1, { bundle }) })]);
    const two = { "sale:a own": sold("all", "none", "bundle"), "sale:b got": sold("all", "received", "bundle"),
      "sale:c given": sold("all", "given", "bundle"), "sale:d got": sold("book", "received", "child"),
      "sale:e own": sold("book", "none", "child") } as const;
    expect(boughtTogether(two, policy)("sale:a own")).toEqual(["sale:a own", "sale:e own"]);
    expect([...boughtTogether(two, policy)("sale:b got")].sort()).toEqual(["sale:b got", "sale:c given",
      "sale:d got"]);
  });
});

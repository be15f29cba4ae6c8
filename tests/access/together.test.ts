import { describe, expect, it } from "@jest/globals";

import { boughtTogether } from "../../src/access/together.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { act, charge, DAY, JAN_5, reading, source } from "./purchases.ts";

const policy = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }, { id: "all", name: "All",
  contains: ["book"] }]);
const child = (day: number, bundle: "child" | "none" = "child") =>
  source("book", [charge({ priceCents: 0, soldAt: JAN_5 + day * DAY, read: reading(90, { bundle }) })]);
const sources = { "sale:bundle": source("all", [charge({ read: reading(1, { bundle: "bundle" }) })]),
  "sale:child": child(0), "sale:late": child(60), "sale:free": child(0, "none"),
  "sale:away": { ...child(2), act: act(3, { kind: "move", to: "bo@example.com" }) } } as const;

describe("what belongs together", () => {
  it("is a bundle and what came with it, however late; not what was bought, nor what was moved away", () => {
    expect([...boughtTogether("sale:bundle", sources, policy)].sort()).toEqual(["sale:bundle", "sale:child",
      "sale:late"]);
    expect([...boughtTogether("sale:late", sources, policy)].sort()).toEqual(["sale:bundle", "sale:child",
      "sale:late"]);
    expect(boughtTogether("sale:free", sources, policy)).toEqual(["sale:free"]);
  });
});

import { describe, expect, it } from "@jest/globals";
import { startGumroadEmulator } from "gumroad-emulator";
import { fixtureProducts } from "gumroad-emulator/products";

import samplePolicy from "../../fixtures/policy.ts";
import { shopProducts } from "../../local/shop-products.ts";
import { defineProducts } from "../../src/config/products-file.ts";

describe("what the local shop sells", () => {
  it("is the fixtures' products under the fixtures' policy", () => {
    expect(shopProducts(samplePolicy)).toEqual(fixtureProducts());
  });

  it("is each product of a seller's own policy, as what the policy says it is, the same at every start", () => {
    const policy = () =>
      defineProducts([
        { id: "book", name: "Ein Buch für alle!", roles: ["reader"] },
        { id: "course", name: "Course", variant: "Version", roles: { Video: ["video"], Text: ["reader"] } },
        { id: "club", name: "Club", variant: "Tier", roles: { Basic: ["club"], Premium: ["club", "vip"] } },
        { id: "letters", name: "Letters", roles: ["letters"], onEnd: { graceDays: 3 } },
        { id: "class", name: "Class", roles: ["class"], plan: "instalments" },
        { id: "all", name: "日本", contains: ["book", "course"] },
      ]);
    const products = shopProducts(policy());
    expect(products).toEqual(shopProducts(policy()));
    expect(products).toMatchObject([
      { kind: "single", id: "book", permalink: "ein-buch-f-r-alle" },
      { kind: "single", variants: { category: "Version", options: [{ name: "Video" }, { name: "Text" }] } },
      { kind: "membership", tiers: [{ name: "Basic" }, { name: "Premium" }] },
      { kind: "membership", tiers: [{ name: "Letters" }] },
      { kind: "instalments", charges: 3 },
      { kind: "bundle", contains: ["book", "course"], permalink: expect.stringMatching(/^[a-z0-9_-]{6}$/) },
    ]);
  });

  it("can be bought, each of it", async () => {
    const policy = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }, { id: "club", name: "Club",
      variant: "Tier", roles: { Basic: ["club"] } }, { id: "all", name: "All", contains: ["book"] }]);
    const shop = await startGumroadEmulator({ products: shopProducts(policy) });
    for (const product of policy.keys()) shop.sell({ product, email: "ann@example.com" });
    expect(shop.sales.map(({ productId }) => productId)).toEqual(["book", "club", "all", "book"]);
    await shop.stop();
  });

  it("is a fixture's id as the seller's own policy has it, where that is another offer", () => {
    const [, , club] = fixtureProducts();
    const policy = defineProducts([{ id: club!.id, name: "Pro Club", variant: "Tier", roles: { Gold: ["gold"] } }]);
    expect(shopProducts(policy)).toMatchObject([{ kind: "membership", tiers: [{ name: "Gold" }] }]);
  });
});

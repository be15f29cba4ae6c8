import { describe, expect, it } from "@jest/globals";

import { fixtureProducts } from "../src/products.ts";
import { CLUB, DAY, HANDBOOK, startListeningShop, startShop } from "./listening-shop.ts";

const silent = { deliver: () => 200 };

describe("a snapshot of a shop", () => {
  it("is gone on with by another: the same rows, and new ones with ids and numbers of their own", async () => {
    const before = await startShop(silent);
    const { sale } = before.sell({ product: HANDBOOK, email: "ann@example.com" });
    const after = await startShop(silent);
    after.restore(before.snapshot());
    expect(after.sales).toEqual(before.sales);
    const { sale: next } = after.sell({ product: HANDBOOK, email: "bo@example.com" });
    expect(next.id).not.toBe(sale.id);
    expect(next.orderNumber).toBeGreaterThan(sale.orderNumber);
    expect(next.sequence).toBeGreaterThan(sale.sequence);
    expect(after.refund(sale.id)).toMatchObject({ refunded: true });
  });

  it("keeps what rows share: an account's new email shows in its next charge, a tier's new name too", async () => {
    const before = await startShop(silent);
    const { subscription } = before.sell({ product: CLUB, email: "eve@example.com", accountEmail: "eve@example.com" });
    const { shop: after, heard } = await startListeningShop();
    after.restore(before.snapshot());
    after.subscribe("sale", "https://service.example/ping");
    after.changeAccountEmail("eve@example.com", "new@example.com");
    after.renameTier(CLUB, "Basic", "Starter");
    after.renew(subscription!.id);
    expect(heard("email", "variants[Tier]")).toContain("sale new@example.com Starter");
  });

  it("keeps what falls due: a renewal, and the end of a subscription whose card was refused", async () => {
    const before = await startShop(silent);
    before.sell({ product: CLUB, email: "eve@example.com" });
    const { subscription } = before.sell({ product: CLUB, email: "fay@example.com" });
    before.failPayment(subscription!);
    await before.advance(2 * DAY);
    const after = await startShop(silent);
    after.restore(before.snapshot());
    await after.advance(4 * DAY);
    expect(after.subscriptions.map(({ failedAt }) => failedAt)).toEqual([undefined, undefined]);
    await after.advance(2 * DAY);
    expect(after.subscriptions.map(({ failedAt }) => failedAt === undefined)).toEqual([true, false]);
    await after.advance(26 * DAY);
    expect(after.sales).toHaveLength(3);
  });

  it("keeps the rows put in, and products as they became, but for those it is started with anew", async () => {
    const before = await startShop(silent);
    before.renameTier(CLUB, "Basic", "Starter");
    before.seed({ subscribers: [{ id: "s", product_id: CLUB, created_at: "2026-01-05T19:38:56Z", status: "alive" }],
      pings: ["membership-sale.txt"] });
    const names = async (products = fixtureProducts()) => {
      const after = await startShop({ ...silent, products });
      after.restore(before.snapshot());
      const answer = await fetch(`${after.url}/_emulator/products`);
      const seeded = await fetch(`${after.url}/_emulator/seed`);
      expect(await seeded.json()).toEqual({ pings: ["membership-sale.txt"] });
      return answer.text();
    };
    expect(await names()).toContain("Starter");
    const dearer = fixtureProducts().map((product) => ({ ...product, priceCents: product.priceCents + 1 }));
    expect(await names(dearer)).not.toContain("Starter");
  });

  it("of something else is refused, and changes nothing", async () => {
    const shop = await startShop(silent);
    const { sale } = shop.sell({ product: HANDBOOK, email: "ann@example.com" });
    expect(() => shop.restore(Buffer.from("nothing"))).toThrow();
    expect(shop.sales).toEqual([sale]);
  });
});

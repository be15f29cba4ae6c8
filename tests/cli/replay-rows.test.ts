import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import { readManifest, rowsFor, seedGumroad } from "../../cli/replay/rows.ts";
import { type GumroadEmulator, startGumroadEmulator } from "gumroad-emulator";
import { LOCAL_ACCESS_TOKEN } from "gumroad-emulator/options";
import type { Order } from "gumroad-emulator/order";
import { type Seed, SeedRows } from "gumroad-emulator/seeds";
import { seed } from "../properties/arbitraries.ts";

const { bodies } = readManifest();
const told = Object.entries(bodies).flatMap(([file, { api }]) => (api === undefined ? [] : [{ file, api }]));
const all = Object.keys(bodies);
const base = SeedRows.parse(JSON.parse(readFileSync("fixtures/api/rows.json", "utf8")));
const pingOf = (file: string) => new URLSearchParams(readFileSync(`fixtures/pings/${file}`, "utf8").trimEnd());
const salesIn = ({ sales = [], unlistedSales = [] }: Seed): Record<string, unknown>[] => [...sales, ...unlistedSales];
const saleIn = (rows: Seed, id: string | null) => salesIn(rows).find((row) => row["id"] === id);

let shop: GumroadEmulator | undefined;
afterEach(async () => {
  await shop?.stop();
  shop = undefined;
});

describe("the API rows of the manifest", () => {
  it("are all shown after some body, and no body names another", () => {
    const shown = rowsFor(all);
    expect(shown).toMatchObject({ sales: base.sales!.map(({ id }) => ({ id })), unlistedSales: [{}],
      subscribers: [{}] });
    expect([...new Set(told.flatMap(({ api }) => Object.keys(api.sales)))].sort()).toEqual(
      salesIn(base).map(({ id }) => id).sort(),
    );
    expect([...new Set(told.flatMap(({ api }) => Object.keys(api.subscribers ?? {})))]).toEqual(
      base.subscribers!.map(({ id }) => id),
    );
  });

  it("belong to every body but a test ping, which tells of no event", () => {
    expect(all.filter((file) => bodies[file]!.api === undefined)).toEqual(["test-ping.txt"]);
    expect(rowsFor(["test-ping.txt", "someone-elses.txt", "constructor"])).toEqual({ sales: [], unlistedSales: [],
      subscribers: [], pings: [] });
  });

  it.each(told.filter(({ file }) => pingOf(file).has("sale_id")).map(({ file }) => file))(
    "agree with the ping %s that they go with",
    (file) => {
      const ping = pingOf(file);
      const row = saleIn(rowsFor([file]), ping.get("sale_id"));
      expect(row).toMatchObject({ purchase_email: ping.get("email"), product_id: ping.get("product_id"),
        created_at: ping.get("sale_timestamp"), order_id: Number(ping.get("order_number")),
        price: Number(ping.get("price")), disputed: ping.get("disputed") === "true",
        dispute_won: ping.get("dispute_won") === "true",
        is_gift_receiver_purchase: ping.get("is_gift_receiver_purchase") === "true" });
      expect(row!["refunded"] ?? false).toBe(ping.get("refunded") === "true");
      expect(row!["subscription_id"] ?? null).toBe(ping.get("subscription_id"));
      expect(row!["variants"]).toEqual(ping.has("variants[Tier]") ? { Tier: ping.get("variants[Tier]") } : undefined);
    },
  );

  it.each(told.filter(({ file }) => pingOf(file).has("user_email")).map(({ file }) => file))(
    "agree with the subscription of %s",
    (file) => {
      const ping = pingOf(file);
      expect(rowsFor([file]).subscribers).toMatchObject([
        { id: ping.get("subscription_id"), user_email: ping.get("user_email"), user_id: ping.get("user_id"),
          product_id: ping.get("product_id"), created_at: ping.get("created_at") },
      ]);
    },
  );

  it("show what a ping doesn't: a gift's giver, what is in a bundle, an account's email", () => {
    const gift = rowsFor(["sale-gift.txt"]);
    expect(gift.sales).toMatchObject([{ purchase_email: "dee@example.com", giftee_email: "cy@example.com",
      is_gift_sender_purchase: true }, { gifter_email: "dee@example.com", is_gift_receiver_purchase: true }]);
    const bundle = salesIn(rowsFor(["bundle-child-handbook.txt"]));
    expect(bundle.map((row) => [row["is_bundle_purchase"], row["is_bundle_product_purchase"], row["paid"]])).toEqual([[
      true,
      false,
      true,
    ], [false, true, false], [false, true, false]]);
    expect(rowsFor(["sale-test-purchase.txt"])).toMatchObject({ sales: [],
      unlistedSales: [{ email: "founder@acme.example", purchase_email: "owner@acme.example" }] });
  });

  it("are those after the latest event of the bodies given", () => {
    const sale = (...files: string[]) => salesIn(rowsFor(files))[0];
    expect(sale("sale.txt")).not.toHaveProperty("refunded");
    expect(sale("refund-full.txt")).toMatchObject({ refunded: true, partially_refunded: false });
    expect(sale("refund-full.txt", "refund-partial.txt", "sale-retry.txt")).toMatchObject({ refunded: true,
      partially_refunded: false });
    expect(sale("dispute.txt")).toMatchObject({ disputed: true, chargedback: true, dispute_won: false });
    expect(sale("dispute-won.txt", "dispute.txt")).toMatchObject({ disputed: true, chargedback: false,
      dispute_won: true });
    const life = rowsFor(all.filter((file) => file.startsWith("membership-")).reverse());
    expect(life.subscribers).toMatchObject([{ status: "alive", cancelled_at: null, ended_at: null,
      purchase_ids: life.sales!.map(({ id }) => id) }]);
    expect(life.sales).toMatchObject([{ cancelled: false, dead: false, recurring_charge: false }, { cancelled: false,
      dead: false, recurring_charge: true }]);
  });

  it(`are the same in whatever order, and however often, the bodies are given (seed ${String(seed)})`, () => {
    fc.assert(fc.property(fc.subarray(all), fc.func(fc.integer()), (some, rank) => {
      const shuffled = [...some, ...some.slice(0, 3)].map((file, place) => ({ file, by: rank(file, place) })).sort((a,
        b) => a.by - b.by
      );
      expect(rowsFor(shuffled.map(({ file }) => file))).toEqual(rowsFor(some));
    }), { seed, numRuns: 40 });
  });
});

describe("the emulator, when the same things happen in it, shows the rows of the manifest", () => {
  const START = "2026-01-05T19:38:56Z";
  const fixed = (...files: string[]) =>
    files.map((file) => ({ saleId: pingOf(`${file}.txt`).get("sale_id")!,
      orderNumber: Number(pingOf(`${file}.txt`).get("order_number")) })
    );
  const begin = async () => (shop = await startGumroadEmulator({ now: () => Date.parse(START), deliver: () => 200 }));
  const shown = async (kind: "sale" | "subscriber", id: string) => {
    const answer = await fetch(`${shop!.apiUrl}/${kind}s/${encodeURIComponent(id)}`, {
      headers: { authorization: `Bearer ${LOCAL_ACCESS_TOKEN}` },
    });
    const row = JSON.parse(await answer.text())[kind];
    return row;
  };
  const orders: { files: string[]; order: Order }[] = [
    { files: ["sale-custom-fields"],
      order: { product: "rctfd", email: "bo@example.com",
        customFields: [["Company [for invoice]", "Acme & Söns"], ["T&C", true]] } },
    { files: ["sale-gift"], order: { product: "hbkqz", email: "dee@example.com", gift: { to: "cy@example.com" } } },
    { files: ["bundle-sale", "bundle-child-handbook", "bundle-child-dataviz"],
      order: { product: "everything", email: "fay@example.com" } },
    { files: ["sale-test-purchase"],
      order: { product: "hbkqz", email: "owner@acme.example", accountEmail: "founder@acme.example", test: true } },
  ];

  it.each(orders)("of $files", async ({ files, order }) => {
    const expected = rowsFor(files.map((file) => `${file}.txt`));
    const giver = expected.sales!.find((row) => row["is_gift_sender_purchase"] === true);
    const rows = [...(giver === undefined ? [] : [{ saleId: giver.id, orderNumber: giver.order_id! }]),
      ...fixed(...files)];
    (await begin()).sell({ ...order, ids: { rows, accountId: "5530311507811" } });
    for (const row of salesIn(expected)) expect(await shown("sale", String(row["id"]))).toEqual(row);
  });

  it("of a purchase that is refunded, disputed and won back", async () => {
    const { sell, refund, dispute, disputeWon } = await begin();
    const { sale } = sell({ product: "hbkqz", email: "ann@example.com", fullName: "Ann Lee",
      ids: { rows: fixed("sale"), licenseKey: "83DB262A-C19D3B06-A5235A6B-8C079166" } });
    const files = ["sale.txt"];
    const same = async (file: string) => {
      files.push(file);
      expect(await shown("sale", sale.id)).toEqual(saleIn(rowsFor(files), sale.id));
    };
    await same("sale-retry.txt");
    refund(sale, { partial: 1000 });
    await same("refund-partial.txt");
    refund(sale);
    await same("refund-full.txt");
    dispute(sale);
    await same("dispute.txt");
    disputeWon(sale);
    await same("dispute-won.txt");
  });

  it("of a membership, but for the charge that its restart would take", async () => {
    const running = await begin();
    const at = (moment: string) => running.advance(Date.parse(moment) - running.now());
    const { sale, subscription } = running.sell({ product: "proclub", email: "eve@example.com",
      accountEmail: "eve@example.com",
      ids: { rows: fixed("membership-sale"), subscriptionId: "DACURTKJMxmvflxqHGySZQ==",
        accountId: "884201288175" } });
    const files = ["membership-sale.txt"];
    const [renewal] = fixed("membership-renewal");
    const same = async () => {
      const expected = rowsFor(files);
      const made = subscription!.saleIds[1];
      const renamed = (row: unknown) => JSON.parse(JSON.stringify(row).replaceAll(String(made), renewal!.saleId));
      expect(renamed(await shown("subscriber", subscription!.id))).toEqual(expected.subscribers![0]);
      expect(await shown("sale", sale.id)).toEqual(saleIn(expected, sale.id));
      if (made !== undefined) {
        expect({ ...renamed(await shown("sale", made)), order_id: renewal!.orderNumber }).toEqual(
          saleIn(expected, renewal!.saleId),
        );
      }
    };
    await same();
    await at("2026-02-05T19:38:00Z");
    running.renew(subscription!);
    files.push("membership-renewal.txt");
    await same();
    await at("2026-02-20T10:00:00Z");
    running.upgrade(subscription!, { tier: "Premium", chargeCents: 0 });
    files.push("membership-upgrade.txt");
    await same();
    await at("2026-02-25T09:00:00Z");
    running.cancel(subscription!, "buyer", { at: Date.parse("2026-03-05T19:00:00Z") });
    files.push("membership-cancellation.txt");
    await same();
    await at("2026-03-05T19:39:02Z");
    files.push("membership-ended.txt");
    await same();
    await at("2026-03-09T08:00:00Z");
    running.restart(subscription!);
    const [restarted] = rowsFor([...files, "membership-restarted.txt"]).subscribers!;
    expect(await shown("subscriber", subscription!.id)).toEqual({ ...restarted, purchase_ids: subscription!.saleIds });
  });
});

describe("seeding", () => {
  const file = (name: string) => path.resolve("fixtures/pings", name);
  const listed = async () => {
    const answer = await fetch(`${shop!.apiUrl}/sales`, {
      headers: { authorization: `Bearer ${LOCAL_ACCESS_TOKEN}` },
    });
    return JSON.parse(await answer.text()).sales;
  };

  it("puts the rows of the files into a running emulator", async () => {
    shop = await startGumroadEmulator();
    expect(await seedGumroad(shop.url, [file("sale.txt"), "fixtures/pings/membership-sale.txt"])).toEqual(
      rowsFor(["sale.txt", "membership-sale.txt"]),
    );
    expect(await listed()).toMatchObject([{ purchase_email: "ann@example.com" }, {
      purchase_email: "eve@example.com",
    }]);
  });

  it("keeps what was told before: a late sale doesn't undo its refund", async () => {
    shop = await startGumroadEmulator();
    await seedGumroad(shop.url, [file("refund-full.txt")]);
    expect(await seedGumroad(shop.url, [file("sale-retry.txt")])).toEqual(
      rowsFor(["refund-full.txt", "sale-retry.txt"]),
    );
    expect(await listed()).toMatchObject([{ refunded: true }]);
  });

  it("leaves out files of others, even of the same name, and does nothing where none is left", async () => {
    shop = await startGumroadEmulator();
    const other = path.join(tmpdir(), "sale.txt");
    writeFileSync(other, "email=ann%40example.com");
    expect(await seedGumroad(shop.url, [other, file("test-ping.txt")])).toBeUndefined();
    expect(await listed()).toEqual([]);
  });

  it("says that no emulator takes them", async () => {
    shop = await startGumroadEmulator();
    const { url } = shop;
    await shop.stop();
    await expect(seedGumroad(url, [file("sale.txt")])).rejects.toThrow(`the Gumroad emulator at ${url} takes no rows`);
  });
});

import { describe, expect, it } from "@jest/globals";

import type { GumroadEmulator } from "../src/emulator.ts";
import { ask, BUNDLE, CLUB, DATAVIZ, DAY, HANDBOOK, MASTERCLASS, startListeningShop,
  startShop } from "./listening-shop.ts";

const act = (shop: GumroadEmulator, name: string, json?: unknown) =>
  ask(shop, `/_emulator/acts/${name}`, { method: "POST", token: null, json });
const ann = { product: HANDBOOK, email: "ann@example.com" };
/** Ids of the rows that an act answered with. */
const ids = ({ body }: Awaited<ReturnType<typeof act>>) => body.sales!.map(({ id }) => id);

describe("an act that another process asks for", () => {
  it("answers with the row as the API shows it, and with the ping that went out and its answer", async () => {
    const { shop, answers } = await startListeningShop();
    answers.push(503);
    const sold = await act(shop, "sell", ann);
    expect(sold).toEqual({ status: 200,
      body: { sales: [expect.objectContaining({ purchase_email: "ann@example.com", price: 4900 })], subscribers: [],
        pings: [{ event: "sale", outcome: 503 }] } });
    expect(await ask(shop, `/v2/sales/${String(ids(sold)[0])}`)).toMatchObject({
      body: { sale: sold.body.sales![0] },
    });
  });

  it("answers with every row that it made or changed, and no other", async () => {
    const { shop } = await startListeningShop();
    shop.sell(ann);
    expect((await act(shop, "sell", { ...ann, gift: { to: "cy@example.com" } })).body.sales).toMatchObject([{
      giftee_email: "cy@example.com",
    }, { gifter_email: "ann@example.com" }]);
    const [, receiver] = shop.sales.slice(1);
    expect((await act(shop, "refundGift", { sale: receiver!.id })).body).toMatchObject({
      sales: [{ refunded: true }, { refunded: true }],
      pings: [],
    });
    const bundle = await act(shop, "sell", { product: BUNDLE, email: "fay@example.com" });
    expect(bundle.body.sales).toHaveLength(3);
    expect(ids(await act(shop, "dispute", { sale: ids(bundle)[0] }))).toEqual(ids(bundle));
  });

  it("answers with the row it is about where the API shows no change", async () => {
    const { shop } = await startListeningShop();
    const { sale } = shop.sell(ann);
    for (const name of ["revokeAccess", "restoreAccess", "resendPing"]) {
      expect(ids(await act(shop, name, { sale: sale.id }))).toEqual([sale.id]);
    }
  });

  it("is a purchase's whole life", async () => {
    const { shop, heard } = await startListeningShop();
    const [sale] = ids(await act(shop, "sell", ann));
    await act(shop, "refund", { sale, partial: 1000 });
    await act(shop, "refund", { sale, partial: true });
    await act(shop, "reverseRefund", { sale });
    await act(shop, "dispute", { sale });
    await act(shop, "disputeLost", { sale });
    await act(shop, "disputeWon", { sale });
    await act(shop, "refund", { sale });
    expect((await act(shop, "changeEmail", { sale, email: "ann.lee@example.com" })).body.sales).toMatchObject([{
      purchase_email: "ann.lee@example.com",
      refunded: true,
      dispute_won: true,
    }]);
    expect(heard("refunded")).toEqual(["sale false", "refund false", "refund false", "dispute false",
      "dispute_won false", "refund true"]);
  });

  it("is a membership's whole life", async () => {
    const { shop, heard } = await startListeningShop();
    const sold = await act(shop, "sell", { product: "proclub", email: "eve@example.com",
      accountEmail: "eve@example.com", tier: "Basic" });
    const subscription = sold.body.subscribers![0]!["id"];
    const happen = async (name: string, body: object = {}) =>
      (await act(shop, name, { subscription, ...body })).body.subscribers?.[0];
    await happen("upgrade", { tier: "Premium", chargeCents: 0 });
    await happen("downgrade", { tier: "Basic" });
    expect(await happen("renew")).toMatchObject({ purchase_ids: [expect.anything(), expect.anything()] });
    expect(await happen("cancel", { by: "buyer", at: "2026-01-20T10:00:00Z" })).toMatchObject({
      status: "pending_cancellation",
      cancelled_at: "2026-01-20T10:00:00Z",
    });
    expect(await happen("end")).toMatchObject({ status: "cancelled" });
    expect(await happen("restart")).toMatchObject({ status: "alive" });
    expect(await happen("failPayment")).toMatchObject({ status: "pending_failure" });
    expect(await happen("end", { reason: "failed_payment" })).toMatchObject({ status: "failed_payment" });
    expect(heard()).toEqual(["sale", "subscription_updated", "subscription_updated", "sale", "cancellation",
      "subscription_ended", "subscription_restarted", "subscription_ended", "cancellation"]);
  });

  it("is all the rest: carts, seats, accounts, tiers, test pings", async () => {
    const { shop, heard } = await startListeningShop();
    const cart = await act(shop, "sellCart", {
      orders: [ann, { ...ann, product: DATAVIZ, urlParams: [["ref", "x"]],
        customFields: [["Company", "Acme"], ["Yes", true]] }],
    });
    expect(cart.body.sales).toHaveLength(2);
    const plan = await act(shop, "sell", { product: MASTERCLASS, email: "ivy@example.com",
      accountEmail: "ivy@example.com", quantity: 2 });
    expect((await act(shop, "changeSeats", { subscription: plan.body.subscribers![0]!["id"], quantity: 3 })).status)
      .toBe(200);
    expect(
      (await act(shop, "changeAccountEmail", { from: "ivy@example.com", to: "ivy.b@example.com" })).body.subscribers,
    ).toMatchObject([{ user_email: "ivy.b@example.com" }]);
    expect((await act(shop, "renameTier", { product: CLUB, from: "Basic", to: "Starter" })).status).toBe(200);
    heard();
    expect((await act(shop, "sendTestPing", { url: "https://service.example/ping" })).body["pings"]).toEqual([{
      event: "test",
      outcome: 200,
    }]);
    expect(heard()).toEqual(["test"]);
  });

  it("sells what the seller's own products are: a licensed one, a preorder", async () => {
    const { shop } = await startListeningShop();
    const id = "AAAAAAAAAAAAAAAAAAAAAA==";
    const product = { kind: "preorder", id, name: "Next Book", priceCents: 2000, permalink: "next", shortId: "nextb",
      licensed: true, releaseAt: "2026-02-01T00:00:00Z" };
    expect((await act(shop, "addProduct", product)).status).toBe(200);
    expect((await ask(shop, "/_emulator/products", { token: null })).body.products).toContainEqual(
      expect.objectContaining({ id, name: "Next Book", is_preorder: true }),
    );
    const [one] = ids(await act(shop, "sell", { product: id, email: "hal@example.com" }));
    await act(shop, "sell", { product: "next", email: "jo@example.com" });
    await act(shop, "failPreorder", { sale: one });
    const released = await act(shop, "releasePreorder", { product: id });
    expect(released.body["pings"]).toEqual([{ event: "sale", outcome: 200 }]);
    const charged = released.body.sales!.find(({ is_preorder_authorization }) => is_preorder_authorization === false);
    expect(charged).toMatchObject({ purchase_email: "jo@example.com" });
    await act(shop, "deleteProduct", { product: id });
    expect((await ask(shop, "/_emulator/products", { token: null })).body.products).not.toContainEqual(
      expect.objectContaining({ id }),
    );
  });
});

describe("an act is refused", () => {
  it.each([
    { name: "sell", json: undefined, error: "→ at product" },
    { name: "sell", json: { ...ann, email: "ann" }, error: "Invalid email address" },
    { name: "sell", json: { ...ann, quantity: 0 }, error: "→ at quantity" },
    { name: "sell", json: { ...ann, prize: 1 }, error: 'Unrecognized key: "prize"' },
    { name: "sell", json: [ann], error: "expected object" },
    { name: "sell", json: "{", error: "The body is no JSON" },
    { name: "sell", json: { ...ann, tier: "Gold", product: CLUB }, error: "Pro Club has no tier Gold" },
    { name: "refund", json: { sale: "x", partial: -1 }, error: "→ at partial" },
    { name: "cancel", json: { subscription: "x", by: "nobody" }, error: "→ at by" },
    { name: "cancel", json: { subscription: "x", at: "soon" }, error: "→ at at" },
    { name: "sendTestPing", json: { url: "file:///etc/passwd" }, error: "→ at url" },
    { name: "addProduct", json: { kind: "course" }, error: "→ at kind" },
    { name: "addProduct", json: { kind: "single", id: "short" }, error: "is no product id" },
  ])("with 400 and why, for $name with $error", async ({ name, json, error }) => {
    const shop = await startShop();
    expect(await act(shop, name, json)).toMatchObject({ status: 400,
      body: { error: expect.stringContaining(error) } });
    expect(shop.sales).toEqual([]);
  });

  it.each([
    { name: "sell", json: { ...ann, product: "gone" }, error: "The shop has no product gone" },
    { name: "refund", json: { sale: "gone" }, error: "The shop has no sale gone" },
    { name: "renew", json: { subscription: "gone" }, error: "The shop has no subscription gone" },
    { name: "sold", json: ann, error: "There is no act sold. There are sell, sellCart, refund," },
    { name: "constructor", json: {}, error: "There is no act constructor" },
  ])("with 404 where there is nothing of that name: $error", async ({ name, json, error }) => {
    const shop = await startShop();
    expect(await act(shop, name, json)).toMatchObject({ status: 404,
      body: { error: expect.stringContaining(error) } });
  });

  it("with 409 and the shop's own words where a real shop would not do it now", async () => {
    const shop = await startShop();
    const { sale } = shop.sell(ann);
    shop.refund(sale);
    expect(await act(shop, "refund", { sale: sale.id })).toEqual({ status: 409,
      body: { status: 409, error: "Of this sale 0 cents are left to refund, not 0" } });
    expect(await act(shop, "sendTestPing")).toMatchObject({ status: 409,
      body: { error: "A test ping needs a sale and a URL" } });
    shop.deleteProduct(DATAVIZ);
    expect((await act(shop, "sell", { ...ann, product: DATAVIZ })).status).toBe(409);
    expect((await ask(shop, "/_emulator/acts/sell", { token: null })).status).toBe(404);
  });
});

describe("a shop on somebody else's clock", () => {
  it("moves that clock, step by step, for all who go by it", async () => {
    let time = Date.parse("2026-01-05T19:38:56Z");
    const told: number[] = [];
    const shop = await startShop({ now: () => time, forward: (milliseconds) => {
      time += milliseconds;
    }, eventsUrl: "https://service.example/ping", deliver: () => {
      told.push(time);
      return 200;
    } });
    shop.sell({ product: CLUB, email: "eve@example.com" });
    await shop.advance(60 * DAY);
    expect(told.map((at) => new Date(at).toISOString().slice(0, 10))).toEqual(["2026-01-05", "2026-02-05",
      "2026-03-05"]);
    expect(new Date(time).toISOString()).toBe("2026-03-06T19:38:56.000Z");
    shop.reset();
    expect(shop.now()).toBe(time);
  });

  it("tells its events to the same URL after it started over, each once", async () => {
    const shop = await startShop({ deliver: () => 200, eventsUrl: "https://service.example/ping" });
    shop.reset();
    const { sale } = shop.sell(ann);
    shop.refund(sale);
    shop.sendTestPing();
    expect(shop.posts.map(({ event, url }) => [event, url])).toEqual(
      ["sale", "refund", "test"].map((event) => [event, "https://service.example/ping"]),
    );
  });
});

import { describe, expect, it } from "@jest/globals";

import { startGumroadEmulator } from "../src/emulator.ts";
import { ask, CLUB, DAY, HANDBOOK, START, startListeningShop, startShop } from "./listening-shop.ts";

const ann = { product: HANDBOOK, email: "ann@example.com" };
const post = (shop: Parameters<typeof ask>[0], path: string, json?: unknown) =>
  ask(shop, path, { method: "POST", token: null, json });
const row = { id: "s1", product_id: HANDBOOK, created_at: "2026-01-07T00:00:00Z", purchase_email: "zoe@example.com",
  order_id: 7, refunded: true };

describe("rows put in directly", () => {
  it("are read and listed among the others, and stand in the place of their id", async () => {
    const { shop } = await startListeningShop();
    const { sale } = shop.sell(ann);
    const { subscription } = shop.sell({ product: CLUB, email: "eve@example.com" });
    shop.seed({
      sales: [row, { ...row, id: sale.id, created_at: "2026-01-01T00:00:00Z" }, { ...row, id: "g",
        is_gift_receiver_purchase: true }],
      unlistedSales: [{ ...row, id: "t" }],
    });
    const listed = (await ask(shop, "/v2/sales?email=zoe@example.com")).body.sales;
    expect(listed?.map(({ id }) => id)).toEqual(["s1", sale.id]);
    expect(listed?.[0]).toEqual(row);
    for (const id of ["g", "t"]) expect((await ask(shop, `/v2/sales/${id}`)).body.sale).toMatchObject({ id });
    const subscriber = { id: "u", product_id: CLUB, created_at: "2026-01-07T00:00:00Z", status: "alive" as const,
      user_email: "zoe@example.com" };
    shop.seed({ subscribers: [subscriber, { ...subscriber, id: subscription!.id, status: "cancelled" }] });
    expect((await ask(shop, `/v2/products/${CLUB}/subscribers`)).body.subscribers).toEqual([subscriber]);
    expect((await ask(shop, `/v2/subscribers/${subscription!.id}`)).body.subscriber).toMatchObject({
      status: "cancelled",
    });
  });

  it("come from another process too, and wrong ones are refused by name", async () => {
    const shop = await startShop();
    expect((await post(shop, "/_emulator/seed", { sales: [row] })).status).toBe(204);
    expect((await ask(shop, "/v2/sales")).body.sales).toEqual([row]);
    const refused = await post(shop, "/_emulator/seed", { sales: [{ ...row, created_at: "soon" }] });
    expect(refused).toMatchObject({ status: 400, body: { error: expect.stringContaining("sales[0].created_at") } });
    expect((await post(shop, "/_emulator/seed", "{")).status).toBe(400);
    expect((await post(shop, "/_emulator/seed", { rows: [] })).status).toBe(400);
  });

  it("say which pings they go with, until the shop starts over", async () => {
    const shop = await startShop();
    const pings = async () => (await ask(shop, "/_emulator/seed", { token: null })).body["pings"];
    shop.seed({ sales: [row], pings: ["sale.txt"] });
    shop.seed({ pings: ["sale.txt", "refund-full.txt"] });
    expect(await pings()).toEqual(["sale.txt", "refund-full.txt"]);
    shop.reset();
    expect(await pings()).toEqual([]);
  });
});

describe("what another process can do", () => {
  it("is to see the calls, without the token", async () => {
    const shop = await startShop();
    await ask(shop, "/v2/sales/x?access_token=secret&a=1");
    expect((await ask(shop, "/_emulator/calls", { token: null })).body["calls"]).toEqual([
      { method: "GET", path: "/sales/:id", url: "/sales/x", parameters: { a: "1" }, at: START, status: 200 },
    ]);
  });

  it("is to move time", async () => {
    const { shop, heard } = await startListeningShop();
    shop.sell({ product: CLUB, email: "eve@example.com" });
    expect(await post(shop, "/_emulator/advance", { ms: 31 * DAY })).toEqual({ status: 200,
      body: { now: "2026-02-05T19:38:56.000Z" } });
    expect(await ask(shop, "/_emulator/advance", { token: null })).toMatchObject({ status: 200,
      body: { now: "2026-02-05T19:38:56.000Z" } });
    expect(heard()).toEqual(["sale", "sale"]);
    expect((await post(shop, "/_emulator/advance", { ms: -1 })).status).toBe(400);
    expect((await post(shop, "/_emulator/anything")).status).toBe(404);
  });

  it("is to start over", async () => {
    const shop = await startShop({ deliver: () => 200, pingUrl: "https://service.example/ping" });
    shop.sell(ann);
    shop.fault({ answer: { status: 500 }, times: Infinity });
    shop.revokeToken();
    await shop.advance(DAY);
    expect((await post(shop, "/_emulator/reset")).status).toBe(204);
    expect([shop.sales, shop.posts, shop.calls, shop.now()]).toEqual([[], [], [], START]);
    expect((await ask(shop, "/v2/sales")).body.sales).toEqual([]);
  });
});

describe("faults", () => {
  it("befall the calls they are for, so many times", async () => {
    const shop = await startShop();
    const fault = shop.fault({ path: "/sales/:id", method: "get", times: 2, skip: 1, answer: { status: 503 } });
    const statuses: number[] = [];
    for (const path of ["/v2/sales", "/v2/sales/a", "/v2/sales/a", "/v2/sales/b", "/v2/sales/b"]) {
      statuses.push((await ask(shop, path)).status);
    }
    expect(statuses).toEqual([200, 200, 503, 503, 200]);
    expect(fault.hits).toBe(2);
  });

  it("answer what they are told, break off, or never answer", async () => {
    const shop = await startShop();
    shop.fault({ path: /^\/user/, answer: { status: 429, body: { slow: "down" }, headers: { "retry-after": "1" } } });
    expect(await ask(shop, "/v2/user")).toMatchObject({ status: 429, body: { slow: "down" } });
    shop.fault({ answer: "reset" });
    await expect(ask(shop, "/v2/user")).rejects.toThrow();
    shop.fault({ answer: "hang" });
    const patience = new AbortController();
    const hanging = fetch(`${shop.apiUrl}/user`, { signal: patience.signal });
    while (shop.calls.length < 3) await new Promise((resolve) => setImmediate(resolve));
    patience.abort();
    await expect(hanging).rejects.toMatchObject({ name: "AbortError" });
    shop.fault({ answer: "reset", times: Infinity }).remove();
    expect((await ask(shop, "/v2/user")).status).toBe(200);
    expect(shop.calls.map(({ status }) => status)).toEqual([429, "reset", "hang", 200]);
  });

  it("can come after the call was done", async () => {
    const shop = await startShop();
    const form = { resource_name: "sale", post_url: "https://service.example/ping" };
    shop.fault({ method: "PUT", answer: "answerThenReset" });
    await expect(ask(shop, "/v2/resource_subscriptions", { method: "PUT", form })).rejects.toThrow();
    const listed = await ask(shop, "/v2/resource_subscriptions?resource_name=sale");
    expect(listed.body).toMatchObject({ resource_subscriptions: [{ post_url: form.post_url }] });
  });

  it("and latency are waited for without sleeping", async () => {
    const waits: number[] = [];
    const shop = await startShop({ latency: 250,
      wait: (milliseconds) => Promise.resolve(void waits.push(milliseconds)) });
    await ask(shop, "/v2/user");
    shop.setLatency(({ path }) => path.length);
    await ask(shop, "/v2/user");
    expect(waits).toEqual([250, 5]);
  });
});

describe("starting", () => {
  it("says when the port is taken", async () => {
    const shop = await startShop();
    await expect(startGumroadEmulator({ port: Number(new URL(shop.url).port) })).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
  });

  it("makes the same ids from the same seed, others from another", async () => {
    const [one, same, other] = await Promise.all([startShop(), startShop(), startShop({ idSeed: "other" })]);
    const sold = [one, same, other].map((shop) => shop.sell(ann).sale.id);
    expect(sold[0]).toMatch(/^[\w-]{22}==$/);
    expect(sold[1]).toBe(sold[0]);
    expect(sold[2]).not.toBe(sold[0]);
  });
});

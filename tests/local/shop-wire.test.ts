import { readFileSync } from "node:fs";

import { describe, expect, it } from "@jest/globals";

import { encodeForm, encodeJson } from "gumroad-emulator/form-encoding";
import type { PayloadValue } from "gumroad-emulator/form-encoding";
import type { Order } from "gumroad-emulator/order";
import { CLUB, HANDBOOK, startListeningShop } from "../../packages/gumroad-emulator/tests/listening-shop.ts";
import type { ListeningShop } from "../../packages/gumroad-emulator/tests/listening-shop.ts";

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/pings/${name}.txt`, import.meta.url), "utf8").trimEnd();
/** The order and sale number of a fixture, so that the same can be sold again. */
const rows = (...names: string[]) =>
  names.map((name) => {
    const ping = new URLSearchParams(fixture(name));
    return { saleId: ping.get("sale_id") ?? "", orderNumber: Number(ping.get("order_number")) };
  });
const at = (text: string, { shop }: ListeningShop) => shop.advance(Date.parse(text) - shop.now());

const ann: Order = { product: "serverless-handbook", email: "ann@example.com", fullName: "Ann Lee",
  ids: { rows: rows("sale"), licenseKey: "83DB262A-C19D3B06-A5235A6B-8C079166" } };
const eve: Order = { product: "proclub", email: "eve@example.com",
  ids: { rows: rows("membership-sale"), subscriptionId: "DACURTKJMxmvflxqHGySZQ==", accountId: "884201288175" } };

describe("a ping is byte for byte what Gumroad sends", () => {
  it("of a sale, its retry, and a test ping", async () => {
    const { shop, bodies, answers } = await startListeningShop();
    answers.push(503);
    shop.sell(ann);
    await shop.advance(60_000);
    shop.sendTestPing("https://service.example/ping");
    expect(bodies).toEqual([fixture("sale"), fixture("sale-retry"), fixture("test-ping")]);
  });

  it.each([
    { name: "refund-full", partial: undefined },
    { name: "refund-partial", partial: 1000 },
  ])("of a $name", async ({ name, partial }) => {
    const { shop, bodies } = await startListeningShop();
    shop.refund(shop.sell(ann).sale, partial === undefined ? {} : { partial });
    expect(bodies).toEqual([fixture("sale"), fixture(name)]);
  });

  it("of a dispute that is won", async () => {
    const { shop, bodies } = await startListeningShop();
    const { sale } = shop.sell(ann);
    shop.dispute(sale);
    shop.disputeWon(sale);
    expect(bodies).toEqual([fixture("sale"), fixture("dispute"), fixture("dispute-won")]);
  });

  it("of the seller's own test purchase", async () => {
    const { shop, bodies } = await startListeningShop();
    shop.sell({ product: HANDBOOK, email: "owner@acme.example", test: true,
      ids: { rows: rows("sale-test-purchase"), accountId: "5530311507811" } });
    expect(bodies).toEqual([fixture("sale-test-purchase")]);
  });

  it("of custom fields and what stood in the URL", async () => {
    const { shop, bodies } = await startListeningShop();
    shop.sell({ product: "rctfd", email: "bo@example.com",
      customFields: [["Company [for invoice]", "Acme & Söns"], ["T&C", true]],
      urlParams: [["utm_source", "newsletter"], ["ref", "a b+c"]], ids: { rows: rows("sale-custom-fields") } });
    expect(bodies).toEqual([fixture("sale-custom-fields")]);
  });

  it("of a gift: the receiver's side only", async () => {
    const { shop, bodies } = await startListeningShop();
    shop.sell({ product: HANDBOOK, email: "dee@example.com", gift: { to: "cy@example.com" },
      ids: { rows: [{ saleId: "giver", orderNumber: 1 }, ...rows("sale-gift")] } });
    expect(bodies).toEqual([fixture("sale-gift")]);
  });

  it("of a bundle and what is in it", async () => {
    const { shop, bodies } = await startListeningShop();
    const names = ["bundle-sale", "bundle-child-handbook", "bundle-child-dataviz"];
    shop.sell({ product: "everything", email: "fay@example.com", ids: { rows: rows(...names) } });
    expect(bodies).toEqual(names.map(fixture));
  });

  it("of a physical product with an address", async () => {
    const { shop, bodies } = await startListeningShop();
    shop.addProduct({ kind: "single", id: "7TWi92RN_3DXPCnOY0Q_Tg==", name: "Coffee Mug", priceCents: 4900,
      permalink: "mug", shortId: "mugzz", physical: true });
    const fields = [["full_name", "Gil O'Neil"], ["street_address", "1 High St"], ["country", "United Kingdom"], [
      "state",
      "",
    ], ["zip_code", "N1 9GU"], ["city", "London"]] as const;
    shop.sell({ product: "mug", email: "gil@example.com", fullName: "Gil O'Neil", shipping: { fields, cents: 500 },
      ids: { rows: rows("sale-unmapped-physical") } });
    expect(bodies).toEqual([fixture("sale-unmapped-physical")]);
  });

  it("of a membership's first charge and its renewal", async () => {
    const open = await startListeningShop();
    const { subscription } = open.shop.sell(eve);
    expect(open.bodies).toEqual([fixture("membership-sale")]);
    await at("2026-02-05T19:38:00Z", open);
    const renewal = open.shop.renew(subscription!);
    const [told] = rows("membership-renewal");
    const sameIds = fixture("membership-renewal").replace(encodeURIComponent(told!.saleId),
      encodeURIComponent(renewal.id)).replace(String(told!.orderNumber), String(renewal.orderNumber));
    expect(open.bodies.at(-1)).toBe(sameIds);
  });

  it("of a membership's upgrade", async () => {
    const open = await startListeningShop();
    const { subscription } = open.shop.sell({ ...eve, accountEmail: "eve@example.com" });
    await at("2026-02-20T10:00:00Z", open);
    open.shop.upgrade(subscription!, { tier: "Premium", chargeCents: 0 });
    const renewal = subscription!.saleIds[1]!;
    expect(open.bodies.at(-1)?.replace(`&purchase_ids%5B%5D=${encodeURIComponent(renewal)}`, "")).toBe(
      fixture("membership-upgrade"),
    );
  });

  it("of a membership's cancellation", async () => {
    const { shop, bodies } = await startListeningShop();
    const { subscription } = shop.sell({ ...eve, accountEmail: "eve@example.com" });
    shop.cancel(subscription!, "buyer", { at: Date.parse("2026-03-05T19:00:00Z") });
    expect(bodies.at(-1)).toBe(fixture("membership-cancellation"));
  });

  it("of a membership's end and restart", async () => {
    const open = await startListeningShop();
    const { subscription } = open.shop.sell({ ...eve, accountEmail: "eve@example.com" });
    open.shop.cancel(subscription!, "buyer", { at: Date.parse("2026-03-05T19:39:02Z") });
    await at("2026-03-09T08:00:00Z", open);
    open.shop.restart(subscription!);
    expect(open.bodies.slice(2, 4)).toEqual([fixture("membership-ended"), fixture("membership-restarted")]);
  });
});

describe("a custom field", () => {
  it("hides the real field of its name that stands before it, at its place, and none that comes after", async () => {
    const { shop, bodies } = await startListeningShop();
    const { sale } = shop.sell({ product: HANDBOOK, email: "ann@example.com",
      customFields: [["email", "x@example.com"], ["sale_id", "y"], ["refunded", "true"], ["1", "a"], ["__proto__",
        "b"]] });
    const pairs = bodies[0]!.split("&");
    expect(pairs[6]).toBe("email=x%40example.com");
    expect(bodies[0]).not.toContain(encodeURIComponent(sale.id));
    expect(pairs.filter((pair) => pair.startsWith("refunded="))).toEqual(["refunded=false"]);
    expect(bodies[0]).toContain(
      "&1=a&__proto__=b&custom_fields%5Bemail%5D=x%40example.com&custom_fields%5Bsale_id%5D=y",
    );
  });

  it("of a membership stays under custom_fields in later charges, and in subscription pings", async () => {
    const { shop, bodies } = await startListeningShop();
    const { subscription } = shop.sell({ product: CLUB, email: "eve@example.com", customFields: [["Nick", "E"]] });
    shop.renew(subscription!);
    shop.cancel(subscription!);
    expect(bodies.map((body) => [body.includes("&Nick=E"), body.includes("&custom_fields%5BNick%5D=E")])).toEqual([[
      true,
      true,
    ], [false, true], [false, true]]);
  });
});

describe("the encoding", () => {
  it("writes nil as nothing, lists with [], nested fields after flat ones; escapes what no browser would", () => {
    const inner = new Map<string, PayloadValue>([["deep", new Map([["x", 1]])], ["a[b]", "(!*')"]]);
    const payload = new Map<string, PayloadValue>([["nil", null], ["list", ["1", "2 3"]], ["none", []], ["yes", true],
      ["k", inner]]);
    expect(encodeForm(payload)).toBe(
      "nil=&list%5B%5D=1&list%5B%5D=2%203&none%5B%5D=&yes=true" +
        "&k%5Ba%255Bb%255D%5D=%28%21%2A%27%29&k%5Bdeep%5D%5Bx%5D=1",
    );
    expect(JSON.parse(encodeJson(payload))).toEqual({ nil: null, list: ["1", "2 3"], none: [], yes: true,
      k: { deep: { x: 1 }, "a[b]": "(!*')" } });
  });

  it("is JSON for zapier.com only", async () => {
    const { shop, bodies } = await startListeningShop();
    shop.setPingUrl("https://hooks.zapier.com/hooks/1");
    shop.sell({ product: HANDBOOK, email: "ann@example.com" });
    expect(shop.posts.map(({ contentType }) => contentType)).toEqual(["application/x-www-form-urlencoded",
      "application/json"]);
    expect(JSON.parse(bodies[1]!)).toMatchObject({ email: "ann@example.com",
      card: { visual: "**** **** **** 4242", bin: null }, resource_name: "sale" });
  });
});

import { describe, expect, it } from "@jest/globals";

import { ask, BUNDLE, CLUB, DATAVIZ, DAY, HANDBOOK, MASTERCLASS, startListeningShop,
  startShop } from "./listening-shop.ts";
import type { GumroadEmulator } from "../src/emulator.ts";

const ann = { product: HANDBOOK, email: "ann@example.com" };
const quiet = (options = {}) => startShop({ deliver: () => 200, ...options });
const ids = async (shop: GumroadEmulator, query = "") =>
  (await ask(shop, `/v2/sales${query}`)).body.sales?.map(({ id }) => id);

describe("GET /sales", () => {
  it("gives 10 a page, newest first, and a key that new sales don't shift", async () => {
    const shop = await quiet();
    const made: string[] = [];
    for (let count = 0; count < 21; count += 1) {
      made.unshift(shop.sell(ann).sale.id);
      if (count % 3 === 0) await shop.advance(1500);
    }
    const first = await ask(shop,
      `/v2/sales?product_id=${encodeURIComponent(HANDBOOK)}&access_token=local-gumroad-token`);
    expect(first.body.sales?.map(({ id }) => id)).toEqual(made.slice(0, 10));
    shop.sell(ann);
    expect(first.body.next_page_url).toBe(
      `/v2/sales?product_id=${encodeURIComponent(HANDBOOK)}&page_key=${first.body.next_page_key ?? ""}`,
    );
    const second = await ask(shop, first.body.next_page_url ?? "");
    expect(second.body.sales?.map(({ id }) => id)).toEqual(made.slice(10, 20));
    const last = await ask(shop, second.body.next_page_url ?? "");
    expect(last.body).toEqual({ success: true, sales: [expect.objectContaining({ id: made[20] })] });
  });

  it("filters by day, product, email and order", async () => {
    const shop = await quiet();
    const one = shop.sell(ann).sale;
    await shop.advance(DAY);
    const two = shop.sell({ product: DATAVIZ, email: "Bo@example.com", accountEmail: "account@example.com" }).sale;
    expect(await ids(shop, "?after=2026-01-06")).toEqual([two.id]);
    expect(await ids(shop, "?after=2026-01-05&before=2026-01-06")).toEqual([one.id]);
    expect(await ids(shop, `?product_id=${encodeURIComponent(DATAVIZ)}`)).toEqual([two.id]);
    expect(await ids(shop, "?email=bo@example.com")).toEqual([two.id]);
    expect(await ids(shop, "?email=account@example.com")).toEqual([]);
    expect(await ids(shop, `?order_id=${String(one.orderNumber)}`)).toEqual([one.id]);
    expect(await ids(shop, `?email=&order_id=`)).toEqual([two.id, one.id]);
  });

  it.each([
    ["after=yesterday", "Invalid date format provided in field 'after'. Dates must be in the format YYYY-MM-DD."],
    ["before=2026-13-01", "Invalid date format provided in field 'before'. Dates must be in the format YYYY-MM-DD."],
    ["product_id=handbook", "Invalid product ID."],
    ["order_id=1x", "Invalid order ID."],
    ["page_key=abc", "Invalid page_key."],
    ["page=2", expect.stringContaining("'page' parameter is deprecated")],
  ])("refuses %s", async (query, error) => {
    expect(await ask(await quiet(), `/v2/sales?${query}`)).toEqual({ status: 400, body: { status: 400, error } });
  });

  it("leaves out test purchases, which can be read by id", async () => {
    const shop = await quiet();
    const { sale } = shop.sell({ ...ann, test: true });
    expect(await ids(shop)).toEqual([]);
    expect((await ask(shop, `/v2/sales/${encodeURIComponent(sale.id)}`)).body.sale).toMatchObject({ id: sale.id });
  });
});

describe("a sale's JSON", () => {
  it("has the account's email apart from the purchase's, a slug, and no nulls", async () => {
    const shop = await quiet();
    const { sale } = shop.sell({ ...ann, accountEmail: "home@example.com", customFields: [["Nick", "A"]] });
    const { body } = await ask(shop, `/v2/sales/${sale.id}`);
    expect(body.sale).toMatchObject({ email: "home@example.com", purchase_email: "ann@example.com",
      product_permalink: "hbkqz", created_at: "2026-01-05T19:38:56Z", seller_id: shop.sellerId,
      order_id: sale.orderNumber, custom_fields: { Nick: "A" }, chargedback: false, disputed: false,
      is_gift_sender_purchase: false });
    for (const left of ["refunded", "partially_refunded", "giftee_email", "gifter_email", "full_name", "variants",
      "subscription_id", "license_key"]) expect(body.sale).not.toHaveProperty(left);
  });

  it("says cancelled while that still waits, and dead once it is over", async () => {
    const shop = await quiet();
    const { sale, subscription } = shop.sell({ product: CLUB, email: "eve@example.com", tier: "Premium" });
    const read = async () => (await ask(shop, `/v2/sales/${sale.id}`)).body.sale;
    expect(await read()).toMatchObject({ cancelled: false, dead: false, ended: false, recurring_charge: false,
      subscription_id: subscription!.id, variants: { Tier: "Premium" } });
    shop.cancel(subscription!);
    expect(await read()).toMatchObject({ cancelled: true, dead: false });
    await shop.advance(31 * DAY);
    expect(await read()).toMatchObject({ cancelled: true, dead: true, ended: false });
  });
});

describe("subscribers", () => {
  it("are listed while they run, 100 a page if asked, and read by id ever after", async () => {
    const shop = await quiet();
    for (let count = 0; count < 101; count += 1) shop.sell({ product: CLUB, email: `${String(count)}@example.com` });
    const [first, second] = shop.subscriptions;
    shop.end(first!);
    shop.sell({ product: CLUB, email: "last@example.com" });
    shop.sell({ product: CLUB, email: "owner@example.com", test: true });
    const path = `/v2/products/${encodeURIComponent(CLUB)}/subscribers`;
    expect((await ask(shop, path)).body.subscribers).toHaveLength(101);
    const page = await ask(shop, `${path}?paginated=true`);
    expect(page.body.subscribers).toHaveLength(100);
    expect(page.body.subscribers?.[0]).toMatchObject({ email: "last@example.com" });
    expect((await ask(shop, page.body.next_page_url ?? "")).body.subscribers).toMatchObject([{ id: second!.id }]);
    expect((await ask(shop, `${path}?email=7@example.com`)).body.subscribers).toHaveLength(1);
    expect((await ask(shop, `/v2/subscribers/${first!.id}`)).body.subscriber).toMatchObject({ status: "cancelled",
      ended_at: null });
  });

  it("have nulls, no tier, and an email beside the account's", async () => {
    const shop = await quiet();
    const { sale, subscription } = shop.sell({ product: MASTERCLASS, email: "a@example.com" });
    expect((await ask(shop, `/v2/subscribers/${subscription!.id}`)).body.subscriber).toEqual({ id: subscription!.id,
      email: "a@example.com", product_id: MASTERCLASS, product_name: "Masterclass", user_id: null, user_email: null,
      purchase_ids: [sale.id], created_at: "2026-01-05T19:38:56Z", user_requested_cancellation_at: null,
      charge_occurrence_count: 3, recurrence: "monthly", cancelled_at: null, ended_at: null, failed_at: null,
      free_trial_ends_at: null, status: "alive" });
    shop.cancel(subscription!, "seller");
    expect((await ask(shop, `/v2/subscribers/${subscription!.id}`)).body.subscriber).toMatchObject({
      status: "pending_cancellation",
      cancelled_at: "2026-02-05T19:38:56Z",
    });
  });
});

describe("what isn't there", () => {
  it.each([
    ["/v2/sales/nothing", "The sale was not found."],
    ["/v2/subscribers/nothing", "The subscriber was not found."],
    ["/v2/products/nothing", "The product was not found."],
    ["/v2/products/nothing/subscribers", "The product was not found."],
  ])("(%s) is a 200 that says no", async (path, message) => {
    expect(await ask(await quiet(), path)).toEqual({ status: 200, body: { success: false, message } });
  });

  it("is a 404 where Gumroad has no such call", async () => {
    const shop = await quiet();
    expect((await ask(shop, "/v2/nowhere")).status).toBe(404);
    expect((await ask(shop, "/sales")).status).toBe(404);
    expect((await ask(shop, "/v2/sales", { method: "POST" })).status).toBe(404);
  });
});

describe("the door", () => {
  it("lets in a live token with the scope, in the header or as a parameter", async () => {
    const shop = await quiet({
      tokens: [{ token: "full", scopes: ["view_sales"], application: "a" }, { token: "bare", scopes: ["edit_products"],
        application: "a" }],
    });
    const status = async (path: string, token: string | null) => (await ask(shop, path, { token })).status;
    expect(await status("/v2/sales", "full")).toBe(200);
    expect(await status("/v2/sales?access_token=full", null)).toBe(200);
    expect(await status("/v2/sales", "bare")).toBe(403);
    expect(await status("/v2/user", "bare")).toBe(200);
    expect(await status("/v2/sales", "wrong")).toBe(401);
    expect(await status("/v2/user", null)).toBe(401);
    shop.revokeToken("full");
    expect(await status("/v2/sales", "full")).toBe(401);
  });
});

describe("the shop", () => {
  it("says who sells and what", async () => {
    const shop = await quiet();
    expect((await ask(shop, "/v2/user")).body["user"]).toMatchObject({ user_id: "fHis2sbMl3TASuuulQvtoQ==" });
    shop.deleteProduct(MASTERCLASS);
    const { products } = (await ask(shop, "/v2/products")).body;
    expect(products?.map(({ id }) => id)).toEqual([HANDBOOK, DATAVIZ, CLUB, BUNDLE]);
    expect(products?.[2]).toMatchObject({ is_tiered_membership: true,
      variants: [{ title: "Tier", options: [{ name: "Basic" }, { name: "Premium" }] }],
      short_url: "https://acme.gumroad.com/l/proclub", custom_permalink: "proclub" });
    expect(products?.[3]).toMatchObject({ bundle_products: [{ product_id: HANDBOOK }, { product_id: DATAVIZ }] });
    expect((await ask(shop, `/v2/products/${MASTERCLASS}`)).body.product).toMatchObject({ deleted: true });
  });

  it("keeps registrations by event and application", async () => {
    const shop = await quiet();
    shop.addToken({ token: "other", scopes: ["view_sales"], application: "other" });
    const put = (form: Record<string, string>) => ask(shop, "/v2/resource_subscriptions", { method: "PUT", form });
    const { body } = await put({ resource_name: "refund", post_url: "https://a.example/" });
    const id = String(body.resource_subscription?.["id"]);
    expect((await ask(shop, "/v2/resource_subscriptions?resource_name=refund")).body).toEqual({ success: true,
      resource_subscriptions: [{ id, resource_name: "refund", post_url: "https://a.example/" }] });
    expect((await ask(shop, "/v2/resource_subscriptions")).body).toMatchObject({ success: false });
    expect((await put({ resource_name: "refunds", post_url: "https://a.example/" })).body).toMatchObject({
      success: false,
    });
    expect((await put({ resource_name: "refund", post_url: "ftp://a.example/" })).body).toMatchObject({
      success: false,
    });
    const remove = async (token: string) =>
      (await ask(shop, `/v2/resource_subscriptions/${id}`, { method: "DELETE", token })).body["success"];
    expect([await remove("other"), await remove("local-gumroad-token"), await remove("local-gumroad-token")]).toEqual([
      false,
      true,
      false,
    ]);
  });
});

describe("POST /licenses/verify", () => {
  const verify = (shop: GumroadEmulator, form: Record<string, string>) =>
    ask(shop, "/v2/licenses/verify", { method: "POST", token: null, form });

  it("needs no token, counts uses unless told not to, and shows how the purchase stands", async () => {
    const { shop } = await startListeningShop();
    const { sale } = shop.sell({ ...ann, ids: { licenseKey: "KEY" } });
    const form = { product_id: HANDBOOK, license_key: "KEY" };
    expect((await verify(shop, form)).body).toMatchObject({ success: true, uses: 1,
      purchase: { sale_id: sale.id, email: "ann@example.com", refunded: false, chargebacked: false } });
    shop.refund(sale);
    shop.dispute(sale);
    expect((await verify(shop, { ...form, increment_uses_count: "false" })).body).toMatchObject({ uses: 1,
      purchase: { refunded: true, chargebacked: true, disputed: true } });
    const club = shop.sell({ product: CLUB, email: "eve@example.com", ids: { licenseKey: "CLUB" } });
    shop.cancel(club.subscription!);
    expect((await verify(shop, { product_id: CLUB, license_key: "CLUB" })).body.purchase).toMatchObject({
      variants: "(Basic)",
      subscription_cancelled_at: "2026-02-05T19:38:56Z",
      subscription_ended_at: null,
      subscription_failed_at: null,
    });
  });

  it("finds a key in any case, and wants the product's id, which it tells", async () => {
    const { shop } = await startListeningShop();
    shop.sell({ ...ann, ids: { licenseKey: "KEY" } });
    expect(await verify(shop, { product_id: HANDBOOK, license_key: "key" })).toMatchObject({ status: 200 });
    expect(await verify(shop, { license_key: "KEY" })).toMatchObject({ status: 500,
      body: { message: expect.stringContaining(`Please set 'product_id' to '${HANDBOOK}'`) } });
    expect(await verify(shop, { license_key: "none" })).toMatchObject({ status: 404 });
  });

  it("says no to another product's key, a switched-off one and revoked access", async () => {
    const { shop } = await startListeningShop();
    const { sale } = shop.sell({ ...ann, ids: { licenseKey: "KEY" } });
    const says = async (product_id: string) => {
      const { status, body } = await verify(shop, { product_id, license_key: "KEY" });
      return `${String(status)} ${String(body["message"])}`;
    };
    expect(await says(DATAVIZ)).toBe("404 That license does not exist for the provided product.");
    shop.disableLicense(sale);
    expect(await says(HANDBOOK)).toBe("404 This license key has been disabled.");
    shop.revokeAccess(sale);
    expect(await says(HANDBOOK)).toBe("404 Access to the purchase associated with this license has expired.");
  });
});

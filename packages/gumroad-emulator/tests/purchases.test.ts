import { describe, expect, it } from "@jest/globals";

import { BUNDLE, CLUB, DATAVIZ, DAY, HANDBOOK, START, ask, startListeningShop } from "./listening-shop.ts";
import type { ListeningShop } from "./listening-shop.ts";

const ann = { product: HANDBOOK, email: "ann@example.com" };
const gift = { product: HANDBOOK, email: "dee@example.com", gift: { to: "cy@example.com" } };
const row = async ({ shop }: ListeningShop, id: string) => (await ask(shop, `/v2/sales/${id}`)).body.sale;
const refusedNow = expect.objectContaining({ code: "NOT_POSSIBLE_NOW" });

describe("a refund", () => {
  it("in parts becomes a full one", async () => {
    const open = await startListeningShop();
    const { sale } = open.shop.sell(ann);
    expect(await row(open, sale.id)).not.toHaveProperty("refunded");
    open.shop.refund(sale, { partial: true });
    expect(await row(open, sale.id)).toMatchObject({ refunded: false, partially_refunded: true });
    open.shop.refund(sale);
    expect(await row(open, sale.id)).toMatchObject({ refunded: true, partially_refunded: false });
    expect(open.heard("refunded")).toEqual(["sale false", "refund false", "refund true"]);
    expect(() => open.shop.refund(sale)).toThrow(refusedNow);
  });

  it("of more than was paid, or of nothing, is refused", async () => {
    const { shop } = await startListeningShop();
    const { sale } = shop.sell(ann);
    expect(() => shop.refund(sale, { partial: 4901 })).toThrow("4900 cents are left");
    expect(() => shop.refund(sale, { partial: 0 })).toThrow(refusedNow);
    expect(() => shop.refund("nothing")).toThrow(expect.objectContaining({ code: "NO_SUCH_SALE" }));
  });

  it("that fails is taken back in silence", async () => {
    const open = await startListeningShop();
    const { sale } = open.shop.sell(ann);
    expect(() => open.shop.reverseRefund(sale)).toThrow(refusedNow);
    open.shop.refund(sale);
    open.heard();
    open.shop.reverseRefund(sale);
    expect(open.heard()).toEqual([]);
    expect(await row(open, sale.id)).toMatchObject({ refunded: false });
  });

  it("of a membership's charge doesn't end it, unless it was cancelled", async () => {
    const { shop, heard } = await startListeningShop();
    const { sale, subscription } = shop.sell({ product: CLUB, email: "eve@example.com" });
    shop.refund(sale, { partial: 1 });
    expect(heard()).toEqual(["sale", "refund"]);
    shop.cancel(subscription!);
    shop.refund(sale);
    expect(heard()).toEqual(["cancellation", "subscription_ended", "refund"]);
  });
});

describe("a gift", () => {
  it("shows the giver in the list, the receiver by id, and refunds in silence", async () => {
    const open = await startListeningShop();
    const { sale, receiver } = open.shop.sell(gift);
    expect(open.heard("email", "gifter_email", "price", "gift_price")).toEqual([
      "sale cy@example.com dee@example.com 0 4900",
    ]);
    const { body } = await ask(open.shop, "/v2/sales");
    expect(body.sales).toEqual([
      expect.objectContaining({ id: sale.id, is_gift_sender_purchase: true, giftee_email: "cy@example.com",
        purchase_email: "dee@example.com" }),
    ]);
    expect(await row(open, receiver!.id)).toMatchObject({ is_gift_receiver_purchase: true,
      gifter_email: "dee@example.com", price: 0 });
    open.shop.refundGift(receiver!);
    expect(open.heard()).toEqual([]);
    expect([await row(open, sale.id), await row(open, receiver!.id)]).toMatchObject([{ refunded: true }, {
      refunded: true,
    }]);
    expect(() => open.shop.refundGift(open.shop.sell(ann).sale)).toThrow("no gift");
  });

  it("is disputed under the giver's sale and email", async () => {
    const open = await startListeningShop();
    const { sale, receiver } = open.shop.sell(gift);
    open.heard();
    open.shop.dispute(receiver!);
    expect(open.heard("email", "sale_id")).toEqual([`dispute dee@example.com ${sale.id}`]);
    expect(await row(open, receiver!.id)).toMatchObject({ chargedback: true });
    open.shop.disputeWon(sale);
    expect(await row(open, receiver!.id)).toMatchObject({ chargedback: false, disputed: true, dispute_won: true });
  });

  it("can be a bundle: what is in it is the receiver's, and is marked as a gift", async () => {
    const open = await startListeningShop();
    const { sale, receiver, children } = open.shop.sell({ ...gift, product: BUNDLE });
    expect(open.heard("email", "product_id", "gifter_email")).toEqual(
      [BUNDLE, HANDBOOK, DATAVIZ].map((product) => `sale cy@example.com ${product} dee@example.com`),
    );
    expect(await row(open, children[0]!.id)).toMatchObject({ is_bundle_product_purchase: true,
      is_gift_receiver_purchase: true, purchase_email: "cy@example.com", gifter_email: "dee@example.com" });
    open.shop.refundGift(children[0]!);
    expect([sale, receiver].map((half) => half?.refunded)).toEqual([true, true]);
    open.shop.dispute(sale);
    expect(await row(open, children[1]!.id)).toMatchObject({ chargedback: true });
  });

  it("of a membership is the receiver's for one period, and fails like a bad card when that is over", async () => {
    const open = await startListeningShop();
    const { sale, receiver, subscription } = open.shop.sell({ ...gift, product: CLUB, tier: "Premium" });
    const fields = ["email", "price", "gifter_email", "gift_price", "subscription_id"];
    expect(open.heard(...fields)).toEqual([`sale cy@example.com 0 dee@example.com 3000 ${subscription!.id}`]);
    expect(await row(open, sale.id)).toMatchObject({ subscription_id: subscription!.id, giftee_email: "cy@example.com",
      purchase_email: "dee@example.com" });
    const { body } = await ask(open.shop, `/v2/subscribers/${subscription!.id}`);
    expect(body.subscriber).toMatchObject({ email: "cy@example.com", purchase_ids: [sale.id], status: "alive" });
    await open.shop.advance(32 * DAY);
    expect(open.heard()).toEqual([]);
    await open.shop.advance(5 * DAY);
    expect(open.heard("user_email", "ended_reason")).toEqual(["subscription_ended cy@example.com failed_payment",
      "cancellation cy@example.com -"]);
    expect(await row(open, receiver!.id)).toMatchObject({ dead: true });
  });

  it("of a membership goes on with the receiver's own card, as a sale of theirs", async () => {
    const open = await startListeningShop();
    const { subscription } = open.shop.sell({ ...gift, product: CLUB });
    open.heard();
    await open.shop.advance(32 * DAY);
    open.shop.renew(subscription!);
    expect(open.heard("email", "price", "is_gift_receiver_purchase", "is_recurring_charge")).toEqual([
      "sale cy@example.com 1000 false true",
    ]);
  });

  it("of what is paid in instalments is paid at once; of a preorder there is none", async () => {
    const { shop, heard } = await startListeningShop();
    const { sale, subscription } = shop.sell({ ...gift, product: "masterclass" });
    expect([sale.priceCents, subscription]).toEqual([30_000, undefined]);
    expect(heard("email", "gift_price")).toEqual(["sale cy@example.com 30000"]);
    shop.addProduct({ kind: "preorder", id: "pppppppppppppppppppppp==", name: "Soon", priceCents: 900,
      permalink: "soon", shortId: "soon", releaseAt: shop.now() + DAY });
    expect(() => shop.sell({ ...gift, product: "soon" })).toThrow(expect.objectContaining({ code: "BAD_REQUEST" }));
  });
});

describe("a bundle", () => {
  it("is refunded and disputed by itself; only a dispute marks what is in it", async () => {
    const open = await startListeningShop();
    const { sale, children } = open.shop.sell({ product: BUNDLE, email: "fay@example.com" });
    expect(open.heard("price", "product_id")).toEqual([`sale 9900 ${BUNDLE}`, `sale 0 ${HANDBOOK}`,
      `sale 0 ${DATAVIZ}`]);
    open.shop.dispute(children[0]!);
    open.shop.disputeWon(sale);
    open.shop.refund(sale);
    expect(open.heard("sale_id")).toEqual([`dispute ${sale.id}`, `dispute_won ${sale.id}`, `refund ${sale.id}`]);
    expect(await row(open, sale.id)).toMatchObject({ is_bundle_purchase: true, refunded: true });
    const child = await row(open, children[1]!.id);
    expect(child).toMatchObject({ is_bundle_product_purchase: true, disputed: true, chargedback: false });
    expect(child).not.toHaveProperty("refunded");
  });
});

describe("a product added to a bundle", () => {
  it("is sent to whoever bought the bundle and has it yet, at price 0 and of now", async () => {
    const open = await startListeningShop();
    const { shop, heard } = open;
    const added = shop.addProduct({ kind: "single", id: "added", name: "Added", permalink: "added", shortId: "added",
      priceCents: 100 });
    const kept = shop.sell({ product: BUNDLE, email: "fay@example.com" });
    shop.refund(shop.sell({ product: BUNDLE, email: "gus@example.com" }).sale);
    await shop.advance(90 * DAY);
    heard();
    const [late, ...others] = shop.addToBundle(BUNDLE, added.id);
    expect(heard("email", "product_id", "price")).toEqual(["sale fay@example.com added 0"]);
    expect(others).toEqual([]);
    expect(late).toMatchObject({ bundleSaleId: kept.sale.id, createdAt: kept.sale.createdAt + 90 * DAY });
    expect(await row(open, late!.id)).toMatchObject({ is_bundle_product_purchase: true, price: 0 });
    expect(() => shop.addToBundle(BUNDLE, added.id)).toThrow("is in it already");
    expect(() => shop.addToBundle(HANDBOOK, added.id)).toThrow("is no bundle");
    expect(shop.sell({ product: BUNDLE, email: "hal@example.com" }).children).toHaveLength(3);
  });
});

describe("a cart", () => {
  it("pings each product, and one chargeback each of them", async () => {
    const { shop, heard } = await startListeningShop();
    const [one] = shop.sellCart([ann, { ...ann, product: DATAVIZ, quantity: 2 }]);
    expect(heard("product_id", "price", "quantity")).toEqual([`sale ${HANDBOOK} 4900 1`, `sale ${DATAVIZ} 9800 2`]);
    expect(shop.dispute(one!.sale)).toHaveLength(2);
    expect(heard("product_id", "disputed")).toEqual([`dispute ${HANDBOOK} true`, `dispute ${DATAVIZ} true`]);
    expect(() => shop.dispute(one!.sale)).toThrow(refusedNow);
  });
});

describe("a dispute", () => {
  it("of a membership ends it at once; won, it runs again", async () => {
    const { shop, heard } = await startListeningShop();
    const { sale } = shop.sell({ product: CLUB, email: "eve@example.com" });
    shop.dispute(sale);
    expect(heard()).toEqual(["sale", "subscription_ended", "cancellation", "dispute"]);
    shop.disputeWon(sale);
    expect(heard()).toEqual(["subscription_restarted", "dispute_won"]);
    await shop.advance(31 * DAY);
    expect(heard()).toEqual(["sale"]);
  });

  it("won after a refund is not told; lost, nothing is", async () => {
    const { shop, heard } = await startListeningShop();
    const { sale } = shop.sell(ann);
    expect(() => shop.disputeWon(sale)).toThrow(refusedNow);
    shop.dispute(sale);
    shop.refund(sale);
    shop.disputeLost(sale);
    shop.disputeWon(sale);
    expect(heard()).toEqual(["sale", "dispute", "refund"]);
  });
});

describe("a preorder", () => {
  const book = { kind: "preorder", id: "book", name: "Book", priceCents: 2000, permalink: "book", shortId: "book",
    releaseAt: START + 10 * DAY } as const;

  it("is authorized first, and charged at the release as another sale; a bad card gives nothing", async () => {
    const open = await startListeningShop({ products: [book] });
    const { sale } = open.shop.sell({ product: "book", email: "a@example.com" });
    open.shop.failPreorder(open.shop.sell({ product: "book", email: "b@example.com" }).sale);
    expect((await ask(open.shop, "/v2/sales")).body.sales).toEqual([]);
    expect(await row(open, sale.id)).toMatchObject({ is_preorder_authorization: true, is_in_preorder_state: true });
    expect(() => open.shop.refund(sale)).toThrow(refusedNow);
    await open.shop.advance(10 * DAY);
    expect(open.heard("email", "is_preorder_authorization")).toEqual(["sale a@example.com true",
      "sale b@example.com true", "sale a@example.com -"]);
    const listed = (await ask(open.shop, "/v2/sales")).body.sales;
    expect(listed).toMatchObject([{ is_preorder_authorization: false, is_in_preorder_state: false, price: 2000 }]);
    expect(listed?.[0]?.["id"]).not.toBe(sale.id);
    expect(() => open.shop.releasePreorder("book")).toThrow(refusedNow);
  });

  it("can be released before its time, once, and is sold like any product from then on", async () => {
    const { shop, heard } = await startListeningShop({ products: [book] });
    shop.sell({ product: "book", email: "a@example.com" });
    expect(shop.releasePreorder("book")).toHaveLength(1);
    shop.sell({ product: "book", email: "c@example.com" });
    await shop.advance(20 * DAY);
    expect(heard("is_preorder_authorization")).toEqual(["sale true", "sale -", "sale -"]);
    expect(() => shop.releasePreorder(HANDBOOK)).toThrow(expect.objectContaining({ code: "NO_SUCH_PRODUCT" }));
  });
});

describe("what is told to nobody", () => {
  it("is an edited email, access by hand, seats, a license, a tier's name", async () => {
    const open = await startListeningShop();
    const { shop, heard } = open;
    const club = shop.sell({ product: CLUB, email: "eve@example.com", ids: { licenseKey: "K" } });
    heard();
    shop.changeEmail(club.sale, "new@example.com");
    const book = shop.sell({ product: HANDBOOK, email: "eve@example.com" }).sale;
    await shop.settled();
    heard();
    shop.revokeAccess(book);
    shop.restoreAccess(book);
    expect(() => shop.revokeAccess(club.sale)).toThrow("can't be revoked");
    shop.changeSeats(club.subscription!, 3);
    shop.disableLicense(club.sale);
    shop.renameTier(CLUB, "Basic", "Starter");
    await shop.settled();
    expect(heard()).toEqual([]);
    expect(await row(open, club.sale.id)).toMatchObject({ purchase_email: "new@example.com",
      variants: { Tier: "Starter" }, license_disabled: true });
    shop.renew(club.subscription!);
    expect(heard("email", "quantity", "price", "variants[Tier]", "license_key", "is_multiseat_license")).toEqual([
      "sale new@example.com 3 3000 Starter K false",
    ]);
    expect(() => shop.changeAccountEmail("nobody@example.com", "x@example.com")).toThrow("No buyer");
    expect(() => shop.renameTier(CLUB, "Basic", "x")).toThrow("no tier Basic");
  });
});

describe("what nobody sells", () => {
  it("is an unknown product, tier or choice", async () => {
    const { shop } = await startListeningShop();
    expect(() => shop.sell({ ...ann, product: "nothing" })).toThrow(
      expect.objectContaining({ code: "NO_SUCH_PRODUCT" }),
    );
    expect(() => shop.sell({ ...ann, product: CLUB, tier: "Gold" })).toThrow("no tier Gold");
    expect(() => shop.sell({ ...ann, variants: { Size: "L" } })).toThrow("no Size L");
    shop.addProduct({ kind: "single", id: "shirt", name: "Shirt", priceCents: 1, permalink: "shirt", shortId: "shirt",
      licensed: true, variants: { category: "Size", options: [{ id: "l", name: "L", priceCents: 1 }] } });
    expect(shop.sell({ ...ann, product: "shirt", variants: { Size: "L" } }).sale.license?.key).toMatch(
      /^([0-9A-F]{8}-){3}[0-9A-F]{8}$/,
    );
  });
});

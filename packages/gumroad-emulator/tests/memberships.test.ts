import { describe, expect, it } from "@jest/globals";

import { CLUB, DAY, MASTERCLASS, START, ask, startListeningShop } from "./listening-shop.ts";

const eve = { product: CLUB, email: "eve@example.com" };
const tier = "variants[Tier]";
const refusedNow = expect.objectContaining({ code: "NOT_POSSIBLE_NOW" });

describe("a membership", () => {
  it("is charged each month by itself, under the subscriber's email of then", async () => {
    const { shop, heard } = await startListeningShop();
    const { subscription } = shop.sell({ ...eve, accountEmail: "eve@home.example" });
    shop.changeAccountEmail("eve@home.example", "eve@work.example");
    await shop.advance(65 * DAY);
    expect(heard("is_recurring_charge", "email", "sale_timestamp")).toEqual([
      "sale - eve@example.com 2026-01-05T19:38:56Z",
      "sale true eve@work.example 2026-02-05T19:38:56Z",
      "sale true eve@work.example 2026-03-05T19:38:56Z",
    ]);
    expect(subscription?.saleIds).toHaveLength(3);
  });

  it("that is cancelled goes on until its period ends, and is charged no more", async () => {
    const { shop, heard } = await startListeningShop();
    const { subscription } = shop.sell(eve);
    shop.cancel(subscription!);
    await shop.advance(30 * DAY);
    expect(heard("cancelled_at", "cancelled_by_buyer")).toEqual(["sale - -",
      "cancellation 2026-02-05T19:38:56Z true"]);
    await shop.advance(90 * DAY);
    expect(heard("ended_at", "ended_reason")).toEqual(["subscription_ended 2026-02-05T19:38:56Z cancelled"]);
    expect(() => shop.cancel(subscription!)).toThrow(refusedNow);
    expect(() => shop.renew(subscription!)).toThrow(refusedNow);
  });

  it.each([["seller"], ["admin"]] as const)("cancelled by the %s can't be restarted by the buyer", async (by) => {
    const { shop, heard } = await startListeningShop();
    const { subscription } = shop.sell(eve);
    shop.cancel(subscription!, by);
    expect(heard(`cancelled_by_${by}`)).toEqual(["sale -", "cancellation true"]);
    expect(() => shop.restart(subscription!)).toThrow(refusedNow);
  });

  it("restarted before its end is not charged; after it, it is", async () => {
    const { shop, heard } = await startListeningShop();
    const { subscription } = shop.sell(eve);
    expect(() => shop.restart(subscription!)).toThrow(refusedNow);
    shop.cancel(subscription!);
    shop.restart(subscription!);
    expect(heard()).toEqual(["sale", "cancellation", "subscription_restarted"]);
    await shop.advance(31 * DAY);
    expect(heard()).toEqual(["sale"]);
    shop.end(subscription!);
    await shop.advance(40 * DAY);
    expect(heard()).toEqual(["subscription_ended", "cancellation"]);
    expect(() => shop.restart(subscription!)).toThrow("The seller cancelled");
  });

  it("whose card is refused is told of after five days, cancellation and end together", async () => {
    const { shop, heard } = await startListeningShop();
    const { subscription } = shop.sell(eve);
    shop.failPayment(subscription!, { atNextCharge: true });
    await shop.advance(35 * DAY);
    expect(heard()).toEqual(["sale"]);
    expect((await ask(shop, `/v2/subscribers/${subscription!.id}`)).body.subscriber).toMatchObject({
      status: "pending_failure",
      failed_at: null,
    });
    await shop.advance(DAY);
    expect(heard("cancelled_due_to_payment_failures", "cancelled_at", "ended_at", "ended_reason")).toEqual([
      "subscription_ended - - 2026-02-10T19:38:56Z failed_payment",
      "cancellation true 2026-02-10T19:38:56Z - -",
    ]);
    shop.restart(subscription!);
    expect(heard("is_recurring_charge")).toEqual(["subscription_restarted -", "sale true"]);
  });

  it("paid again within the five days is not told of", async () => {
    const { shop, heard } = await startListeningShop();
    const { subscription } = shop.sell(eve);
    shop.failPayment(subscription!);
    await shop.advance(4 * DAY);
    shop.renew(subscription!);
    await shop.advance(20 * DAY);
    expect(heard()).toEqual(["sale", "sale"]);
  });

  it("begins with a free trial, and can be left in it", async () => {
    const { shop, heard } = await startListeningShop();
    const tiers = [{ id: "t", name: "Basic", priceCents: 500 }];
    shop.addProduct({ kind: "membership", id: "trial", name: "Trial", priceCents: 500, permalink: "trial",
      shortId: "trial", recurrence: "monthly", tiers, freeTrialDays: 7 });
    const stays = shop.sell({ product: "trial", email: "a@example.com" });
    const goes = shop.sell({ product: "trial", email: "b@example.com" });
    shop.cancel(goes.subscription!);
    await shop.advance(8 * DAY);
    expect(heard("email", "is_recurring_charge", "ended_at", "free_trial_ends_at")).toEqual([
      "sale a@example.com - - -",
      "sale b@example.com - - -",
      "cancellation - - - 2026-01-12T19:38:56Z",
      "sale a@example.com true - -",
      "subscription_ended - - 2026-01-12T19:38:56Z 2026-01-12T19:38:56Z",
    ]);
    const { body } = await ask(shop, "/v2/sales");
    expect(body.sales?.map(({ id }) => id)).toContain(stays.sale.id);
  });

  it("of a fixed length ends with its last period, and can't come back", async () => {
    const { shop, heard } = await startListeningShop();
    const tiers = [{ id: "t", name: "Only", priceCents: 500 }];
    shop.addProduct({ kind: "membership", id: "term", name: "Term", priceCents: 500, permalink: "term",
      shortId: "term", recurrence: "quarterly", tiers, charges: 2 });
    const { subscription } = shop.sell({ product: "term", email: "a@example.com" });
    await shop.advance(365 * DAY);
    expect(heard("ended_reason", "ended_at", "charge_occurrence_count")).toEqual(["sale - - -", "sale - - -",
      "subscription_ended fixed_subscription_period_ended 2026-07-05T19:38:56Z 2"]);
    expect(() => shop.restart(subscription!)).toThrow(refusedNow);
  });
});

describe("a change of tier", () => {
  it("upwards is charged and in force at once", async () => {
    const { shop, heard } = await startListeningShop();
    const { subscription } = shop.sell(eve);
    await shop.advance(15 * DAY);
    shop.upgrade(subscription!, { tier: "Premium" });
    expect(heard(tier, "price", "type", "new_plan[tier][name]")).toEqual(["sale Basic 1000 - -",
      "sale Premium 2484 - -", "subscription_updated - - upgrade Premium"]);
    await shop.advance(31 * DAY);
    expect(heard(tier, "price")).toEqual(["sale Premium 3000"]);
  });

  it("downwards waits for what is paid for, without a second ping", async () => {
    const { shop, heard } = await startListeningShop();
    const { subscription } = shop.sell({ ...eve, tier: "Premium" });
    shop.downgrade(subscription!, { tier: "Basic" });
    expect(heard("type", "effective_as_of", "old_plan[tier][name]", "new_plan[tier][name]")).toEqual(["sale - - - -",
      "subscription_updated downgrade 2026-02-05T19:38:56Z Premium Basic"]);
    expect(subscription?.plan.tier?.name).toBe("Premium");
    await shop.advance(31 * DAY);
    expect(heard(tier, "price")).toEqual(["sale Basic 1000"]);
  });

  it("downwards is dropped when an upgrade comes first", async () => {
    const { shop, heard } = await startListeningShop();
    const { subscription } = shop.sell({ ...eve, tier: "Premium" });
    shop.downgrade(subscription!, { tier: "Basic" });
    shop.upgrade(subscription!, { quantity: 2, chargeCents: 0 });
    heard();
    await shop.advance(31 * DAY);
    expect(heard(tier, "price", "quantity")).toEqual(["sale Premium 6000 2"]);
  });

  it("is refused the wrong way round, to no tier, and when cancelled", async () => {
    const { shop } = await startListeningShop();
    const { subscription } = shop.sell(eve);
    expect(() => shop.downgrade(subscription!, { tier: "Premium" })).toThrow("A downgrade costs less");
    expect(() => shop.upgrade(subscription!, { priceCents: 900 })).toThrow("An upgrade costs more");
    expect(() => shop.upgrade(subscription!, { tier: "Gold" })).toThrow("no tier Gold");
    shop.cancel(subscription!);
    expect(() => shop.upgrade(subscription!, { tier: "Premium" })).toThrow(refusedNow);
  });
});

describe("an instalment plan", () => {
  it("is charged until it is paid off, and ends a period later", async () => {
    const { shop, heard } = await startListeningShop();
    const { sale, subscription } = shop.sell({ product: MASTERCLASS, email: "a@example.com" });
    await shop.advance(70 * DAY);
    expect(() => shop.renew(subscription!)).toThrow("made all its charges");
    expect(() => shop.failPayment(subscription!)).toThrow(refusedNow);
    await shop.advance(130 * DAY);
    expect(heard("price", "subscription_id", "ended_reason")).toEqual([
      ...[1, 2, 3].map(() => `sale 10000 ${subscription!.id} -`),
      `subscription_ended - ${subscription!.id} fixed_subscription_period_ended`,
    ]);
    expect(sale.createdAt).toBe(START);
  });

  it("that isn't paid gives cancellation and end; its buyer can't cancel it; a dispute doesn't end it", async () => {
    const { shop, heard } = await startListeningShop();
    const { sale, subscription } = shop.sell({ product: MASTERCLASS, email: "a@example.com" });
    expect(() => shop.cancel(subscription!)).toThrow(refusedNow);
    shop.dispute(sale);
    expect(heard()).toEqual(["sale", "dispute"]);
    shop.failPayment(subscription!);
    await shop.advance(5 * DAY);
    expect(heard()).toEqual(["subscription_ended", "cancellation"]);
  });
});

describe("deleting a product", () => {
  it("ends all its running subscriptions at once", async () => {
    const { shop, heard } = await startListeningShop();
    const left = shop.sell(eve);
    shop.cancel(left.subscription!);
    const gone = shop.sell(eve);
    shop.end(gone.subscription!);
    shop.sell(eve);
    heard();
    expect(shop.deleteProduct(CLUB)).toHaveLength(2);
    expect(heard("cancelled_by_seller").sort()).toEqual(["cancellation true", "cancellation true",
      "subscription_ended -", "subscription_ended -"]);
    expect(() => shop.sell(eve)).toThrow(expect.objectContaining({ code: "NOT_FOR_SALE" }));
    await shop.advance(100 * DAY);
    expect(heard()).toEqual([]);
  });
});

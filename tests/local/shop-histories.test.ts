import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import { ShopError } from "gumroad-emulator/shop-error";
import { startGumroadEmulator } from "gumroad-emulator";
import type { GumroadEmulator } from "gumroad-emulator";
import type { Subscription } from "gumroad-emulator/subscription";
import type { Sale } from "gumroad-emulator/sale";
import { RESOURCE_NAMES } from "gumroad-emulator/shop";
import { parseForm } from "../../src/gumroad/form.ts";
import { readPing } from "../../src/gumroad/ping.ts";
import { ask, BUNDLE, CLUB, DATAVIZ, DAY, HANDBOOK, MASTERCLASS,
  START } from "../../packages/gumroad-emulator/tests/listening-shop.ts";

/** Something that happens: an act, and which of the things there are it happens to. */
type Act = (shop: GumroadEmulator, pick: <T>(things: readonly T[]) => T | undefined) => unknown;

const toSale = (act: (shop: GumroadEmulator, sale: Sale) => unknown): Act => (shop, pick) => {
  const sale = pick(shop.sales);
  return sale && act(shop, sale);
};
const toSubscription = (act: (shop: GumroadEmulator, subscription: Subscription) => unknown): Act => (shop, pick) => {
  const subscription = pick(shop.subscriptions);
  return subscription && act(shop, subscription);
};
const email = "ann@example.com";
const acts: Act[] = [
  (shop, pick) => shop.sell({ product: pick([HANDBOOK, DATAVIZ, BUNDLE, CLUB, MASTERCLASS]) ?? CLUB, email }),
  (shop) => shop.sell({ product: CLUB, email, tier: "Premium", accountEmail: email }),
  (shop) => shop.sell({ product: HANDBOOK, email, gift: { to: "cy@example.com" } }),
  (shop) => shop.sellCart([{ product: HANDBOOK, email }, { product: CLUB, email }]),
  (shop) => shop.advance(20 * DAY),
  (shop) => shop.advance(1000),
  toSale((shop, sale) => shop.refund(sale)),
  toSale((shop, sale) => shop.refund(sale, { partial: true })),
  toSale((shop, sale) => shop.dispute(sale)),
  toSale((shop, sale) => shop.disputeWon(sale)),
  toSale((shop, sale) => shop.resendPing(sale)),
  toSubscription((shop, subscription) => shop.cancel(subscription)),
  toSubscription((shop, subscription) => shop.cancel(subscription, "seller")),
  toSubscription((shop, subscription) => shop.end(subscription)),
  toSubscription((shop, subscription) => shop.restart(subscription)),
  toSubscription((shop, subscription) => shop.upgrade(subscription, { tier: "Premium" })),
  toSubscription((shop, subscription) => shop.downgrade(subscription, { tier: "Basic" })),
  toSubscription((shop, subscription) => shop.renew(subscription)),
  toSubscription((shop, subscription) => shop.failPayment(subscription)),
];

describe("whatever happens in a shop", () => {
  it("is refused by name or told in pings; each sale and subscriber can be read back", async () => {
    const history = fc.array(fc.tuple(fc.nat(acts.length - 1), fc.nat()), { minLength: 20, maxLength: 60 });
    await fc.assert(fc.asyncProperty(history, async (steps) => {
      const bodies: string[] = [];
      const shop = await startGumroadEmulator({ now: () => START, idSeed: "history",
        deliver: ({ body }) => void bodies.push(body) });
      try {
        for (const event of RESOURCE_NAMES) shop.subscribe(event, "https://service.example/ping");
        for (const [which, pick] of steps) {
          try {
            await acts[which]!(shop, (things) => things[pick % things.length]);
          } catch (error) {
            if (!(error instanceof ShopError)) throw error;
          }
        }
        for (const ping of bodies.map((body) => readPing(parseForm(body)))) {
          if ("saleId" in ping) expect(shop.sales.some(({ id }) => id === ping.saleId)).toBe(true);
          else expect(shop.subscriptions.some(({ id }) => id === ping.subscriptionId)).toBe(true);
        }
        for (const { id, deactivatedAt } of shop.subscriptions) {
          const { body } = await ask(shop, `/v2/subscribers/${id}`);
          const ended = ["cancelled", "failed_payment", "fixed_subscription_period_ended"].includes(
            String(body.subscriber?.["status"]),
          );
          expect(ended).toBe(deactivatedAt !== undefined);
        }
        let listed = 0;
        let next: string | undefined = "/v2/sales";
        while (next !== undefined) {
          const { body } = await ask(shop, next);
          listed += body.sales?.length ?? 0;
          next = body.next_page_url;
        }
        expect(listed).toBe(shop.sales.filter(({ state }) => state !== "giftReceiver").length);
      } finally {
        await shop.stop();
      }
    }), { numRuns: 20 });
  });
});

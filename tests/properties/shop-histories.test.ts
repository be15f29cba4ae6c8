import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import { entitlements } from "../../src/access/entitlements.ts";
import type { Sources } from "../../src/access/facts.ts";
import { addFacts } from "../../src/access/merge.ts";
import { startGumroadEmulator, type GumroadEmulator } from "../../src/emulators/gumroad/emulator.ts";
import { isChargedBack } from "../../src/emulators/gumroad/sale.ts";
import { ShopError } from "../../src/emulators/gumroad/shop-error.ts";
import type { Subscription } from "../../src/emulators/gumroad/subscription.ts";
import { factsOfPing, sourceOfPing } from "../../src/gumroad/facts-of-ping.ts";
import { parseForm } from "../../src/gumroad/form.ts";
import { readPing } from "../../src/gumroad/ping.ts";
import policy from "../../src/products.ts";
import { DAY } from "../access/purchases.ts";
import { seed } from "./arbitraries.ts";
import { rolesByTheBooks } from "./shop-truth.ts";

const EVENTS = ["sale", "refund", "dispute", "dispute_won", "cancellation", "subscription_updated", "subscription_ended", "subscription_restarted"] as const;
const PRODUCTS = ["zGyG_1JQunZuizwqd9CP7g==", "Z7kcrf7WgiSjiBnsGYi45w==", "wg2b8FhyMUKaJ6Eo3PrR5g==", "zdLk8Uz-AIidbazwzX2EkA==", "lnHn8l0Cn_FH_VuURa1aEw=="];
const BUYERS = ["ann@example.com", "bo@example.com"];

let shop: GumroadEmulator;
let bodies: string[];
let clock: number;
beforeAll(async () => {
  clock = Date.parse("2026-01-05T12:00:00Z");
  shop = await startGumroadEmulator({
    now: () => clock,
    deliver: ({ body }) => {
      bodies.push(body);
      return 200;
    },
  });
});
afterAll(async () => {
  await shop.stop();
});

interface Act {
  readonly kind: number;
  readonly which: number;
  readonly buyer: number;
  readonly days: number;
}

/** Does something that can happen in a shop; what Gumroad would refuse just doesn't happen. Silent acts are left out: no ping tells them. */
async function happen({ kind, which, buyer, days }: Act): Promise<void> {
  const email = BUYERS[buyer % BUYERS.length]!;
  const product = PRODUCTS[which % PRODUCTS.length]!;
  const sales = shop.sales.filter(({ state, bundleSaleId }) => state === "charged" && bundleSaleId === undefined);
  const sale = sales[which % sales.length];
  const subscription = shop.subscriptions[which % shop.subscriptions.length];
  const tier = which % 2 === 0 ? "Premium" : "Basic";
  try {
    if (kind <= 3) shop.sell({ product, email, accountEmail: email, ...(product === PRODUCTS[2] ? { tier } : {}) });
    else if (kind === 4 && sale !== undefined) shop.refund(sale, which % 2 === 0 ? {} : { partial: true });
    else if (kind === 5 && sale !== undefined) shop.dispute(sale);
    else if (kind === 6 && sale !== undefined) shop.disputeWon(sale);
    else if (kind === 7 && subscription !== undefined) shop.cancel(subscription);
    else if (kind === 8 && subscription !== undefined) shop.restart(subscription);
    else if (kind === 9 && subscription !== undefined) shop.upgrade(subscription, { tier: "Premium" });
    else if (kind === 10 && subscription !== undefined && isPaidAhead(subscription)) shop.downgrade(subscription, { tier: "Basic" });
    else if (kind === 11 && subscription !== undefined && subscription.pendingPlan === undefined) shop.failPayment(subscription, { atNextCharge: true });
    else if (kind >= 12) await shop.advance(days * DAY);
  } catch (error) {
    if (!(error instanceof ShopError)) throw error;
  }
  // Gumroad's times are whole seconds, and nobody does two things within one.
  await shop.advance(60_000);
}

/**
 * A downgrade counts from the date that its ping names. Gumroad itself waits for the next charge, which is another moment
 * when nothing is paid ahead or that charge fails: such histories are left out.
 */
function isPaidAhead(subscription: Subscription): boolean {
  return !subscription.chargeFailed && !subscription.cardDeclined && shop.sales.every((sale) => !subscription.saleIds.includes(sale.id) || (sale.refunded !== true && !isChargedBack(sale)));
}

/** What the service makes of the pings: each source belongs to whoever its sale names, and the rest is merged. */
function rolesFromPings(told: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const pings = told.map((body) => readPing(parseForm(body)));
  const owners = new Map(pings.filter(({ event }) => event === "sale").map((ping) => [sourceOfPing(ping), ping.email]));
  const buyers = new Map<string, Sources>();
  for (const ping of pings) {
    const owner = owners.get(sourceOfPing(ping));
    if (owner !== undefined) buyers.set(owner, addFacts(buyers.get(owner) ?? {}, sourceOfPing(ping), factsOfPing(ping)));
  }
  return new Map([...buyers].map(([email, sources]) => [email, entitlements(sources, policy, shop.now()).roles]));
}

describe(`a shop's random history (seed ${String(seed)})`, () => {
  it("ends with the roles that its books say, whatever order the pings come in and however often", async () => {
    const act = fc.record({ kind: fc.integer({ min: 0, max: 15 }), which: fc.nat(9), buyer: fc.nat(1), days: fc.integer({ min: 1, max: 40 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 30, size: "max" }), fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), async (acts, random) => {
        shop.reset();
        bodies = [];
        for (const event of EVENTS) shop.subscribe(event, "http://ping.example/local");
        for (const each of acts) await happen(each);
        await shop.settled();
        const order = [...bodies, ...bodies].map((body) => ({ body, at: random.next().value })).sort((a, b) => a.at - b.at);
        const told = rolesFromPings(order.map(({ body }) => body));
        for (const [email, roles] of rolesByTheBooks(shop)) expect({ email, roles: told.get(email) ?? [] }).toEqual({ email, roles });
      }),
      { seed, numRuns: 200 },
    );
  }, 60_000);
});

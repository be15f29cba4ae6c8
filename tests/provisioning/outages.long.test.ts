import { afterAll, beforeAll, beforeEach, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import { afresh } from "../../cli/replay/letters.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { JAN_5, plan } from "../access/purchases.ts";
import { startLedgerTable, type LedgerTable } from "../ledger/ledger-table.ts";
import { listedShop } from "./listed-shop.ts";
import { pinged, soldTo } from "./pings.ts";
import { CALL_MS, smallWorld, type SmallWorld } from "./small-world.ts";

const MINUTE = 60_000;
const policy = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }, { id: "club", name: "Club",
  variant: "Tier", roles: { Basic: ["club"], Premium: ["club", "premium"] } }]);

let auth0: Auth0Emulator;
let table: LedgerTable;
let now = () => JAN_5;
beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["reader", "club", "premium"], now: () => now() });
  table = await startLedgerTable();
});
afterAll(async () => {
  await auth0.stop();
  await table.stop();
});
beforeEach(() => {
  auth0.reset();
});

const buyers = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${name}${String(index).padStart(3, "0")}@example.com`);

/** Minute by minute, as reconcile goes; gives who was settled, in order. */
async function minutes(world: SmallWorld, count: number, isSettled: (buyer: string) => boolean): Promise<string[]> {
  const settled: string[] = [];
  for (let minute = 0; minute < count; minute += 1) {
    const due = await world.sendDue();
    const next = world.now() + MINUTE;
    while (await world.step()) {
      settled.push(...due.filter((buyer) => isSettled(buyer) && !settled.includes(buyer)));
    }
    world.letPass(Math.max(0, next - world.now()));
  }
  return settled;
}

it("many buyers behind hours without Auth0 all settle by themselves, in order of waiting, at the limit's pace",
  async () => {
    const world = smallWorld({ auth0, table, policy, start: JAN_5 });
    ({ now } = world);
    const all = buyers("auth0", 40);
    world.fail(() => new Response("{}", { status: 503 }));
    for (const buyer of all) {
      world.send(soldTo(buyer, `sale of ${buyer}`, "book"));
      await world.drain(world.now());
    }
    await world.drain();
    const settled = (buyer: string) => auth0.rolesOfEmail(buyer).length > 0;
    expect(await minutes(world, 180, settled)).toEqual([]);
    world.fail(() => null);
    auth0.setLimits("free");
    const from = auth0.calls.length;
    const began = world.now();
    expect(await minutes(world, 20, settled)).toEqual(all);
    const calls = auth0.calls.slice(from).filter(({ api }) => api === "management");
    expect(calls.filter(({ status }) => status === 429).length).toBeLessThan(calls.length / 10);
    expect({ dead: world.dead, took: world.now() - began <= 20 * MINUTE + all.length * 2_000 }).toEqual({ dead: [],
      took: true });
  });

it("many buyers behind hours without Gumroad all settle by themselves, in order of waiting, changes of plan included",
  async () => {
    const gumroad = listedShop(() => {
      world.letPass(CALL_MS);
    });
    const world: SmallWorld = smallWorld({ auth0, table, policy, start: JAN_5, gumroad: gumroad.api });
    ({ now } = world);
    const all = buyers("gumroad", 25);
    for (const buyer of all) {
      const club = { product_id: "club", subscription_id: buyer, variants: { Tier: "Basic" } };
      gumroad.show(`sale of ${buyer}`, buyer, club);
      world.send(soldTo(buyer, `sale of ${buyer}`, "club", { subscriptionId: buyer }));
    }
    await world.drain();
    expect(all.map((buyer) => world.rolesOf(buyer))).toEqual(all.map(() => ["club"]));
    gumroad.away(true);
    for (const buyer of all) {
      gumroad.show(`book of ${buyer}`, buyer, { product_id: "book" });
      world.send(soldTo(buyer, `book of ${buyer}`, "book"),
        pinged({ event: "subscription_updated", subscriptionId: buyer, productId: "club", email: buyer,
          at: world.now(), type: "upgrade", from: plan("Basic"), to: plan("Premium") }, world.now()));
      world.letPass(1_000);
    }
    await world.drain();
    const settled = (buyer: string) => world.rolesOf(buyer).length === 3;
    expect(await minutes(world, 180, settled)).toEqual([]);
    gumroad.away(false);
    expect(await minutes(world, 10, settled)).toEqual(all);
    expect([world.dead, world.kept]).toEqual([[], []]);
  });

it("what found no room to wait without Gumroad is dead after ten tries, and counts once it is sent back", async () => {
  const gumroad = listedShop();
  const world = smallWorld({ auth0, table, policy, start: JAN_5, gumroad: gumroad.api });
  ({ now } = world);
  const dan = "dan@example.com";
  gumroad.away(true);
  for (let nth = 0; nth < 200; nth += 1) {
    gumroad.show(`free ${String(nth)}`, dan, { product_id: "mug", price: 0 });
    world.send(soldTo(dan, `free ${String(nth)}`, "mug"));
  }
  await world.drain();
  expect(world.dead).toEqual([]);
  const paid = soldTo(dan, "paid", "book");
  gumroad.show("paid", dan, { product_id: "book" });
  world.send(paid);
  await world.drain();
  expect(world.dead).toEqual([paid]);

  gumroad.away(false);
  expect(world.rolesOf(dan)).toEqual([]);
  // As `replay --dead-letters` does, while all the others wait still.
  world.send(afresh(paid));
  await world.drain();
  expect(world.rolesOf(dan)).toEqual(["reader"]);
});

import { afterAll, beforeAll, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import { defineProducts } from "../../src/config/products-file.ts";
import { JAN_5 } from "../access/purchases.ts";
import { startLedgerTable, type LedgerTable } from "../ledger/ledger-table.ts";
import { listedShop } from "./listed-shop.ts";
import { soldTo } from "./pings.ts";
import { smallWorld } from "./small-world.ts";

const [ANN, BO] = ["ann@example.com", "bo@example.com"];
const policy = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }, { id: "all", name: "All",
  contains: ["book"] }]);
const CHILD = { product_id: "book", price: 0, is_bundle_product_purchase: true };

let auth0: Auth0Emulator;
let table: LedgerTable;
beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["reader"] });
  table = await startLedgerTable();
});
afterAll(async () => {
  await auth0.stop();
  await table.stop();
});

it("what is added to a bundle after it was moved comes under the old email, and follows the bundle", async () => {
  const shop = listedShop();
  const world = smallWorld({ auth0, table, policy, start: JAN_5, gumroad: shop.api });
  const bought = (changes: object = {}) => {
    shop.show("bundle", ANN, { product_id: "all", is_bundle_purchase: true, ...changes });
    return soldTo(ANN, "bundle", "all");
  };
  const roles = () => [ANN, BO].map((email) => auth0.rolesOfEmail(email));
  world.send(bought());
  await world.drain();
  world.send({ v: 1, kind: "act", requestId: "r", buyer: ANN, hops: 0, source: "sale:bundle",
    act: { at: JAN_5, id: "move 1", by: "dee", why: "typed ann", decision: { kind: "move", to: BO } } });
  await world.drain();

  world.letPass(86_400_000);
  shop.show("late", ANN, { ...CHILD, created_at: new Date(JAN_5 + 86_400_000).toISOString() });
  world.send(soldTo(ANN, "late", "book"));
  await world.drain();
  expect(roles()).toEqual([[], ["reader"]]);

  bought({ refunded: true });
  world.send(soldTo(ANN, "bundle", "all", { event: "refund", refunded: true }));
  await world.drain();
  expect(roles()).toEqual([[], []]);
});

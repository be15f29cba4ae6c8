import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import type { SourceId } from "../../src/access/facts.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import type { Message } from "../../src/queue/message.ts";
import { JAN_5 } from "../access/purchases.ts";
import { startLedgerTable, type LedgerTable } from "../ledger/ledger-table.ts";
import { listedShop } from "./listed-shop.ts";
import { soldTo } from "./pings.ts";
import { smallWorld } from "./small-world.ts";

const policy = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }, { id: "all", name: "All",
  contains: ["book"] }]);
const DAY = 86_400_000;
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

/** Ann's bundle went to Bo by an operator's word; a day later its seller adds a product. */
async function movedToBo(name: string) {
  const [ann, bo] = [`ann.${name}@example.com`, `bo.${name}@example.com`];
  const shop = listedShop();
  const world = smallWorld({ auth0, table, policy, start: JAN_5, gumroad: shop.api });
  const created_at = new Date(JAN_5 + DAY).toISOString();
  const told = async (...messages: readonly Message[]) => {
    world.send(...messages);
    await world.drain();
  };
  const bundle = (changes: object = {}) => {
    shop.show(`${name} bundle`, ann, { product_id: "all", is_bundle_purchase: true, ...changes });
    return soldTo(ann, `${name} bundle`, "all");
  };
  const move = (source: SourceId): Message => ({ v: 1, kind: "act", requestId: "r", buyer: ann, hops: 0, source,
    act: { at: world.now(), id: `move ${source}`, by: "dee", why: "typed ann", decision: { kind: "move", to: bo } } });
  await told(bundle());
  await told(move(`sale:${name} bundle`));
  world.letPass(DAY);
  return { told, move, roles: () => [ann, bo].map((email) => auth0.rolesOfEmail(email)), late: () => {
    shop.show(`${name} late`, ann, { ...CHILD, created_at });
    return soldTo(ann, `${name} late`, "book");
  }, refund: () => {
    bundle({ refunded: true });
    return soldTo(ann, `${name} bundle`, "all", { event: "refund", refunded: true });
  }, again: () => {
    shop.show(`${name} second`, ann, { product_id: "all", is_bundle_purchase: true, created_at });
    return soldTo(ann, `${name} second`, "all");
  } };
}

describe("what is added to a bundle after it was moved", () => {
  it("comes under the old email and stays, until an operator moves it too; then it ends with the bundle", async () => {
    const { told, move, late, refund, roles } = await movedToBo("added");
    await told(late());
    expect(roles()).toEqual([["reader"], []]);
    await told(move("sale:added late"));
    expect(roles()).toEqual([[], ["reader"]]);
    await told(refund());
    expect(roles()).toEqual([[], []]);
  });
});

describe("another bundle of whom one was moved from", () => {
  it.each(["bundle first", "product first", "at once"])("keeps its product, told %s", async (order) => {
    const { told, late, again, roles } = await movedToBo(order.replace(" ", ""));
    if (order === "bundle first") {
      await told(again());
      await told(late());
    } else if (order === "product first") {
      await told(late());
      await told(again());
    } else await told(late(), again());
    expect(roles()).toEqual([["reader"], []]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import { hurryUnread } from "../../cli/ledger/unread.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { putItem } from "../../src/dynamo/table.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { JAN_5 } from "../access/purchases.ts";
import { startLedgerTable, type LedgerTable } from "../ledger/ledger-table.ts";
import { listedShop } from "./listed-shop.ts";
import { soldTo } from "./pings.ts";
import { smallWorld } from "./small-world.ts";

const MINUTE = 60_000;
const policy = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }]);

let auth0: Auth0Emulator;
let table: LedgerTable;
let now = () => JAN_5;
beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["reader"], now: () => now() });
  table = await startLedgerTable();
});
afterAll(async () => {
  await auth0.stop();
  await table.stop();
});

/** What waits is so much that nothing more can. */
async function fill(buyer: string, count: number): Promise<void> {
  const ledger = ledgerTable(table.client, table.name);
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      putItem(ledger, { pk: `buyer#${buyer}`, sk: `pending#forged ${String(index)}`, body: "{}", dueShard: "due",
        dueAt: JAN_5 + 999 * MINUTE })),
  );
}

describe("a ping that waits for Gumroad to know its sale keeps its place where nothing more can wait", () => {
  it.each([
    ["once it is asked again", false],
    ["when an operator hurries it", true],
  ])("%s", async (_when, isHurried) => {
    const buyer = `${isHurried ? "bo" : "ann"}@example.com`;
    const gumroad = listedShop();
    const world = smallWorld({ auth0, table, policy, start: JAN_5, gumroad: gumroad.api });
    ({ now } = world);
    await fill(buyer, 199);
    world.send(soldTo(buyer, `late of ${buyer}`, "book"));
    for (const minutes of [3, 10]) {
      await world.drain();
      if (isHurried) await hurryUnread(ledgerTable(table.client, table.name), buyer);
      world.letPass(minutes * MINUTE);
      if (minutes === 10) gumroad.show(`late of ${buyer}`, buyer, { product_id: "book" });
      expect(await world.sendDue()).toEqual([buyer]);
    }
    await world.drain();
    expect({ roles: world.rolesOf(buyer), kept: world.kept }).toEqual({ roles: ["reader"], kept: [] });
  });
});

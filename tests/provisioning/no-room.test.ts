import { afterAll, beforeAll, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
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

it("a ping that waits for Gumroad to know its sale keeps its place where nothing more can wait", async () => {
  const ann = "ann@example.com";
  const gumroad = listedShop();
  const world = smallWorld({ auth0, table, policy, start: JAN_5, gumroad: gumroad.api });
  ({ now } = world);
  const ledger = ledgerTable(table.client, table.name);
  await Promise.all(
    Array.from({ length: 199 }, (_, index) =>
      putItem(ledger, { pk: `buyer#${ann}`, sk: `pending#forged ${String(index)}`, body: "{}", dueShard: "due",
        dueAt: JAN_5 + 999 * MINUTE })),
  );
  world.send(soldTo(ann, "late", "book"));
  for (const minutes of [3, 10]) {
    await world.drain();
    world.letPass(minutes * MINUTE);
    if (minutes === 10) gumroad.show("late", ann, { product_id: "book" });
    expect(await world.sendDue()).toEqual([ann]);
  }
  await world.drain();
  expect({ roles: world.rolesOf(ann), kept: world.kept }).toEqual({ roles: ["reader"], kept: [] });
});

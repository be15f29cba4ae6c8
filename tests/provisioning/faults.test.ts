import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import { defineProducts } from "../../src/config/products-file.ts";
import { JAN_5 } from "../access/purchases.ts";
import { startLedgerTable, type LedgerTable } from "../ledger/ledger-table.ts";
import { soldTo } from "./pings.ts";
import { smallWorld } from "./small-world.ts";

const policy = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }, { id: "club", name: "Club",
  variant: "Tier", roles: { Basic: ["club"], Premium: ["club", "premium"] } }]);

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
beforeEach(() => {
  auth0.reset();
});

describe("faults", () => {
  it("with one call in ten answered by a 5xx or a reset, each has the role within 5 s of their turn", async () => {
    const world = smallWorld({ auth0, table, policy, start: JAN_5 });
    ({ now } = world);
    world.fail(() => {
      if (world.random() >= 0.1) return null;
      return world.random() < 0.5 ? new Response("{}", { status: 503 }) : new TypeError("fetch failed: ECONNRESET");
    });
    const took: number[] = [];
    for (const buyer of Array.from({ length: 25 }, (_, index) => `buyer${String(index)}@example.com`)) {
      world.send(soldTo(buyer, `sale of ${buyer}`, "book"));
      const began = world.now();
      await world.drain();
      expect(world.rolesOf(buyer)).toEqual(["reader"]);
      took.push(world.now() - began);
    }
    expect(Math.max(...took)).toBeLessThan(5_000);
    expect([world.dead, world.kept]).toEqual([[], []]);
  });
});

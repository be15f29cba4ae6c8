/** Claims in the buyer's turn, over a ledger's table: what is written, and what an account's token carries then. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import type { Claimant } from "../../src/access/facts.ts";
import type { User } from "../../src/accounts/users.ts";
import { linkedRoles, readLedger } from "../../src/claims/linked.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { linkedClaims, openClaims } from "../../src/ledger/record.ts";
import type { MessageOf } from "../../src/queue/message.ts";
import { JAN_5 } from "../access/purchases.ts";
import { startLedgerTable, type LedgerTable } from "../ledger/ledger-table.ts";
import { soldTo } from "./pings.ts";
import { smallWorld, type SmallWorld } from "./small-world.ts";

const policy = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }]);
const [ANN, BO] = ["ann@example.com", "bo@example.com"];
const cy: User = { username: "cy", createdAt: "", passwordHash: "", claims: new Set(["sale:s1"]) };

let auth0: Auth0Emulator;
let table: LedgerTable;
let world: SmallWorld;
beforeAll(async () => {
  [auth0, table] = await Promise.all([startAuth0Emulator({ roles: ["reader"] }), startLedgerTable()]);
});
afterAll(async () => {
  await Promise.all([auth0.stop(), table.stop()]);
});
beforeEach(() => {
  world = smallWorld({ auth0, table, policy, start: JAN_5 });
});

const shown = (by: Claimant, changes: Partial<MessageOf<"claim">> = {}): MessageOf<"claim"> => ({ v: 1, kind: "claim",
  requestId: `r ${by}`, buyer: ANN, hops: 0, saleId: "s1", by, at: world.now(), decided: null, ...changes });
const rolesOfCy = () =>
  linkedRoles({ ledger: readLedger(ledgerTable(table.client, table.name)), policy, now: world.now })(cy);

describe("a claim in its buyer's turn", () => {
  it("of a key of nothing, on nobody's record, writes nothing and asks Auth0 nothing", async () => {
    const before = auth0.calls.length;
    world.send(shown("name:cy", { buyer: "", saleId: "" }));
    await world.drain();

    expect([await table.items(), auth0.calls.length, world.dead, world.kept]).toEqual([[], before, [], []]);
  });

  it("links an account through a move of the purchase, until that is refunded", async () => {
    world.send(soldTo(ANN, "s1", "book"), shown("name:cy"), shown("name:di"));
    await world.drain();
    expect(await rolesOfCy()).toEqual(["reader"]);

    const moved: MessageOf<"act"> = { v: 1, kind: "act", requestId: "r", buyer: ANN, hops: 0, source: "sale:s1",
      act: { at: world.now(), id: "move", by: "dee", why: "typed anne", decision: { kind: "move", to: BO } } };
    // Sent to who has it no more by then: it goes on to who has.
    world.send(moved, shown("name:may"));
    await world.drain();

    expect(await rolesOfCy()).toEqual(["reader"]);
    const record = await world.store.ledger.load(BO);
    expect(linkedClaims(record).map(({ by }) => by)).toEqual(["name:cy"]);
    expect(openClaims(record).map(({ by }) => by)).toEqual(["name:di", "name:may"]);
    expect(openClaims(await world.store.ledger.load(ANN))).toEqual([]);

    world.send(soldTo(ANN, "s1", "book", { refunded: true }));
    await world.drain();
    expect(await rolesOfCy()).toEqual([]);
    expect([world.dead, world.kept]).toEqual([[], []]);
  });
});

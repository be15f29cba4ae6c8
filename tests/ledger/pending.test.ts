import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoPending } from "../../src/ledger/pending.ts";
import { startLedgerTable, type LedgerTable } from "./ledger-table.ts";

const ANN = "ann@example.com";

let table: LedgerTable;
beforeAll(async () => {
  table = await startLedgerTable();
});
afterAll(() => table.stop());

describe("what waits for a buyer", () => {
  it("is given when it is due, longest due first, a few at a time", async () => {
    const pending = dynamoPending(ledgerTable(table.client, table.name));
    for (const at of [3, 1, 2, 9]) await pending.put("bo@example.com", String(at), "{}", at);
    expect((await pending.due("bo@example.com", 3)).map(({ id }) => id)).toEqual(["1", "2", "3"]);
    await Promise.all(
      Array.from({ length: 30 }, (_, index) => pending.put("cy@example.com", String(index), "", index)),
    );
    expect(await pending.due("cy@example.com", 99)).toHaveLength(20);
  });

  it("is no more than 200 messages in all: whoever knows the ping URL could make up any number", async () => {
    const pending = dynamoPending(ledgerTable(table.client, table.name));
    for (let start = 0; start < 200; start += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => pending.put(ANN, String(start + index), "", start)));
    }
    expect(await pending.put(ANN, "one more", "", 0)).toBe(false);
    // One that waits already may wait on; and one that is read makes room.
    expect(await pending.put(ANN, "7", "again", 1_000)).toBe(true);
    await pending.remove(ANN, "8");
    expect(await pending.put(ANN, "one more", "", 0)).toBe(true);
  });
});

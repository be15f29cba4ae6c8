import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { buryAll } from "../../cli/forget/bury.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoTombstones, type Subject } from "../../src/ledger/tombstones.ts";
import { startLedgerTable, type LedgerTable } from "./ledger-table.ts";

const KEY = "k".repeat(43);
let table: LedgerTable;
beforeAll(async () => {
  table = await startLedgerTable();
});
afterAll(() => table.stop());
const tombstones = (key = KEY) => dynamoTombstones(ledgerTable(table.client, table.name), key);
const bury = (subject: Subject, at: number) => buryAll(ledgerTable(table.client, table.name), KEY, [subject], at);

describe("tombstones", () => {
  it("tell when a buyer or a purchase was forgotten, and nothing of anybody else", async () => {
    await bury("buyer:ann@example.com", 5);
    await bury("sale:1", 5);
    expect(await tombstones().forgottenAt("buyer:ann@example.com")).toBe(5);
    expect(await tombstones().forgottenAt("sale:1")).toBe(5);
    expect(await tombstones().forgottenAt("subscription:1")).toBeNull();
    expect(await tombstones().forgottenAt("buyer:bo@example.com")).toBeNull();
  });

  it("count from the last time", async () => {
    await bury("sale:2", 5);
    await bury("sale:2", 9);
    expect(await tombstones().forgottenAt("sale:2")).toBe(9);
  });

  it("name nobody: an item holds a keyed hash and a moment, and another key finds nothing", async () => {
    await bury("buyer:cy@example.com", 5);
    const items = await table.items();
    expect(JSON.stringify(items)).not.toContain("example.com");
    for (const item of items) {
      expect(item).toEqual({ pk: expect.stringMatching(/^forgotten#[0-9a-f]{64}$/), sk: "tombstone",
        at: expect.any(Number) });
    }
    expect(await tombstones("x".repeat(43)).forgottenAt("buyer:cy@example.com")).toBeNull();
  });
});

describe("a table that is away", () => {
  it("is something temporary", async () => {
    const nowhere = ledgerTable(table.client, "no-such-table");
    const gone = dynamoTombstones(nowhere, KEY);
    await expect(gone.forgottenAt("sale:1")).rejects.toMatchObject({ code: "LEDGER_UNREACHABLE" });
    await expect(buryAll(nowhere, KEY, ["sale:1"], 1)).rejects.toMatchObject({ code: "LEDGER_UNREACHABLE" });
  });
});

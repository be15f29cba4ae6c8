import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { dynamoGifts } from "../../../src/ledger/gifts.ts";
import { dynamoHistory } from "../../../cli/ledger/history.ts";
import { ledgerTable } from "../../../src/ledger/keys.ts";
import { dynamoLedger, type HistoryEvent } from "../../../src/ledger/ledger.ts";
import { dynamoLosses } from "../../../src/ledger/losses.ts";
import { newRecord } from "../../../src/ledger/record.ts";
import { charge, source } from "../../access/purchases.ts";
import { startLedgerTable, type LedgerTable } from "../../ledger/ledger-table.ts";

let table: LedgerTable;
beforeAll(async () => {
  table = await startLedgerTable();
});
afterAll(() => table.stop());
const history = () => dynamoHistory(table.client, table.name);
const ledger = () => dynamoLedger(ledgerTable(table.client, table.name));
const line = (id: string, receivedAt: number): HistoryEvent => ({ id, receivedAt, requestId: "r", source: "sale:1",
  detail: { event: "sale", answered: null } });

describe("a history", () => {
  it("is read in the order in which things came in, whatever the order of writing", async () => {
    await ledger().remember("buyer#ann@example.com", line("b", 2_000));
    await ledger().remember("buyer#ann@example.com", line("a", 1_000));
    await ledger().remember("buyer#bo@example.com", line("c", 1_500));
    await ledger().save(newRecord("ann@example.com"));
    expect(await history().of("ann@example.com")).toEqual([line("a", 1_000), line("b", 2_000)]);
    expect(await history().of("nobody@example.com")).toEqual([]);
  });

  it("is kept with a purchase that nobody has made yet", async () => {
    const facts = source("book", [charge({ saleId: "9", seen: false })]);
    await ledger().park("sale:9", facts);
    await ledger().remember("source#sale:9", { ...line("x", 1_000), source: "sale:9" });
    expect(await history().ofSource("sale:9")).toEqual({ owner: null, waiting: facts,
      events: [{ ...line("x", 1_000), source: "sale:9" }] });
    expect(await history().ofSource("sale:none")).toEqual({ owner: null, waiting: null, events: [] });
  });
});

describe("what was told before the sale", () => {
  const told = (source: `sale:${string}`, email: string): HistoryEvent => ({ ...line(source, 1_000), source,
    detail: { event: "refund", email } });

  it("is found by the email it names, until somebody owns the purchase", async () => {
    await ledger().remember("source#sale:a", told("sale:a", "flo@example.com"));
    await ledger().remember("source#sale:b", told("sale:b", "flo@example.com"));
    await ledger().remember("source#sale:c", told("sale:c", "gil@example.com"));
    expect((await history().unsoldOf("flo@example.com")).map(({ source: id }) => id).sort()).toEqual(["sale:a",
      "sale:b"]);
    await ledger().claim("sale:a", "flo@example.com");
    expect((await history().unsoldOf("flo@example.com")).map(({ source: id }) => id)).toEqual(["sale:b"]);
  });
});

describe("erasing a buyer", () => {
  it("leaves nothing of theirs, and everything of others'", async () => {
    const [gifts, losses] = [dynamoGifts(ledgerTable(table.client, table.name)),
      dynamoLosses(ledgerTable(table.client, table.name))];
    const email = "eve@example.com";
    const side = { side: "received", productId: "book", soldAt: 1, receiver: email } as const;
    await ledger().save(newRecord(email));
    await ledger().remember(`buyer#${email}`, line("e", 1_000));
    await ledger().claim("sale:eves", email);
    await ledger().claim("sale:bos", "bo@example.com");
    await ledger().remember("source#sale:eves", { ...line("y", 1_000), source: "sale:eves" });
    await gifts.note(email, { ...side, saleId: "to-bo", receiver: "bo@example.com" });
    await gifts.note("santa@example.com", { ...side, saleId: "to-eve" });
    await gifts.note("santa@example.com", { ...side, saleId: "to-bo", receiver: "bo@example.com" });
    await losses.noteHeld("book", email);
    await losses.noteHeld("book", "bo@example.com");

    const traces = { email, sources: ["sale:eves"], products: ["book", "film"],
      received: [{ giver: "santa@example.com", saleId: "to-eve" }] } as const;
    expect(await history().erase(traces)).toBe(7);
    expect(JSON.stringify(await table.items())).not.toContain(email);
    expect(await ledger().owner("sale:bos")).toBe("bo@example.com");
    expect(await gifts.of("santa@example.com")).toEqual([expect.objectContaining({ saleId: "to-bo" })]);
    expect(await history().erase(traces)).toBe(0);
  });
});

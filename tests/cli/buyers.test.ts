import { BatchWriteCommand, DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { listBuyers, type BuyersRequest } from "../../cli/operations/buyers.ts";
import { csvLine } from "../../cli/terminal/csv.ts";
import { ledgerTable, recordKey } from "../../src/ledger/keys.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { dynamoLedger } from "../../src/ledger/ledger.ts";
import { dynamoPending } from "../../src/ledger/pending.ts";
import { newRecord, summaryOf, type BuyerRecord } from "../../src/ledger/record.ts";
import { charge, JAN_5, source } from "../access/purchases.ts";
import { startLedgerTable, type LedgerTable } from "../ledger/ledger-table.ts";

const MANY = 1_000;
const A_CALL = 25;

let table: LedgerTable;
let calls: string[] = [];
beforeAll(async () => {
  table = await startLedgerTable();
  table.client.middlewareStack.add((next, { commandName }) => async (args) => {
    calls.push(commandName ?? "");
    return next(args);
  }, { step: "initialize" });
  const documents = DynamoDBDocumentClient.from(table.client);
  const items = Array.from({ length: MANY }, (_, place) => itemOf(buyer(place)));
  for (let start = 0; start < MANY; start += A_CALL) {
    await documents.send(
      new BatchWriteCommand({
        RequestItems: { [table.name]: items.slice(start, start + A_CALL).map((Item) => ({ PutRequest: { Item } })) },
      }),
    );
  }
  // What else is in the table is in the index, too.
  await dynamoLedger(ledgerTable(table.client, table.name)).claim("sale:1", "b0001@example.com");
});
afterAll(() => table.stop());

const emailOf = (place: number) => `b${String(place).padStart(4, "0")}@example.com`;
/** Every second one has the book, every hundredth waits, and one of them lost a role. */
function buyer(place: number): BuyerRecord {
  const hasBook = place % 2 === 0;
  return { ...newRecord(emailOf(place)), version: 1,
    sources: { [`sale:${String(place)}`]: source(hasBook ? "book" : "course", [charge()]) },
    gave: { [`sale:${String(place)}`]: [hasBook ? "book" : "course"] },
    unsettled: place % 100 === 0 ? { code: "EMAIL_UNVERIFIED", message: "", since: JAN_5, attempts: 1 } : null,
    ...(place === 500 ? { lost: { at: JAN_5, roles: ["pro"] } } : {}) };
}
const itemOf = (record: BuyerRecord) => ({ ...recordKey(record.email), version: 1, record, ...summaryOf(record) });

const ALL: BuyersRequest = { text: null, role: null, product: null, isWaiting: false, lostSince: null, after: null,
  most: 50 };
async function list(request: Partial<BuyersRequest>) {
  calls = [];
  const { buyers, next } = await listBuyers({ ...ALL, ...request }, {
    stage: { dynamo: table.client, ledger: table.name },
    policy: async () => defineProducts([{ id: "course", name: "The Course", roles: ["course"] }]),
    tell: () => undefined,
  });
  return { emails: buyers.map(({ email }) => email), buyers, next };
}

describe("buyers", () => {
  it("lists who bought what the policy doesn't list, and knows no product that there isn't", async () => {
    const [extra, ledger] = ["AAAAAAAAAAAAAAAAAAAAAA==", dynamoLedger(ledgerTable(table.client, table.name))];
    for (const [id, email] of [["sale:x1", "apart@example.com"], ["sale:x2", emailOf(3)]] as const) {
      await ledger.claim(id, email);
      await ledger.park(id, source(extra, [charge()]), email);
    }
    const { buyers, next } = await list({ product: extra, most: 1 });
    expect({ buyers, next }).toMatchObject({ next: "apart@example.com",
      buyers: [{ email: "apart@example.com", products: [extra], roles: [], waits: [] }] });
    expect((await list({ product: extra, after: next })).buyers).toMatchObject([{ email: emailOf(3),
      products: [extra, "course"] }]);
    await expect(list({ product: "cours" })).rejects.toThrow(
      'src/products.ts lists no product "cours": it lists The Course; any other is named by its id',
    );
  });

  it("reads the first page of thousands in one call, and goes on where it ends", async () => {
    const first = await list({});
    expect(calls).toEqual(["QueryCommand"]);
    expect(first.emails).toEqual(Array.from({ length: 50 }, (_, place) => emailOf(place)));
    expect(first.next).toBe(emailOf(49));
    expect((await list({ after: first.next })).emails[0]).toBe(emailOf(50));
    expect(await list({ after: emailOf(MANY - 2) })).toMatchObject({ emails: [emailOf(MANY - 1)], next: null });
  });

  it("lists who is all that is asked for, in as few calls", async () => {
    const waiting = await list({ isWaiting: true, role: "book", most: null });
    expect(waiting.emails).toEqual(Array.from({ length: 10 }, (_, place) => emailOf(place * 100)));
    // One for what waits beside the records.
    expect(calls).toEqual(["QueryCommand", "QueryCommand"]);
    expect(await list({ isWaiting: true, product: "the course" })).toMatchObject({ emails: [], next: null });
    expect((await list({ product: "the course", text: "0001@" })).emails).toEqual([emailOf(1)]);
    expect((await list({ text: "0999@" })).emails).toEqual([emailOf(999)]);
    // The key in front of each email is no part of it.
    expect((await list({ text: "buyer" })).emails).toEqual([]);
    expect((await list({ lostSince: JAN_5 })).buyers).toEqual([{ email: emailOf(500), roles: ["book"],
      products: ["book"], waits: ["EMAIL_UNVERIFIED"], lost: { at: JAN_5, roles: ["pro"] } }]);
    expect((await list({ lostSince: JAN_5 + 1 })).emails).toEqual([]);
  });

  it("lists a record that was written before there was the index by what it holds", async () => {
    const documents = DynamoDBDocumentClient.from(table.client);
    const old = { ...newRecord("a-old@example.com"), version: 1, sources: { "sale:o": source("book", [charge()]) },
      gave: { "sale:o": ["book", "extras"] } };
    await documents.send(
      new PutCommand({ TableName: table.name, Item: { ...recordKey(old.email), version: 1, record: old } }),
    );
    await documents.send(
      new PutCommand({ TableName: table.name, Item: { ...recordKey("a-broken@example.com"), record: { email: 1 } } }),
    );
    expect(await list({ role: "extras" })).toMatchObject({ emails: ["a-old@example.com"], next: null });
    expect((await list({ most: 2 })).buyers).toEqual([
      { email: "a-broken@example.com", roles: [], products: [], waits: ["RECORD_BROKEN"] },
      { email: "a-old@example.com", roles: ["book", "extras"], products: ["book"], waits: [] },
    ]);
    expect(calls).toEqual(["QueryCommand", "BatchGetItemCommand"]);
  });

  it("are in order with those whose pings wait beside the record, or without one, on every page", async () => {
    const pending = dynamoPending(ledgerTable(table.client, table.name));
    const unreadable = JSON.stringify({ v: 2 });
    const beside = [emailOf(0), emailOf(150), "b0150a@example.com", "zz@example.com"];
    for (const email of beside) await pending.put(email, "1", unreadable, JAN_5);
    const all = [...new Set([...beside, ...Array.from({ length: 10 }, (_, place) => emailOf(place * 100))])].sort();
    expect((await list({ isWaiting: true, most: null })).emails.filter((email) => !email.startsWith("a-"))).toEqual(
      all,
    );
    const paged: string[] = [];
    for (let after: string | null = "b"; after !== null;) {
      const { emails, next } = await list({ isWaiting: true, most: 3, after });
      paged.push(...emails);
      after = next;
    }
    expect(paged).toEqual(all);
    expect((await list({ isWaiting: true, text: "0000@" })).buyers).toMatchObject([
      { waits: ["EMAIL_UNVERIFIED", "MESSAGE_INVALID"], unread: [{ buyer: emailOf(0), source: null, next: JAN_5 }] },
    ]);
    expect((await list({ isWaiting: true, role: "book", text: "zz" })).emails).toEqual([]);
    for (const email of beside) await pending.remove(email, "1");
  });

  it("are as the record was written last", async () => {
    const ledger = dynamoLedger(ledgerTable(table.client, table.name));
    const email = "zoe@example.com";
    const changing = await ledger.save({ ...newRecord(email), held: { "sale:z": JAN_5 },
      users: { "auth0|z": { origin: "created", foreign: [], roles: { book: "adding" } } } });
    expect((await list({ text: "zoe" })).buyers).toMatchObject([{ waits: ["CHANGING", "HELD"] }]);
    await ledger.save({ ...changing, held: {}, users: {} });
    expect((await list({ text: "zoe" })).buyers).toMatchObject([{ waits: [] }]);
  });
});

describe("a line of CSV", () => {
  it("is quoted where it must be, and no text in it is a formula to a spreadsheet", () => {
    expect(csvLine(["ann@example.com", "a, b", 'say "hi"', "=1+1", "-2", "＝1@example.com"])).toBe(
      `ann@example.com,"a, b","say ""hi""",'=1+1,'-2,'＝1@example.com`,
    );
  });
});

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { emptySource } from "../../src/access/facts.ts";
import { startTables, type Tables } from "../../local/aws/tables.ts";
import { readTemplate } from "../../local/aws/template.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoLedger, type Ledger } from "../../src/ledger/ledger.ts";
import { isFull, newRecord } from "../../src/ledger/record.ts";
import { readFileSync } from "node:fs";
import { charge, plan, source } from "../access/purchases.ts";

const spec = readTemplate(readFileSync("serverless.yml", "utf8"), { stage: "test" }).tables.filter(({ logicalId }) =>
  logicalId === "LedgerTable"
);
let tables: Tables;
let ledger: Ledger;
const client = () =>
  new DynamoDBClient({ endpoint: tables.url, region: "eu-west-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" }, maxAttempts: 1 });

beforeAll(async () => {
  tables = await startTables(spec);
});
afterAll(async () => {
  await tables.stop();
});
let count = 0;
let email: string;
beforeEach(() => {
  count += 1;
  email = `buyer${String(count)}@example.com`;
  ledger = dynamoLedger(ledgerTable(client(), spec[0]!.TableName!));
});

describe("a buyer's record", () => {
  it("is empty until it is saved, and then what was saved", async () => {
    expect(await ledger.load(email)).toEqual(newRecord(email));
    const record = { ...newRecord(email), spellings: ["Buyer@Example.com"],
      sources: {
        "sale:__proto__": source("book", [charge({ saleId: "__proto__", variants: [["Tier", "constructor"]] })]),
      }, users: { "auth0|1": { origin: "created", foreign: ["vip"], roles: { reader: "adding" } } },
      mailed: ["auth0|2"], unsettled: { code: "AUTH0_SCOPE", message: "grant it", since: 1, attempts: 2 },
      dueAt: 5 } as const;
    const saved = await ledger.save(record);
    expect(saved).toEqual({ ...record, version: 1 });
    expect(await ledger.load(email)).toEqual(saved);
  });

  it("is written on the version that was read: the second of two writers is told", async () => {
    const mine = await ledger.save(newRecord(email));
    await expect(ledger.save(newRecord(email))).rejects.toMatchObject({ name: "TemporaryError",
      code: "RECORD_CHANGED" });
    await ledger.save({ ...mine, mailed: ["auth0|1"] });
    await expect(ledger.save({ ...mine, mailed: [] })).rejects.toMatchObject({ code: "RECORD_CHANGED" });
    expect((await ledger.load(email)).mailed).toEqual(["auth0|1"]);
  });

  it("is full well before DynamoDB's 400 KB", () => {
    const facts = (charges: number) => ({ ...newRecord(email),
      sources: {
        "sale:s": source("book", Array.from({ length: charges }, (_, index) => charge({ saleId: String(index) }))),
      } });
    expect(isFull(facts(100))).toBe(false);
    expect(isFull(facts(1_300))).toBe(true);
    expect(JSON.stringify(facts(1_300)).length).toBeLessThan(400_000);
  });
});

describe("a source", () => {
  it("belongs to the first buyer who claims it", async () => {
    const id = `sale:${email}` as const;
    expect(await ledger.claim(id, email)).toMatchObject({ owner: email, waiting: null });
    expect(await ledger.claim(id, "other@example.com")).toMatchObject({ owner: email, waiting: null });
    expect(await ledger.park(id, emptySource("book"))).toMatchObject({ owner: email, waiting: null });
  });

  it("says for good that it was moved to another buyer", async () => {
    const id = `sale:${email}` as const;
    expect((await ledger.claim(id, email)).wasMoved).toBeUndefined();
    await ledger.move(id, email, "other@example.com");
    await ledger.move(id, "other@example.com", email);
    expect(await ledger.claim(id, email)).toMatchObject({ owner: email, wasMoved: true });
  });

  it("keeps what its owner's record need not hold, merged, and nothing that comes for another", async () => {
    const id = `sale:apart-${email}` as const;
    await ledger.claim(id, email);
    await ledger.park(id, source("mug", [charge()]), email);
    await ledger.park(id, source("mug", [charge({ refunded: true })]), email);
    const item = { owner: email, waiting: source("mug", [charge({ refunded: true })]) };
    expect(await ledger.park(id, source("mug", [charge({ disputed: true })]), "other@example.com")).toMatchObject(
      item,
    );
    expect(await ledger.park(id, source("mug", [charge({ disputed: true })]))).toMatchObject(item);
    expect(await ledger.claim(id, email)).toMatchObject(item);
  });

  it("keeps the facts that come before its sale, merged, for whoever claims it", async () => {
    const id = `subscription:${email}` as const;
    await ledger.park(id, { ...emptySource("club"), cancelledAt: 5 });
    await ledger.park(id, { ...emptySource("club"), restartedAt: 7 });
    expect(await ledger.claim(id, email)).toMatchObject({ owner: email,
      waiting: { ...emptySource("club"), cancelledAt: 5, restartedAt: 7 } });
  });

  it("loses no fact when several are parked at once, and while it is claimed", async () => {
    const id = `subscription:${email}` as const;
    const parked = [1, 2, 3].map(async (at) =>
      ledger.park(id, { ...emptySource("club"),
        tierChanges: [{ at, toldAt: null, type: "upgrade", from: plan("Basic"), to: plan("Premium") }] })
    );
    const claimed = await Promise.all([...parked, ledger.claim(id, email)]).then((items) => items.at(-1));
    const told = (await Promise.all(parked)).filter(({ owner }) => owner === email).length;
    expect((claimed?.waiting?.tierChanges.length ?? 0) + told).toBe(3);
  });
});

describe("the due index", () => {
  it("lists the buyers whose time has come, earliest first, and forgets those that are settled", async () => {
    const dueAt = (at: number | null) => ({ ...newRecord(`${String(at)}-${email}`), dueAt: at });
    const late = await ledger.save(dueAt(2_000));
    await ledger.save(dueAt(1_000));
    await ledger.save(dueAt(3_001));
    await ledger.save(dueAt(null));
    const due = async (now: number) => {
      const found: string[] = [];
      for await (const page of ledger.due(now)) {
        found.push(...page.map((buyer) => buyer.email).filter((one) => one.endsWith(email)));
      }
      return found;
    };
    expect(await due(3_000)).toEqual([`1000-${email}`, `2000-${email}`]);
    await ledger.save({ ...late, dueAt: null });
    expect(await due(3_000)).toEqual([`1000-${email}`]);
  });
});

describe("the ledger", () => {
  it("says that it can't be reached, as something temporary", async () => {
    const gone = dynamoLedger(
      ledgerTable(
        new DynamoDBClient({ endpoint: "http://127.0.0.1:1", region: "eu-west-1",
          credentials: { accessKeyId: "a", secretAccessKey: "b" }, maxAttempts: 1 }),
        "t",
      ),
    );
    for (const call of [gone.load(email), gone.save(newRecord(email)), gone.claim("sale:s", email),
      gone.park("sale:s", emptySource("book"))]) {
      await expect(call).rejects.toMatchObject({ name: "TemporaryError", code: "LEDGER_UNREACHABLE" });
    }
  });

  it("writes a line of history once", async () => {
    const event = { id: "p1", receivedAt: 1_000, requestId: "r", source: "sale:s",
      detail: { event: "sale" } } as const;
    await ledger.remember(`buyer#${email}`, event);
    await ledger.remember(`buyer#${email}`, event);
    expect((await tables.items(spec[0]!.TableName!)).filter(({ pk }) => pk === `buyer#${email}`)).toHaveLength(1);
  });
});

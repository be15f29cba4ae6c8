import { readFileSync } from "node:fs";

import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import type { SourceId } from "../../src/access/facts.ts";
import { startTables, type Tables } from "../../local/aws/tables.ts";
import { readTemplate } from "../../local/aws/template.ts";
import { ledgerTable, recordKey } from "../../src/ledger/keys.ts";
import { dynamoLedger, type Ledger } from "../../src/ledger/ledger.ts";
import { newRecord } from "../../src/ledger/record.ts";
import { dynamoSurvey, type Survey } from "../../src/ledger/survey.ts";
import { dynamoSweeps, sweepName, type Checkpoint, type Sweeps } from "../../src/ledger/sweeps.ts";
import { charge, JAN_5, source } from "../access/purchases.ts";
import { lastReport } from "../../cli/ledger/sweep-reports.ts";

const spec = readTemplate(readFileSync("serverless.yml", "utf8"), { stage: "test" }).tables.filter(({ logicalId }) =>
  logicalId === "LedgerTable"
);
const table = spec[0]!.TableName!;
const clientOf = (endpoint: string) =>
  new DynamoDBClient({ endpoint, region: "eu-west-1", credentials: { accessKeyId: "a", secretAccessKey: "b" },
    maxAttempts: 1 });

let tables: Tables;
let ledger: Ledger;
let survey: Survey;
let sweeps: Sweeps;

beforeAll(async () => {
  tables = await startTables(spec);
  ledger = dynamoLedger(ledgerTable(clientOf(tables.url), table));
  survey = dynamoSurvey(ledgerTable(clientOf(tables.url), table));
  sweeps = dynamoSweeps(ledgerTable(clientOf(tables.url), table), () => JAN_5);
});
afterAll(async () => {
  await tables.stop();
});

const begun: Checkpoint = { kind: "recent", startedAt: JAN_5, position: "here", read: 0, differed: 0, sent: 0,
  finishedAt: null, version: 0 };

describe("a checkpoint", () => {
  it("is null until it is saved, and then what was saved, for each sweep apart", async () => {
    expect(await sweeps.load("recent")).toBeNull();
    const saved = await sweeps.save(begun);
    expect(saved).toEqual({ ...begun, version: 1 });
    expect(await sweeps.load("recent")).toEqual(saved);
    expect(await sweeps.load("weekly")).toBeNull();
  });

  it("is written on the version that was read: the second of two writers is told", async () => {
    const daily = { ...begun, kind: "daily" } as const;
    const first = await sweeps.save(daily);
    expect(await sweeps.save(daily)).toBeNull();
    expect(await sweeps.save({ ...first!, position: "there" })).toMatchObject({ version: 2 });
    expect(await sweeps.save({ ...first!, position: "elsewhere" })).toBeNull();
    expect(await sweeps.load("daily")).toMatchObject({ position: "there" });
  });
});

describe("a sweep's report", () => {
  it("holds what was read, and counts the records that changed, before and after its end", async () => {
    const finished = { ...begun, read: 20, differed: 3, sent: 2, finishedAt: JAN_5 + 5 };
    await sweeps.countChanged(sweepName(begun));
    await sweeps.report(finished);
    await sweeps.countChanged(sweepName(begun));
    expect(await lastReport(ledgerTable(clientOf(tables.url), table), "recent")).toEqual({
      sweep: "recent 2026-01-05T19:38:56.000Z",
      read: 20,
      differed: 3,
      sent: 2,
      changed: 2,
      finishedAt: JAN_5 + 5,
    });
    expect(await lastReport(ledgerTable(clientOf(tables.url), table), "daily")).toBeNull();
  });

  it("is the last one's, and goes by itself after 60 days", async () => {
    await sweeps.report({ ...begun, kind: "weekly", finishedAt: JAN_5 });
    await sweeps.countChanged(sweepName({ kind: "weekly", startedAt: JAN_5 + 60_000 }));
    expect(await lastReport(ledgerTable(clientOf(tables.url), table), "weekly")).toEqual({
      sweep: "weekly 2026-01-05T19:39:56.000Z",
      read: 0,
      differed: 0,
      sent: 0,
      changed: 1,
      finishedAt: null,
    });
    expect(
      (await tables.items(table)).filter(({ pk, expiresAt }) => pk === "sweep#weekly" && expiresAt !== undefined).map((
        { expiresAt },
      ) => expiresAt),
    ).toEqual([JAN_5 / 1_000 + 60 * 86_400, JAN_5 / 1_000 + 60 * 86_400]);
  });
});

describe("the survey", () => {
  const club = source("club", [charge()]);

  it("tells who owns sources and what they know of them, and leaves out what nobody owns", async () => {
    const record = await ledger.save({ ...newRecord("ann@example.com"), sources: { "subscription:1": club } });
    await ledger.claim("subscription:1", "ann@example.com");
    await ledger.claim("sale:2", "bob@example.com");
    await ledger.park("sale:3", club);
    await ledger.claim("sale:5", "ann@example.com");
    await ledger.park("sale:5", club, "ann@example.com");
    expect(await survey.owned(["subscription:1", "sale:2", "sale:3", "sale:4", "sale:4", "sale:5"])).toEqual(new Map([
      ["subscription:1", { buyer: "ann@example.com", known: club, record }],
      ["sale:2", { buyer: "bob@example.com", known: undefined, record: undefined }],
      ["sale:5", { buyer: "ann@example.com", known: club, record }],
    ]));
    expect(await survey.owned([])).toEqual(new Map());
  });

  it("takes a hundred sources of a hundred buyers at once", async () => {
    const ids = Array.from({ length: 100 }, (_, index): SourceId => `sale:${String(index)}`);
    await Promise.all(ids.map(async (id) => ledger.claim(id, `${id}@example.com`)));
    expect((await survey.owned(ids)).size).toBe(100);
  });

  it("walks over all records and what is kept apart of them, part by part, and over nothing else", async () => {
    // Among the hundred items of the test above.
    const emails = Array.from({ length: 10 }, (_, index) => `walk${String(index)}@example.com`);
    await Promise.all(emails.map(async (email) => ledger.save(newRecord(email))));
    const walked: string[] = [];
    const apart: string[] = [];
    let parts = 0;
    for (let next: Parameters<Survey["records"]>[0] = null; parts === 0 || next !== null; parts += 1) {
      const part = await survey.records(next);
      walked.push(...part.records.map(({ email }) => email));
      apart.push(...part.apart.map(({ id }) => id));
      next = part.next;
    }
    expect(parts).toBeGreaterThan(1);
    expect(walked.filter((email) => email.startsWith("walk")).sort()).toEqual(emails);
    expect(new Set(walked).size).toBe(walked.length);
    expect(apart).toEqual(["sale:3", "sale:5"]);
  });

  it("goes on after any record, and counts those that can't be read", async () => {
    await clientOf(tables.url).send(
      new PutItemCommand({ TableName: table,
        Item: { pk: { S: "buyer#odd@example.com" }, sk: { S: "record" },
          record: { M: { email: { S: "odd@example.com" } } } } }),
    );
    const all: string[] = [];
    let broken = 0;
    for (let next: Parameters<Survey["records"]>[0] = null, more = true; more;) {
      const part = await survey.records(next);
      broken += part.broken;
      // As a run whose time is up after the first record of a part.
      const [first] = part.records;
      if (first !== undefined) all.push(first.email);
      next = first === undefined ? part.next : recordKey(first.email);
      more = next !== null;
    }
    expect(all.filter((email) => email.startsWith("walk"))).toHaveLength(10);
    expect(broken).toBeGreaterThan(0);
  });
});

describe("sweeps and survey", () => {
  it("say that the ledger can't be reached, as something temporary", async () => {
    const nowhere = clientOf("http://127.0.0.1:1");
    const gone = dynamoSweeps(ledgerTable(nowhere, table));
    const blind = dynamoSurvey(ledgerTable(nowhere, table));
    for (const call of [gone.load("recent"), gone.save(begun), gone.report(begun), gone.countChanged("recent x"),
      lastReport(ledgerTable(nowhere, table), "recent"), blind.owned(["sale:1"]), blind.records(null)]) {
      await expect(call).rejects.toMatchObject({ name: "TemporaryError", code: "LEDGER_UNREACHABLE" });
    }
  });
});

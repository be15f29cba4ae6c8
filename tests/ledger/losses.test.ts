import { readFileSync } from "node:fs";

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { startTables, type Tables } from "../../local/aws/tables.ts";
import { readTemplate } from "../../local/aws/template.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { heldBuyers } from "../../cli/ledger/held-buyers.ts";
import { dynamoLosses, mostLosses, setHolders, type Losses } from "../../src/ledger/losses.ts";

const spec = readTemplate(readFileSync("serverless.yml", "utf8"), { stage: "test" }).tables.filter(({ logicalId }) =>
  logicalId === "LedgerTable"
);
const table = spec[0]!.TableName!;
const clientAt = (endpoint: string) =>
  new DynamoDBClient({ endpoint, region: "eu-west-1", credentials: { accessKeyId: "a", secretAccessKey: "b" },
    maxAttempts: 1 });
const HOUR = 60 * 60_000;
const NOW = Date.parse("2026-01-05T19:38:56Z");

let tables: Tables;
let losses: Losses;
beforeAll(async () => {
  tables = await startTables(spec);
  losses = dynamoLosses(ledgerTable(clientAt(tables.url), table));
});
afterAll(async () => {
  await tables.stop();
});
let count = 0;
let product: string;
beforeEach(() => {
  count += 1;
  product = `product${String(count)}==`;
});

const buyer = (index: number) => `buyer${String(index)}@example.com`;
async function permits(from: number, to: number, now = NOW): Promise<number> {
  const asked = Array.from({ length: to - from }, (_, index) => losses.permit(product, buyer(from + index), now));
  return (await Promise.all(asked)).filter((permitted) => permitted).length;
}
async function held(productId: string): Promise<string[]> {
  return [...(await heldBuyers(ledgerTable(clientAt(tables.url), table), productId))];
}

describe("losses of a product in one hour", () => {
  it("are let through for exactly 25 buyers of 40 who ask at once", async () => {
    expect(await permits(0, 40)).toBe(25);
    expect(await permits(40, 42)).toBe(0);
  });

  it("are let through for 5 % of many holders", async () => {
    await setHolders(ledgerTable(clientAt(tables.url), table), product, 1_000);
    expect(await permits(0, 60)).toBe(50);
  });

  it("count a buyer once, however often they ask, also once the hour is full", async () => {
    expect(
      (await Promise.all(Array.from({ length: 30 }, () => losses.permit(product, buyer(0), NOW)))).every((permitted) =>
        permitted
      ),
    ).toBe(true);
    expect(await permits(1, 40)).toBe(24);
    expect(await losses.permit(product, buyer(0), NOW)).toBe(true);
  });

  it("count for that product and that hour alone", async () => {
    expect(await permits(0, 26)).toBe(25);
    expect(await losses.permit(`${product}#other`, buyer(26), NOW)).toBe(true);
    expect(await losses.permit(product, buyer(26), Date.parse("2026-01-05T19:59:59.999Z"))).toBe(false);
    expect(await permits(26, 60, Date.parse("2026-01-05T20:00:00Z"))).toBe(25);
  });

  it("are kept as short tags, without an email, and for two days", async () => {
    await permits(0, 2);
    const item = (await tables.items(table)).find(({ pk }) => pk === `losses#${product}`);
    expect(item).toMatchObject({ sk: "hour#2026-01-05T19", expiresAt: (NOW + 48 * HOUR) / 1_000 });
    expect(item!["buyers"]).toEqual(
      new Set([expect.stringMatching(/^[\w-]{8}$/), expect.stringMatching(/^[\w-]{8}$/)]),
    );
    expect(JSON.stringify([...new Set(Object.values(item!))])).not.toContain("@");
  });

  it.each([
    { holders: 0, most: 25 },
    { holders: 519, most: 25 },
    { holders: 520, most: 26 },
    { holders: 200_000, most: 10_000 },
    { holders: 10_000_000, most: 10_000 },
  ])("are at most $most of $holders holders", ({ holders, most }) => {
    expect(mostLosses(holders)).toBe(most);
  });
});

describe("the list of held buyers", () => {
  it("names each buyer once, by product, until they are released", async () => {
    for (const email of [buyer(1), buyer(0), buyer(1)]) await losses.noteHeld(product, email);
    await losses.noteHeld(`${product}#other`, buyer(2));
    expect(await held(product)).toEqual([buyer(0), buyer(1)]);
    await losses.noteReleased(product, buyer(0));
    await losses.noteReleased(product, buyer(9));
    expect(await held(product)).toEqual([buyer(1)]);
    expect(await held(`${product}#other`)).toEqual([buyer(2)]);
  });

  it("is empty for a product that nothing is held of", async () => {
    expect(await held(product)).toEqual([]);
  });
});

it("says that the table can't be reached, as something temporary", async () => {
  const gone = dynamoLosses(ledgerTable(clientAt("http://127.0.0.1:1"), table));
  const calls = [gone.permit(product, buyer(0), NOW), gone.noteHeld(product, buyer(0)),
    gone.noteReleased(product, buyer(0)), setHolders(ledgerTable(clientAt("http://127.0.0.1:1"), table), product, 1),
    heldBuyers(ledgerTable(clientAt("http://127.0.0.1:1"), table), product)];
  await Promise.all(
    calls.map((call) => expect(call).rejects.toMatchObject({ name: "TemporaryError", code: "LEDGER_UNREACHABLE" })),
  );
});

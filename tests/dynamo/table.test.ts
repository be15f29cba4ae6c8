import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";

import * as z from "zod";

import { putItem, readItems, scanned, type Table, tableOf } from "../../src/dynamo/table.ts";
import { type LocalTable, localTable } from "../accounts/accounts-stage.ts";

let local: LocalTable;
let table: Table;

beforeAll(async () => {
  local = await localTable();
  table = tableOf(local.client, local.name, "ACCOUNTS_UNREACHABLE");
});
afterAll(() => local.close());
const atTheEnd: (() => void)[] = [];
afterEach(() => {
  for (const end of atTheEnd.splice(0)) end();
});

describe("readItems", () => {
  it("gives the items in the order of the keys, and undefined for what is not there", async () => {
    await putItem(table, { pk: "b", sk: "1", count: 2 });
    await putItem(table, { pk: "a", sk: "1", count: 1 });

    const items = await readItems(table, [{ pk: "b", sk: "1" }, { pk: "b", sk: "2" }, { pk: "a", sk: "1" }]);

    expect(items).toEqual([{ pk: "b", sk: "1", count: 2 }, undefined, { pk: "a", sk: "1", count: 1 }]);
  });

  it("does not take what DynamoDB left unread for what is not there", async () => {
    const busy = await standIn(() => ({ Responses: { accounts: [] },
      UnprocessedKeys: { accounts: { Keys: [{ pk: { S: "a" }, sk: { S: "1" } }] } } })
    );
    const reading = readItems(busy, [{ pk: "a", sk: "1" }]);

    await expect(reading).rejects.toMatchObject({ name: "TemporaryError", code: "ACCOUNTS_UNREACHABLE" });
  });
});

const scanShape = z.object({ Segment: z.number(), TotalSegments: z.literal(4),
  ExclusiveStartKey: z.optional(z.unknown()) });

describe("scanned", () => {
  it("goes on in four places at once, each to its end: in one, a large table takes minutes", async () => {
    const begun = new Set<number>();
    const allBegun = Promise.withResolvers<undefined>();
    const large = await standIn(async (asked) => {
      const { Segment, ExclusiveStartKey } = scanShape.parse(asked);
      if (begun.add(Segment).size === 4) allBegun.resolve(undefined);
      await allBegun.promise;
      const key = { pk: { S: String(Segment) }, sk: { S: ExclusiveStartKey === undefined ? "first" : "last" } };
      return { Items: [key], ...(ExclusiveStartKey === undefined ? { LastEvaluatedKey: key } : {}) };
    });
    // Whoever goes on in one place alone would wait for ever.
    const items = await scanned({ ...large, until: { abortSignal: AbortSignal.timeout(10_000) } }, {});

    expect(items).toEqual(["0", "1", "2", "3"].flatMap((pk) => [{ pk, sk: "first" }, { pk, sk: "last" }]));
  });
});

/** What answers in DynamoDB's place, and a table there. */
async function standIn(answer: (asked: unknown) => unknown) {
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      response.writeHead(200, { "content-type": "application/x-amz-json-1.0" });
      response.end(JSON.stringify(await answer(JSON.parse(body))));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${String(typeof address === "object" ? address?.port : "")}`,
    region: "eu-central-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  atTheEnd.push(() => {
    client.destroy();
    server.close();
    server.closeAllConnections();
  });
  return tableOf(client, "accounts", "ACCOUNTS_UNREACHABLE");
}

import { once } from "node:events";
import { createServer } from "node:http";

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { putItem, readItems, type Table, tableOf } from "../../src/dynamo/table.ts";
import { type LocalTable, localTable } from "../accounts/accounts-stage.ts";

let local: LocalTable;
let table: Table;

beforeAll(async () => {
  local = await localTable();
  table = tableOf(local.client, local.name, "ACCOUNTS_UNREACHABLE");
});
afterAll(() => local.close());

describe("readItems", () => {
  it("gives the items in the order of the keys, and undefined for what is not there", async () => {
    await putItem(table, { pk: "b", sk: "1", count: 2 });
    await putItem(table, { pk: "a", sk: "1", count: 1 });

    const items = await readItems(table, [{ pk: "b", sk: "1" }, { pk: "b", sk: "2" }, { pk: "a", sk: "1" }]);

    expect(items).toEqual([{ pk: "b", sk: "1", count: 2 }, undefined, { pk: "a", sk: "1", count: 1 }]);
  });

  it("does not take what DynamoDB left unread for what is not there", async () => {
    const busy = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/x-amz-json-1.0" });
      response.end(
        JSON.stringify({ Responses: { accounts: [] },
          UnprocessedKeys: { accounts: { Keys: [{ pk: { S: "a" }, sk: { S: "1" } }] } } }),
      );
    });
    busy.listen(0, "127.0.0.1");
    await once(busy, "listening");
    const address = busy.address();
    const client = new DynamoDBClient({
      endpoint: `http://127.0.0.1:${String(typeof address === "object" ? address?.port : "")}`,
      region: "eu-central-1",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    });

    const reading = readItems(tableOf(client, "accounts", "ACCOUNTS_UNREACHABLE"), [{ pk: "a", sk: "1" }]);

    await expect(reading).rejects.toMatchObject({ name: "TemporaryError", code: "ACCOUNTS_UNREACHABLE" });
    client.destroy();
    busy.close();
  });
});

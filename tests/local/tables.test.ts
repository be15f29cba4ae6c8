import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { expect, it } from "@jest/globals";

import { CREDENTIALS, REGION } from "../../local/aws/account.ts";
import { startTables } from "../../local/aws/tables.ts";
import type { TableSpec } from "../../local/aws/template.ts";

const TABLE: TableSpec = { logicalId: "T", TableName: "items",
  KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }, { AttributeName: "sk", KeyType: "RANGE" }],
  AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }, { AttributeName: "sk", AttributeType: "S" }] };
const INDEXED: TableSpec = { ...TABLE,
  GlobalSecondaryIndexes: [{ IndexName: "turned",
    KeySchema: [{ AttributeName: "sk", KeyType: "HASH" }, { AttributeName: "pk", KeyType: "RANGE" }],
    Projection: { ProjectionType: "KEYS_ONLY" } }] };

it("tables in a folder get an index that serverless.yml has by now, and keep their items", async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), "tables-"));
  const opened = async (spec: TableSpec) => {
    const tables = await startTables([spec], dataDir);
    const client = new DynamoDBClient({ endpoint: tables.url, region: REGION, credentials: CREDENTIALS });
    return { documents: DynamoDBDocumentClient.from(client), stop: () => (client.destroy(), tables.stop()) };
  };
  try {
    const before = await opened(TABLE);
    await before.documents.send(new PutCommand({ TableName: "items", Item: { pk: "a", sk: "b" } }));
    await before.stop();
    const after = await opened(INDEXED);
    const { Items } = await after.documents.send(
      new QueryCommand({ TableName: "items", IndexName: "turned", KeyConditionExpression: "sk = :b",
        ExpressionAttributeValues: { ":b": "b" } }),
    );
    await after.stop();
    expect(Items).toEqual([{ pk: "a", sk: "b" }]);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});

import { readFileSync } from "node:fs";

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";

import { startTables, type Tables } from "../../local/aws/tables.ts";
import { readTemplate } from "../../local/aws/template.ts";

/** The ledger's table by itself. */
export interface LedgerTable {
  readonly client: DynamoDBClient;
  readonly name: string;
  items(): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** Starts the ledger's table of serverless.yml, empty. */
export async function startLedgerTable(): Promise<LedgerTable> {
  const specs = readTemplate(readFileSync("serverless.yml", "utf8"), { stage: "test" }).tables.filter((
    { logicalId },
  ) => logicalId === "LedgerTable");
  const tables: Tables = await startTables(specs);
  const name = specs[0]?.TableName ?? "";
  return {
    client: new DynamoDBClient({ endpoint: tables.url, region: "eu-west-1",
      credentials: { accessKeyId: "a", secretAccessKey: "b" }, maxAttempts: 1 }),
    name,
    items: () => tables.items(name),
    stop: () => tables.stop(),
  };
}

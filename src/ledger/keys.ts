import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";

import type { SourceId } from "../access/facts.ts";
import { tableOf, type ItemKey, type Table } from "../dynamo/table.ts";

/** The ledger's table. `signal`, the invocation's deadline, ends every call. */
export function ledgerTable(client: DynamoDBClient, name: string, signal?: AbortSignal): Table {
  return tableOf(client, name, "LEDGER_UNREACHABLE", signal);
}

/** What has a due time is in one partition of the index `due`: DynamoDB takes 1,000 writes a second on it. */
export const DUE_SHARD = "due";

/** Where a buyer's record stands. */
export function recordKey(email: string): ItemKey {
  return { pk: `buyer#${email}`, sk: "record" };
}

/** Where it stands who owns a source. */
export function sourceKey(id: SourceId): ItemKey {
  return { pk: `source#${id}`, sk: "source" };
}

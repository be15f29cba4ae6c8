import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import * as z from "zod/mini";

import { putItem, queryPages, removeItem } from "../dynamo/table.ts";
import { DUE_SHARD, ledgerTable, recordKey } from "./keys.ts";

/** Something that a buyer's record waits for: a message as the queue carries it. */
export interface Waiting {
  /** Names it: the same one twice is one. */
  readonly id: string;
  readonly body: string;
}

/**
 * What couldn't be read back yet, in items `pending#ID` beside the buyer's record (`buyer#EMAIL`), each with its due
 * time in the index `due`. Nothing is derived from it. Every method throws TemporaryError LEDGER_UNREACHABLE.
 */
export interface Pending {
  /** Keeps it until then (epoch ms). */
  put(buyer: string, waiting: Waiting, dueAt: number): Promise<void>;
  /** What is due by now (epoch ms), longest due first: so many as one turn can read. */
  due(buyer: string, now: number): Promise<readonly Waiting[]>;
  remove(buyer: string, id: string): Promise<void>;
}

/** Somebody with the ping URL can make waiting messages up: the rest has its turn a minute later. */
const MOST_A_TURN = 20;
const PREFIX = "pending#";

const itemShape = z.object({ sk: z.string(), dueAt: z.number(), body: z.string() });

/** What waits, on a DynamoDB table. `signal`, the invocation's deadline, ends every call. */
export function dynamoPending(client: DynamoDBClient, name: string, signal?: AbortSignal): Pending {
  const table = ledgerTable(client, name, signal);
  const keyOf = (buyer: string, id: string) => ({ pk: recordKey(buyer).pk, sk: `${PREFIX}${id}` });
  return {
    put: async (buyer, { id, body }, dueAt) => {
      await putItem(table, { ...keyOf(buyer, id), body, dueShard: DUE_SHARD, dueAt });
    },
    due: async (buyer, now) => {
      const found: z.infer<typeof itemShape>[] = [];
      const query = { KeyConditionExpression: "pk = :buyer AND begins_with(sk, :pending)", ConsistentRead: true,
        ExpressionAttributeValues: { ":buyer": recordKey(buyer).pk, ":pending": PREFIX } };
      for await (const items of queryPages(table, query)) found.push(...items.map((item) => itemShape.parse(item)));
      return found.filter(({ dueAt }) => dueAt <= now).sort((a, b) => a.dueAt - b.dueAt).slice(0, MOST_A_TURN)
        .map(({ sk, body }) => ({ id: sk.slice(PREFIX.length), body }));
    },
    remove: (buyer, id) => removeItem(table, keyOf(buyer, id)),
  };
}

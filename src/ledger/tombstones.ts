import { createHmac } from "node:crypto";

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";

import type { SourceId } from "../access/facts.ts";
import { documentsOf } from "./documents.ts";
import type { ItemKey } from "./keys.ts";
import { reached } from "./reached.ts";

/** Who or what was forgotten: a buyer by normalized email, or a purchase. */
export type Subject = `buyer:${string}` | SourceId;

/**
 * What stays of a forgotten buyer, in items `forgotten#HMAC` of the ledger's table: nothing but a keyed hash and a
 * moment. Without the key, which isn't in the table, nobody can tell whom they are about, not even by guessing
 * addresses. Both methods throw TemporaryError LEDGER_UNREACHABLE.
 */
export interface Tombstones {
  /** Writes down that the subject was forgotten at this moment (epoch ms). A later one replaces it. */
  bury(subject: Subject, at: number): Promise<void>;
  /** When the subject was forgotten (epoch ms), or null. */
  forgottenAt(subject: Subject): Promise<number | null>;
}

const tombstoneShape = z.object({ at: z.number() });

/** The tombstones on a DynamoDB table. `key` is the text in the secret `forget`; another key finds none of them. */
export function dynamoTombstones(client: DynamoDBClient, table: string, key: string,
  signal?: AbortSignal): Tombstones {
  const documents = documentsOf(client);
  const until = signal === undefined ? {} : { abortSignal: signal };
  return {
    bury: async (subject, at) => {
      await reached(
        documents.send(new PutCommand({ TableName: table, Item: { ...tombstoneKey(key, subject), at } }), until),
      );
    },
    forgottenAt: async (subject) => {
      const { Item } = await reached(
        documents.send(new GetCommand({ TableName: table, Key: tombstoneKey(key, subject), ConsistentRead: true }),
          until),
      );
      return Item === undefined ? null : tombstoneShape.parse(Item).at;
    },
  };
}

function tombstoneKey(key: string, subject: Subject): ItemKey {
  return { pk: `forgotten#${createHmac("sha256", key).update(subject).digest("hex")}`, sk: "tombstone" };
}

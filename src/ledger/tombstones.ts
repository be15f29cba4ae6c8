import { createHmac } from "node:crypto";

import * as z from "zod/mini";

import type { SourceId } from "../access/facts.ts";
import { readItem, type ItemKey, type Table } from "../dynamo/table.ts";

/** Who or what was forgotten: a buyer by normalized email, or a purchase. */
export type Subject = `buyer:${string}` | SourceId;

/**
 * What stays of a forgotten buyer, in items `forgotten#HMAC` that the tool writes: a keyed hash and a moment. The key
 * isn't in the table, so nobody can guess whom they are about. Throws TemporaryError LEDGER_UNREACHABLE.
 */
export type Tombstones = ReturnType<typeof dynamoTombstones>;

const tombstoneShape = z.object({ at: z.number() });

/** The tombstones in the ledger's table. `key` is the text in the secret `forget`; another key finds none of them. */
export function dynamoTombstones(table: Table, key: string) {
  return {
    /** When the subject was forgotten (epoch ms), or null. */
    forgottenAt: async (subject: Subject): Promise<number | null> => {
      const item = await readItem(table, tombstoneKey(key, subject));
      return item === undefined ? null : tombstoneShape.parse(item).at;
    },
  };
}

/** Where the tombstone of a subject is: its item holds `at`, when it was last forgotten (epoch ms). */
export function tombstoneKey(key: string, subject: Subject): ItemKey {
  return { pk: `forgotten#${createHmac("sha256", key).update(subject).digest("hex")}`, sk: "tombstone" };
}

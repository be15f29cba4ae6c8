import { createHmac } from "node:crypto";

import * as z from "zod/mini";

import type { SourceId } from "../access/facts.ts";
import { putItem, readItem, type ItemKey, type Table } from "../dynamo/table.ts";

/** Who or what was forgotten: a buyer by normalized email, or a purchase. */
export type Subject = `buyer:${string}` | SourceId;

/**
 * What stays of a forgotten buyer, in items `forgotten#HMAC`: a keyed hash and a moment. Without the key, which isn't
 * in the table, nobody can guess whom they are about. Both methods throw TemporaryError LEDGER_UNREACHABLE.
 */
export type Tombstones = Pick<ReturnType<typeof dynamoTombstones>, "forgottenAt">;

const tombstoneShape = z.object({ at: z.number() });

/** The tombstones in the ledger's table. `key` is the text in the secret `forget`; another key finds none of them. */
export function dynamoTombstones(table: Table, key: string) {
  return {
    /** Writes down that the subject was forgotten at this moment (epoch ms). A later one replaces it. */
    bury: (subject: Subject, at: number): Promise<unknown> => putItem(table, { ...tombstoneKey(key, subject), at }),
    /** When the subject was forgotten (epoch ms), or null. */
    forgottenAt: async (subject: Subject): Promise<number | null> => {
      const item = await readItem(table, tombstoneKey(key, subject));
      return item === undefined ? null : tombstoneShape.parse(item).at;
    },
  };
}

function tombstoneKey(key: string, subject: Subject): ItemKey {
  return { pk: `forgotten#${createHmac("sha256", key).update(subject).digest("hex")}`, sk: "tombstone" };
}

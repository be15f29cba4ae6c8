import * as z from "zod/mini";

import { itemsUnder, putItem, removeItem, type Table } from "../dynamo/table.ts";
import { DUE_SHARD, recordKey } from "./keys.ts";

/** Whoever has the ping URL can make up messages that wait: the rest has its turn a minute later. */
const MOST_A_TURN = 20;
/** No more than these wait: sweeps find what is refused. */
const MOST = 200;
const PREFIX = "pending#";

const itemShape = z.object({ sk: z.string(), dueAt: z.number(), body: z.string() });

/**
 * What couldn't be read back yet, in items `pending#ID` beside the buyer's record (`buyer#EMAIL`), each with its due
 * time in the index `due`. Nothing is derived from it. Every method throws TemporaryError LEDGER_UNREACHABLE.
 */
export function dynamoPending(table: Table) {
  const keyOf = (buyer: string, id: string) => ({ pk: recordKey(buyer).pk, sk: `${PREFIX}${id}` });
  const itemsOf = async (buyer: string) =>
    (await itemsUnder(table, recordKey(buyer).pk, PREFIX)).map((item) => itemShape.parse(item));
  return {
    /** Keeps a message until then (epoch ms); of one `id`, one. False: no room, nor the place `from`, soon removed. */
    put: async (buyer: string, id: string, body: string, dueAt: number, from = id): Promise<boolean> => {
      const places = (await itemsOf(buyer)).map(({ sk }) => sk.slice(PREFIX.length));
      if (places.length >= MOST && !places.includes(id) && !places.includes(from)) return false;
      return putItem(table, { ...keyOf(buyer, id), body, dueShard: DUE_SHARD, dueAt });
    },
    /** What is due by now (epoch ms), longest due first: so many as one turn can read. */
    due: async (buyer: string, now: number) => {
      const due = (await itemsOf(buyer)).filter(({ dueAt }) => dueAt <= now).sort((a, b) => a.dueAt - b.dueAt);
      return due.slice(0, MOST_A_TURN).map(({ sk, body }) => ({ id: sk.slice(PREFIX.length), body }));
    },
    remove: (buyer: string, id: string): Promise<void> => removeItem(table, keyOf(buyer, id)),
  };
}

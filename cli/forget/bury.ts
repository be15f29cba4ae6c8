import { putItem, type Table } from "../../src/dynamo/table.ts";
import { type Subject, tombstoneKey } from "../../src/ledger/tombstones.ts";

/** Writes down that these were forgotten then (epoch ms), by the stage's `key`. Throws as the ledger does. */
export async function buryAll(table: Table, key: string, subjects: readonly Subject[], at: number): Promise<void> {
  for (const subject of subjects) await putItem(table, { ...tombstoneKey(key, subject), at });
}

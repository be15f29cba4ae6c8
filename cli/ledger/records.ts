import * as z from "zod";

import { isSourceId, sourceShape, type Source, type SourceId } from "../../src/access/facts.ts";
import type { Table } from "../../src/dynamo/table.ts";
import { recordShape, type BuyerRecord } from "../../src/ledger/record.ts";
import { scanPages } from "./scan.ts";

/** A purchase of which facts are kept on its own item, beside its owner's record. */
export interface Apart {
  readonly owner: string;
  readonly id: SourceId;
  readonly facts: Source;
}

/** A part of all records. */
export interface RecordsRead {
  readonly records: readonly BuyerRecord[];
  /** What is kept apart of records, of this part or others. */
  readonly apart: readonly Apart[];
  /** How many more are in it, which this version can't read. */
  readonly broken: number;
}

const apartShape = z.object({ pk: z.string(), owner: z.string(), waiting: sourceShape });

/**
 * All records of the ledger, page by page, in no order.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function* everyRecord(table: Table): AsyncGenerator<RecordsRead> {
  const scan = { FilterExpression: "sk = :record OR (attribute_exists(#owner) AND attribute_exists(waiting))",
    ExpressionAttributeValues: { ":record": "record" }, ProjectionExpression: "pk, sk, #record, #owner, waiting",
    ExpressionAttributeNames: { "#record": "record", "#owner": "owner" } };
  for await (const items of scanPages(table, scan)) {
    const stored = items.filter(({ sk }) => sk === "record");
    const records = stored.flatMap((item) => recordShape.safeParse(item["record"]).data ?? []);
    const apart = items.flatMap((item): readonly Apart[] => {
      const { data } = apartShape.safeParse(item);
      const id = data?.pk.slice("source#".length) ?? "";
      return data !== undefined && isSourceId(id) ? [{ id, owner: data.owner, facts: data.waiting }] : [];
    });
    yield { records, apart, broken: stored.length - records.length };
  }
}

import type { Table } from "../../src/dynamo/table.ts";
import { recordShape, type BuyerRecord } from "../../src/ledger/record.ts";
import { scanPages } from "./scan.ts";

/** A part of all records. `broken`: how many more are in it, which this version can't read. */
export interface RecordsRead {
  readonly records: readonly BuyerRecord[];
  readonly broken: number;
}

/**
 * All records of the ledger, page by page, in no order.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function* everyRecord(table: Table): AsyncGenerator<RecordsRead> {
  const scan = { FilterExpression: "sk = :record", ExpressionAttributeValues: { ":record": "record" },
    ProjectionExpression: "#record", ExpressionAttributeNames: { "#record": "record" } };
  for await (const items of scanPages(table, scan)) {
    const read = items.map((item) => recordShape.safeParse(item["record"]));
    const records = read.flatMap(({ data }) => (data === undefined ? [] : [data]));
    yield { records, broken: read.length - records.length };
  }
}

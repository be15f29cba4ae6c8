import { scanPage, type Item, type Page, type Table } from "../../src/dynamo/table.ts";

/**
 * The pages of a scan, one after the other.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function* scanPages(table: Table, scan: Parameters<typeof scanPage>[1]): AsyncGenerator<readonly Item[]> {
  let from: Page["LastEvaluatedKey"];
  do {
    const page: Page = await scanPage(table, from === undefined ? scan : { ...scan, ExclusiveStartKey: from });
    yield page.Items ?? [];
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
}

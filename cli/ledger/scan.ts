import { scanPage, type Item, type Table } from "../../src/dynamo/table.ts";

/**
 * The pages of a scan, one after the other.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function* scanPages(table: Table, scan: Parameters<typeof scanPage>[1]): AsyncGenerator<readonly Item[]> {
  let page = await scanPage(table, scan);
  yield page.items;
  while (page.next !== undefined) {
    page = await scanPage(table, { ...scan, ExclusiveStartKey: page.next });
    yield page.items;
  }
}

import { pagesUnder, type Table } from "../../src/dynamo/table.ts";
import { heldKey } from "../../src/ledger/losses.ts";

/**
 * Emails of the buyers with held removals of a product.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function heldBuyers(table: Table, productId: string): Promise<readonly string[]> {
  const { pk, sk: prefix } = heldKey(productId, "");
  const buyers: string[] = [];
  for await (const items of pagesUnder(table, pk)) {
    buyers.push(...items.map(({ sk }) => String(sk).slice(prefix.length)));
  }
  return buyers;
}

import { itemsUnder, type Table } from "../../src/dynamo/table.ts";
import { heldKey } from "../../src/ledger/losses.ts";

/**
 * Emails of the buyers with held removals of a product.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function heldBuyers(table: Table, productId: string): Promise<readonly string[]> {
  const { pk, sk: prefix } = heldKey(productId, "");
  return (await itemsUnder(table, pk)).map(({ sk }) => String(sk).slice(prefix.length));
}

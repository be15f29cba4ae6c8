import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import * as z from "zod";

import { readItem } from "../../src/dynamo/table.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { hourKey } from "../../src/ledger/losses.ts";

const hourShape = z.object({ buyers: z.set(z.string()) });

/**
 * The tags of the buyers who lost a product in the hour of a moment (epoch ms), see losses.ts; none where nobody did,
 * or where that is more than two days ago.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function lostInHour(client: DynamoDBClient, name: string, productId: string,
  at: number): Promise<ReadonlySet<string>> {
  const item = await readItem(ledgerTable(client, name), hourKey(productId, at));
  return item === undefined ? new Set() : hourShape.parse(item).buyers;
}

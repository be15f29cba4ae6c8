import * as z from "zod/mini";

import { itemsUnder, putItem, type Table } from "../dynamo/table.ts";

/** `soldAt` in epoch ms; `receiver` by normalized email, null on the giver's side. */
const sideShape = z.object({ side: z.enum(["received", "given"]), saleId: z.string(), productId: z.string(),
  soldAt: z.number(), receiver: z.nullable(z.string()) });
/** One side of a gift by pings: the receiver's sale, or the giver's, which is pinged only when it is disputed. */
export type GiftSide = Readonly<z.infer<typeof sideShape>>;

/**
 * The sides of gifts by their giver (normalized email), in items `giver#EMAIL` of the ledger's table: what links them
 * as long as Gumroad's API can't be asked. Every method throws TemporaryError LEDGER_UNREACHABLE.
 */
export function dynamoGifts(table: Table) {
  return {
    /** Writing the same side twice is harmless. */
    note: (giver: string, side: GiftSide): Promise<unknown> =>
      putItem(table, { pk: `giver#${giver}`, sk: `${side.side}#${side.saleId}`, ...side }),
    of: async (giver: string): Promise<readonly GiftSide[]> =>
      (await itemsUnder(table, `giver#${giver}`)).map((item) => sideShape.parse(item)),
  };
}

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import * as z from "zod/mini";

import { putItem, queryPages } from "../dynamo/table.ts";
import { ledgerTable } from "./keys.ts";

/**
 * One side of a gift, as far as pings tell it: the receiver's sale, or the giver's, which is pinged only when it is
 * disputed.
 */
export interface GiftSide {
  readonly side: "received" | "given";
  readonly saleId: string;
  readonly productId: string;
  /** Epoch ms. */
  readonly soldAt: number;
  /** Who received it (normalized email); null on the giver's side. */
  readonly receiver: string | null;
}

/**
 * The sides of gifts by their giver (normalized email), in items `giver#EMAIL` of the ledger's table: what links them
 * as long as Gumroad's API can't be asked. Every method throws TemporaryError LEDGER_UNREACHABLE.
 */
export interface Gifts {
  /** Writing the same side twice is harmless. */
  note(giver: string, side: GiftSide): Promise<void>;
  of(giver: string): Promise<readonly GiftSide[]>;
}

const sideShape = z.object({ side: z.enum(["received", "given"]), saleId: z.string(), productId: z.string(),
  soldAt: z.number(), receiver: z.nullable(z.string()) });

/** The gifts on a DynamoDB table. `signal`, the invocation's deadline, ends every call. */
export function dynamoGifts(client: DynamoDBClient, name: string, signal?: AbortSignal): Gifts {
  const table = ledgerTable(client, name, signal);
  return {
    note: async (giver, side) => {
      await putItem(table, { pk: `giver#${giver}`, sk: `${side.side}#${side.saleId}`, ...side });
    },
    of: async (giver) => {
      const sides: GiftSide[] = [];
      const query = { KeyConditionExpression: "pk = :giver", ExpressionAttributeValues: { ":giver": `giver#${giver}` },
        ConsistentRead: true };
      for await (const items of queryPages(table, query)) sides.push(...items.map((item) => sideShape.parse(item)));
      return sides;
    },
  };
}

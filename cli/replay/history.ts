import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import * as z from "zod";

import { sourceIdShape, type SourceId } from "../../src/access/facts.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { scanPages } from "../ledger/scan.ts";

/** A buyer's source that some event was about. */
export interface Touched {
  readonly buyer: string;
  readonly source: SourceId;
}

/** What the history of a time shows. */
export interface HistoryRange {
  readonly events: number;
  /** Each once, in the order of the buyers' addresses. */
  readonly touched: readonly Touched[];
}

const lineShape = z.object({ pk: z.string(), source: sourceIdShape, email: z.string().optional() });

/**
 * Whom events were about that came in from `since` to before `until` (epoch ms), by the lines of history. Reads the
 * whole table, as lines are kept by buyer.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function historyBetween(client: DynamoDBClient, table: string, since: number,
  until: number): Promise<HistoryRange> {
  const touched = new Map<string, Touched>();
  let events = 0;
  const scan = {
    // Compared as text, these moments are in their order.
    FilterExpression: "sk >= :since AND sk < :until",
    ProjectionExpression: "pk, #source, detail.email",
    ExpressionAttributeNames: { "#source": "source" },
    ExpressionAttributeValues: { ":since": `event#${new Date(since).toISOString()}`,
      ":until": `event#${new Date(until).toISOString()}` },
  };
  for await (const items of scanPages(ledgerTable(client, table), scan)) {
    for (const item of items) {
      const line = lineShape.safeParse({ ...item, email: emailIn(item["detail"]) });
      if (!line.success) continue;
      events += 1;
      const { pk, source, email } = line.data;
      // A source that nobody owned then: the ping's own address leads to whoever does.
      const buyer = pk.startsWith("buyer#") ? pk.slice("buyer#".length) : email;
      if (buyer !== undefined) touched.set(`${buyer} ${source}`, { buyer, source });
    }
  }
  return { events, touched: [...touched].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each) };
}

function emailIn(detail: unknown): unknown {
  return typeof detail === "object" && detail !== null && "email" in detail ? detail.email : undefined;
}

import * as z from "zod/mini";

import { queryPages, type Table } from "../../src/dynamo/table.ts";
import type { SweepKind } from "../../src/ledger/sweeps.ts";

/** What came of a sweep. */
export interface SweepReport {
  readonly sweep: string;
  readonly read: number;
  readonly differed: number;
  readonly sent: number;
  /** Records that were changed because of it, so far. */
  readonly changed: number;
  /** Null while it is under way. */
  readonly finishedAt: number | null;
}

const counted = z._default(z.number(), 0);
const reportShape = z.object({ sk: z.string(), seen: counted, differed: counted, sent: counted, changed: counted,
  finishedAt: z._default(z.nullable(z.number()), null) });

/**
 * What came of the last sweep that found anything or finished; null if none is kept.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function lastReport(table: Table, kind: SweepKind): Promise<SweepReport | null> {
  const query = { KeyConditionExpression: "pk = :sweep AND begins_with(sk, :report)",
    ExpressionAttributeValues: { ":sweep": `sweep#${kind}`, ":report": "report#" }, ScanIndexForward: false,
    Limit: 1 };
  for await (const [item] of queryPages(table, query)) {
    if (item === undefined) continue;
    const { sk, seen, ...counts } = reportShape.parse(item);
    return { sweep: `${kind} ${sk.slice("report#".length)}`, read: seen, ...counts };
  }
  return null;
}

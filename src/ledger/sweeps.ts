import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import * as z from "zod/mini";

import { putVersion, queryPages, readItem, updateItem, type ItemKey } from "../dynamo/table.ts";
import { ledgerTable } from "./keys.ts";

/** The sweeps that `reconcile` makes: of the last days' sales, of what runs and was given, of everything. */
export const sweepKinds = ["recent", "daily", "weekly"] as const;

/** Which sweep. `backfill` is the command line's: all past sales, once. */
export type SweepKind = (typeof sweepKinds)[number] | "backfill";

/** How far a sweep is. Times are epoch milliseconds. */
export interface Checkpoint {
  readonly kind: SweepKind;
  readonly startedAt: number;
  /** Where it goes on: only the sweep itself reads it. */
  readonly position: string;
  /** Rows and records looked at. */
  readonly read: number;
  /** Those of them that differed from what was known. */
  readonly differed: number;
  /** Messages put into the queue. */
  readonly sent: number;
  readonly finishedAt: number | null;
  /** Counts the writes; each is made on the version that was read. 0: not stored yet. */
  readonly version: number;
}

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

/**
 * The sweeps' own items in the ledger's table:
 *
 * | pk | sk | what |
 * |---|---|---|
 * | `sweep#KIND` | `checkpoint` | how far the sweep is |
 * | `sweep#KIND` | `report#TIME` | what came of the sweep begun then; kept for 60 days |
 *
 * Every method throws TemporaryError LEDGER_UNREACHABLE.
 */
export interface Sweeps {
  /** Null: never begun. */
  load(kind: SweepKind): Promise<Checkpoint | null>;
  /**
   * Writes a checkpoint on the version that was read, and gives it with its new one. Null: somebody else wrote first.
   */
  save(checkpoint: Checkpoint): Promise<Checkpoint | null>;
  /** Keeps what a finished sweep came to. */
  report(finished: Checkpoint): Promise<void>;
  /** Counts a record that was changed because of this sweep (see `sweepName`). */
  countChanged(sweep: string): Promise<void>;
  /** What came of the last sweep that found anything or finished; null if none is kept. */
  lastReport(kind: SweepKind): Promise<SweepReport | null>;
}

/** Names a sweep in messages and reports: `recent 2026-01-05T19:38:56.000Z`. */
export function sweepName({ kind, startedAt }: Pick<Checkpoint, "kind" | "startedAt">): string {
  return `${kind} ${new Date(startedAt).toISOString()}`;
}

const KEPT_SECONDS = 60 * 24 * 60 * 60;

const checkpointShape = z.object({
  kind: z.enum([...sweepKinds, "backfill"]),
  startedAt: z.number(),
  position: z.string(),
  read: z.number(),
  differed: z.number(),
  sent: z.number(),
  finishedAt: z.nullable(z.number()),
  version: z.number(),
});
const counted = z._default(z.number(), 0);
const reportShape = z.object({ sk: z.string(), seen: counted, differed: counted, sent: counted, changed: counted,
  finishedAt: z._default(z.nullable(z.number()), null) });

/**
 * The sweeps' items on a DynamoDB table. `signal`, the invocation's deadline, ends every call; `now` gives epoch
 * milliseconds.
 */
export function dynamoSweeps(client: DynamoDBClient, name: string, signal?: AbortSignal,
  now: () => number = Date.now): Sweeps {
  const table = ledgerTable(client, name, signal);
  /** The item may be begun by a change that comes before the sweep's end: whoever is first sets when it goes. */
  const change = async (sweep: string, changes: string, values: Record<string, unknown>) => {
    await updateItem(table, reportKey(sweep), `${changes} expiresAt = if_not_exists(expiresAt, :expiresAt)`, {
      values: { ...values, ":expiresAt": Math.floor(now() / 1_000) + KEPT_SECONDS },
    });
  };

  return {
    load: async (kind) => {
      const item = await readItem(table, checkpointKey(kind));
      return item === undefined ? null : checkpointShape.parse(item);
    },
    save: async (checkpoint) => {
      const written: Checkpoint = { ...checkpoint, version: checkpoint.version + 1 };
      const item = { ...checkpointKey(checkpoint.kind), ...written };
      return (await putVersion(table, item, checkpoint.version)) ? written : null;
    },
    report: (finished) => {
      const { read, differed, sent, finishedAt } = finished;
      return change(sweepName(finished),
        "SET seen = :read, differed = :differed, sent = :sent, finishedAt = :finishedAt,", { ":read": read,
        ":differed": differed, ":sent": sent, ":finishedAt": finishedAt });
    },
    countChanged: (sweep) => change(sweep, "ADD changed :one SET", { ":one": 1 }),
    lastReport: async (kind) => {
      const query = { KeyConditionExpression: "pk = :sweep AND begins_with(sk, :report)",
        ExpressionAttributeValues: { ":sweep": `sweep#${kind}`, ":report": "report#" }, ScanIndexForward: false,
        Limit: 1 };
      for await (const [item] of queryPages(table, query)) {
        if (item === undefined) continue;
        const { sk, seen, ...counts } = reportShape.parse(item);
        return { sweep: `${kind} ${sk.slice("report#".length)}`, read: seen, ...counts };
      }
      return null;
    },
  };
}

function checkpointKey(kind: SweepKind): ItemKey {
  return { pk: `sweep#${kind}`, sk: "checkpoint" };
}

function reportKey(sweep: string): ItemKey {
  const [kind = "", startedAt = ""] = sweep.split(" ");
  return { pk: `sweep#${kind}`, sk: `report#${startedAt}` };
}

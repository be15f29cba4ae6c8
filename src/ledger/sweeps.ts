import * as z from "zod/mini";

import { putVersion, readItem, updateItem, type ItemKey, type Table } from "../dynamo/table.ts";

/** The sweeps that `reconcile` makes: of the last days' sales, of what runs and was given, of everything. */
export const sweepKinds = ["recent", "daily", "weekly"] as const;

/** Which sweep. `backfill` is the command line's: all past sales, once. */
export type SweepKind = (typeof sweepKinds)[number] | "backfill";

/** How far a sweep is. Times are epoch milliseconds. */
export type Checkpoint = Readonly<z.infer<typeof checkpointShape>>;

const checkpointShape = z.object({
  kind: z.enum([...sweepKinds, "backfill"]),
  startedAt: z.number(),
  /** Where it goes on: only the sweep itself reads it. */
  position: z.string(),
  /** Rows and records looked at. */
  read: z.number(),
  differed: z.number(),
  sent: z.number(),
  finishedAt: z.nullable(z.number()),
  /** Counts the writes; each is made on the version that was read. 0: not stored yet. */
  version: z.number(),
});

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
export type Sweeps = ReturnType<typeof dynamoSweeps>;

/** Names a sweep in messages and reports: `recent 2026-01-05T19:38:56.000Z`. */
export function sweepName({ kind, startedAt }: Pick<Checkpoint, "kind" | "startedAt">): string {
  return `${kind} ${new Date(startedAt).toISOString()}`;
}

const KEPT_SECONDS = 60 * 24 * 60 * 60;

/** The sweeps' items in the ledger's table. `now` in epoch ms. */
export function dynamoSweeps(table: Table, now: () => number = Date.now) {
  /** The item may be begun by a change that comes before the sweep's end: whoever is first sets when it goes. */
  const change = async (sweep: string, changes: string, values: Record<string, unknown>) => {
    await updateItem(table, reportKey(sweep), `${changes} expiresAt = if_not_exists(expiresAt, :expiresAt)`, {
      values: { ...values, ":expiresAt": Math.floor(now() / 1_000) + KEPT_SECONDS },
    });
  };

  return {
    /** Null: never begun. */
    load: async (kind: SweepKind): Promise<Checkpoint | null> => {
      const item = await readItem(table, checkpointKey(kind));
      return item === undefined ? null : checkpointShape.parse(item);
    },
    /** Writes a checkpoint on the version read, and gives it with its new one. Null: somebody else was first. */
    save: async (checkpoint: Checkpoint): Promise<Checkpoint | null> => {
      const written: Checkpoint = { ...checkpoint, version: checkpoint.version + 1 };
      const item = { ...checkpointKey(checkpoint.kind), ...written };
      return (await putVersion(table, item, checkpoint.version)) ? written : null;
    },
    report: (finished: Checkpoint): Promise<void> => {
      const { read, differed, sent, finishedAt } = finished;
      return change(sweepName(finished),
        "SET seen = :read, differed = :differed, sent = :sent, finishedAt = :finishedAt,", { ":read": read,
        ":differed": differed, ":sent": sent, ":finishedAt": finishedAt });
    },
    /** Counts a record that was changed because of this sweep (see `sweepName`). */
    countChanged: (sweep: string): Promise<void> => change(sweep, "ADD changed :one SET", { ":one": 1 }),
  };
}

function checkpointKey(kind: SweepKind): ItemKey {
  return { pk: `sweep#${kind}`, sk: "checkpoint" };
}

function reportKey(sweep: string): ItemKey {
  const [kind = "", startedAt = ""] = sweep.split(" ");
  return { pk: `sweep#${kind}`, sk: `report#${startedAt}` };
}

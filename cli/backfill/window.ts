import { TemporaryError } from "../../src/errors.ts";
import { sourceOfRow } from "../../src/gumroad/facts.ts";
import type { SaleRow } from "../../src/gumroad/rows.ts";
import type { OwnedSource, Survey } from "../../src/ledger/survey.ts";
import type { BulkMessage, BulkQueue } from "../../src/queue/queue.ts";
import { NEARLY_EMPTY } from "../../src/sweeping/feed.ts";

/** A sale that provision was told of. */
export interface Told {
  readonly row: SaleRow;
  readonly message: BulkMessage;
}

/** What a window works with. */
export interface WindowParts {
  readonly queue: BulkQueue;
  readonly survey: Pick<Survey, "owned">;
  /** Whether the ledger has all that a row tells. */
  readonly isKnown: (row: SaleRow, owned: OwnedSource | undefined) => boolean;
  readonly wait: (milliseconds: number) => Promise<unknown>;
  /** Between two looks (ms). */
  readonly pollMs: number;
  /** How late (ms) the queue's own count may be. */
  readonly countLagMs: number;
}

/**
 * Sends hints, but never more than a few ahead of what provision has taken in: it keeps to Auth0's pace, and a buyer
 * of this minute waits behind a handful. SQS counts its messages up to a minute late, so what is in the ledger is
 * looked at as well.
 */
export interface SendingWindow {
  /**
   * Waits until there is room for more.
   * @throws {TemporaryError} BACKFILL_STALLED if five minutes bring nothing on
   */
  room(): Promise<void>;
  send(told: readonly Told[]): Promise<void>;
  /** Waits until all is taken in and the queue is empty, as far as it gets. Throws as `room`. */
  emptied(): Promise<void>;
  /** Sales that the ledger has by now. */
  readonly taken: number;
  /**
   * Sales that the queue is done with and the ledger doesn't have: of people who were forgotten, kept as dead
   * letters, or that came with nothing new, as a refunded bundle of a buyer with more sales than can be listed.
   */
  readonly untaken: readonly string[];
}

const STALLED_MS = 5 * 60_000;

/** Begins with nothing sent. */
export function sendingWindow({ queue, survey, isKnown, wait, pollMs, countLagMs }: WindowParts): SendingWindow {
  const ahead = new Map<string, { readonly row: SaleRow; readonly sentAt: number }>();
  const untaken: string[] = [];
  let taken = 0;
  let depth = 0;
  /** Milliseconds waited, in all and when something last got on. */
  let waited = 0;
  let movedAt = 0;

  async function look(): Promise<void> {
    const rows = [...ahead.values()].map(({ row }) => row);
    const owned = await survey.owned(rows.map(sourceOfRow));
    for (const row of rows) {
      if (!isKnown(row, owned.get(sourceOfRow(row)))) continue;
      ahead.delete(row.id);
      taken += 1;
      movedAt = waited;
    }
    const before = depth;
    depth = await queue.depth();
    if (depth < before) movedAt = waited;
    if (depth > 0) return;
    for (const [id, { sentAt }] of ahead) {
      if (waited - sentAt < countLagMs) continue;
      ahead.delete(id);
      untaken.push(id);
      movedAt = waited;
    }
  }

  async function until(isReady: () => boolean): Promise<void> {
    await look();
    while (!isReady()) {
      if (waited - movedAt >= STALLED_MS) {
        throw new TemporaryError("BACKFILL_STALLED",
          `nothing has got on for five minutes (${
            String(depth)
          } messages in the queue): look with doctor, then run backfill again; it goes on where it stopped`);
      }
      await wait(pollMs);
      waited += pollMs;
      await look();
    }
    movedAt = waited;
  }

  return {
    room: () => until(() => ahead.size < NEARLY_EMPTY && depth <= NEARLY_EMPTY),
    send: async (told) => {
      await queue.send(told.map(({ message }) => message));
      for (const { row } of told) ahead.set(row.id, { row, sentAt: waited });
    },
    // What else waits in the queue, such as a ping to be read again in ten minutes, is nobody's here.
    emptied: () => until(() => ahead.size === 0 && (depth === 0 || waited - movedAt >= countLagMs)),
    get taken() {
      return taken;
    },
    untaken,
  };
}

import { randomUUID } from "node:crypto";

import { TemporaryError } from "../../src/errors.ts";
import { bulkQueue, type BulkMessage } from "../../src/queue/queue.ts";
import { NEARLY_EMPTY, queueFeed } from "../../src/sweeping/feed.ts";
import { distinct, dueFor, hintFor } from "../../src/sweeping/sweep.ts";
import { historyBetween, type HistoryRange, type Touched } from "../replay/history.ts";
import { readStored } from "../stage/secrets.ts";
import type { Operating } from "./operating.ts";

/** The events of a time, and what would play them again. */
export interface ReplayRange extends HistoryRange {
  readonly buyers: number;
  /** Whether there is a Gumroad token; without one only roles are worked out anew. */
  readonly readBack: boolean;
  readonly messages: readonly BulkMessage[];
}

/**
 * SQS counts its messages up to a minute late: a minute's share goes out, then its count is waited for. The local
 * queue's is right at once.
 */
const SHARE_MS = 60_000;
const LOCAL_SHARE_MS = 500;
const STALLED_MS = 5 * 60_000;

/** Looks whom the events from `from` to before `to` (epoch ms) were about. Throws what the ledger throws. */
export async function eventsBetween(from: number, to: number, { stage, now }: Operating): Promise<ReplayRange> {
  const readBack = (await readStored(stage, "gumroad")).state === "good";
  const range = await historyBetween(stage.dynamo, stage.ledger, from, to);
  const buyers = new Set(range.touched.map(({ buyer }) => buyer)).size;
  return { ...range, buyers, readBack, messages: messagesFor(range.touched, readBack, now) };
}

/**
 * Tells provision, no faster than it gets on.
 * @throws {TemporaryError} REPLAY_STALLED
 */
export async function replayed(messages: readonly BulkMessage[],
  { stage, wait, commandLine, tell }: Operating): Promise<void> {
  const never = new AbortController().signal;
  const share = stage.emulators === null ? SHARE_MS : LOCAL_SHARE_MS;
  const queue = bulkQueue(stage.sqs, stage.queue, "all");
  const total = messages.length;
  let feed = queueFeed({ queue, enough: never, deadline: never, wait });
  let waited = 0;
  tell({ what: "messages", done: 0, total });
  for (let start = 0; start < total; start += NEARLY_EMPTY) {
    while (!(await feed.ready())) {
      if (waited >= STALLED_MS) {
        throw new TemporaryError("REPLAY_STALLED",
          `the queue has not got emptier for five minutes: ${commandLine("doctor")} finds why. ${
            start.toLocaleString("en-GB")
          } of ${total.toLocaleString("en-GB")} messages were sent; sending them again is harmless`);
      }
      await wait(share);
      waited += share;
      feed = queueFeed({ queue, enough: never, deadline: never, wait });
    }
    waited = 0;
    await feed.send(messages.slice(start, start + NEARLY_EMPTY));
    tell({ what: "messages", done: Math.min(start + NEARLY_EMPTY, total), total });
  }
}

function messagesFor(touched: readonly Touched[], readBack: boolean, now: () => number): readonly BulkMessage[] {
  const about = { requestId: randomUUID(), sweep: `replay ${new Date(now()).toISOString()}`, now };
  return distinct(touched.map(({ buyer, source }) =>
    // What an operator gave can't be read back anywhere.
    !readBack || source.startsWith("grant:") ? dueFor(buyer, about) : hintFor(buyer, source, about)
  ));
}

import type { BulkMessage, BulkQueue } from "../queue/queue.ts";

/** The queue counts as nearly empty up to so many messages: what two workers take within seconds. */
export const NEARLY_EMPTY = 20;
/** The most that a run sends. SQS counts its messages up to a minute late, so an empty count alone proves little. */
const MOST_A_RUN = 200;
/** Between two looks at a queue that empties. */
const LOOK_AGAIN_MS = 2_000;

/** Puts bulk work into the queue, but only while it is nearly empty: no new buyer waits behind it. */
export interface Feed {
  /**
   * Whether more may be sent now. Waits while the queue gets emptier; false once it doesn't, or the time or this run's
   * share is up.
   */
  ready(): Promise<boolean>;
  /** Throws TemporaryError QUEUE_UNREACHABLE. */
  send(messages: readonly BulkMessage[]): Promise<void>;
  /** How many messages went out so far. */
  readonly sent: number;
}

/** What a feed needs. */
export interface FeedOptions {
  readonly queue: BulkQueue;
  /** Aborted when nothing new is to be begun. */
  readonly enough: AbortSignal;
  /** Aborted when the time is up: ends every call. */
  readonly deadline: AbortSignal;
  readonly wait: (ms: number) => Promise<unknown>;
}

/** The feed of one run. */
export function queueFeed({ queue, enough, deadline, wait }: FeedOptions): Feed {
  let sent = 0;
  return { ready: async () => {
    let before = Infinity;
    while (!enough.aborted && sent < MOST_A_RUN) {
      const depth = await queue.depth(deadline);
      if (depth <= NEARLY_EMPTY) return true;
      if (depth >= before) return false;
      before = depth;
      await wait(LOOK_AGAIN_MS);
    }
    return false;
  }, send: async (messages) => {
    await queue.send(messages, deadline);
    sent += messages.length;
  }, get sent() {
    return sent;
  } };
}

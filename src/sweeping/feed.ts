import type { Ledger } from "../ledger/ledger.ts";
import type { BulkMessage, BulkQueue } from "../queue/queue.ts";
import type { SweepTools } from "./sweep.ts";

/** The queue counts as nearly empty up to so many messages: what two workers take within seconds. */
export const NEARLY_EMPTY = 20;
/** The most that a run sends. SQS counts its messages up to a minute late, so an empty count alone proves little. */
const MOST_A_RUN = 200;
const LOOK_AGAIN_MS = 2_000;

/** Puts one run's bulk work into the queue, but only while it is nearly empty: no new buyer waits behind it. */
export type Feed = ReturnType<typeof queueFeed>;

/** The feed of one run. */
export function queueFeed(
  { queue, enough, deadline, wait }: Pick<SweepTools, "enough" | "deadline"> & { readonly queue: BulkQueue;
    readonly wait: (ms: number) => Promise<unknown> },
) {
  let sent = 0;
  return {
    /** Whether more may be sent: waits while the queue gets emptier; ends with that, the time, or this run's share. */
    ready: async (): Promise<boolean> => {
      let before = Infinity;
      while (!enough.aborted && sent < MOST_A_RUN) {
        const depth = await queue.depth(deadline);
        if (depth <= NEARLY_EMPTY) return true;
        if (depth >= before) return false;
        before = depth;
        await wait(LOOK_AGAIN_MS);
      }
      return false;
    },
    send: async (messages: readonly BulkMessage[]): Promise<void> => {
      await queue.send(messages, deadline);
      sent += messages.length;
    },
    sent: () => sent,
  };
}

/**
 * Queues the buyers whose due time has come, earliest first; whoever is left is still due at the next run. Gives how
 * many. The first few go whatever the queue holds: a busy shop's may not be nearly empty for hours, and so few hold
 * nobody up. The message's id has the due time, so that nobody is queued twice within five minutes.
 */
export async function sendDueBuyers(ledger: Pick<Ledger, "due">, feed: Feed, now: number,
  requestId: string): Promise<number> {
  for await (const buyers of ledger.due(now)) {
    for (let start = 0; start < buyers.length; start += NEARLY_EMPTY) {
      if (feed.sent() > 0 && !(await feed.ready())) return feed.sent();
      await feed.send(
        buyers.slice(start, start + NEARLY_EMPTY).map(({ email, dueAt }) => ({
          message: { v: 1, kind: "due", requestId, buyer: email },
          id: `due ${email} ${String(dueAt)}`,
        })),
      );
    }
  }
  return feed.sent();
}

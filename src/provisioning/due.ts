import type { Ledger } from "../ledger/ledger.ts";
import type { DueSender } from "../queue/queue.ts";

/**
 * Sends word of every buyer whose due time has come back through the queue, earliest first, until done or until the
 * signal aborts; what is left is still due at the next run. Returns how many were sent.
 *
 * The due time is part of the message's id, so a buyer who is waiting in the queue already is not queued again.
 */
export async function sendDueBuyers(ledger: Ledger, send: DueSender, now: number, requestId: string, signal: AbortSignal): Promise<number> {
  let sent = 0;
  for await (const buyers of ledger.due(now)) {
    await send(buyers.map(({ email, dueAt }) => ({ message: { v: 1, kind: "due", requestId, buyer: email }, id: `due ${email} ${String(dueAt)}` })));
    sent += buyers.length;
    if (signal.aborted) break;
  }
  return sent;
}

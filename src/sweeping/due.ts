import type { Ledger } from "../ledger/ledger.ts";
import { NEARLY_EMPTY, type Feed } from "./feed.ts";

/**
 * Sends word of the buyers whose due time has come back through the queue, earliest first; who is left is still due at
 * the next run. Returns how many were sent.
 *
 * The first few go whatever the queue holds: what falls due was promised for a time, and a busy shop's queue may not
 * be nearly empty for hours. So few hold nobody up. The due time is part of the message's id, so a buyer who waits in
 * the queue already is not queued again within five minutes.
 */
export async function sendDueBuyers(ledger: Pick<Ledger, "due">, feed: Feed, now: number,
  requestId: string): Promise<number> {
  let sent = 0;
  for await (const buyers of ledger.due(now)) {
    for (let start = 0; start < buyers.length; start += NEARLY_EMPTY) {
      if (sent > 0 && !(await feed.ready())) return sent;
      const some = buyers.slice(start, start + NEARLY_EMPTY);
      await feed.send(
        some.map(({ email, dueAt }) => ({ message: { v: 1, kind: "due", requestId, buyer: email },
          id: `due ${email} ${String(dueAt)}` })
        ),
      );
      sent += some.length;
    }
  }
  return sent;
}

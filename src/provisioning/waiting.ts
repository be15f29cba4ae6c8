import { causesOf, log } from "../log.ts";
import { readMessage, type MessageOf, type Message } from "../queue/message.ts";
import type { Provisioning } from "./context.ts";
import { nameOf } from "./owners.ts";
import { loggedAs, tellFailure } from "./telling.ts";
import { UNREAD_MS, UNREADABLE_MS } from "./timing.ts";

/** What waited beside a buyer's record and is due: it is merged like a message of today. */
export async function dueMessages(email: string, { store, now }: Provisioning) {
  const waited: { readonly id: string; readonly message: Message }[] = [];
  for (const { id, body } of await store.pending.due(email, now())) {
    try {
      waited.push({ id, message: readMessage(body) });
    } catch (error) {
      // A later version wrote it, and will read it when it is back.
      log.warn("a message that waited can't be read", { causes: causesOf(error) });
      await store.pending.put(email, id, body, now() + UNREADABLE_MS);
    }
  }
  return waited;
}

/** Has a message wait beside its buyer's record for so long (ms), in the place of `from`. False: there is no room. */
export function letWait(message: MessageOf<"ping" | "hint">, ms: number, { store, now }: Provisioning,
  from = message) {
  return store.pending.put(message.buyer, nameOf(message), JSON.stringify(message), now() + ms, nameOf(from));
}

/**
 * Lets those of the failed messages that `mayWait` wait beside the record: an outage may outlast the queue's patience.
 * Gives the others, which must be delivered again.
 */
export async function waitingInstead(email: string, failed: ReadonlyMap<Message, unknown>,
  mayWait: (message: Message) => boolean, work: Provisioning): Promise<ReadonlySet<Message>> {
  const again = new Set(failed.keys());
  for (const [message, error] of failed) {
    tellFailure(email, [message], error);
    if ((message.kind !== "ping" && message.kind !== "hint") || !mayWait(message)) continue;
    const isKept = await letWait(message, UNREAD_MS, work)
      .catch(loggedAs("a message that should wait was not written down"));
    if (isKept === true) again.delete(message);
  }
  return again;
}

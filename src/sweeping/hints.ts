import { isSubscription, type SourceId } from "../access/facts.ts";
import type { HintMessage } from "../queue/message.ts";
import type { BulkMessage } from "../queue/queue.ts";
import type { SweepTools } from "./sweep.ts";

/**
 * Word for a buyer's record that Gumroad shows something else of a purchase, which is to be read back; the same of one
 * sweep is queued once in five minutes. Who is found among the last days' sales is a new buyer whose ping was lost,
 * and gets the mail that new buyers get.
 */
export function hintFor(buyer: string, source: SourceId,
  { requestId, sweep, now }: Pick<SweepTools, "requestId" | "sweep" | "now">,
  terms: Pick<HintMessage, "adopt" | "invite"> = { invite: sweep.startsWith("recent ") }): BulkMessage {
  const id = source.slice(source.indexOf(":") + 1);
  const [saleId, subscriptionId] = isSubscription(source) ? [null, id] : [id, null];
  return {
    message: { v: 1, kind: "hint", requestId, buyer, hops: 0, saleId, subscriptionId, sweep, foundAt: now(),
      ...terms },
    id: `${sweep} ${source}`,
  };
}

/** Word for a buyer that their roles are to be worked out anew. */
export function dueFor(buyer: string, { requestId, sweep }: Pick<SweepTools, "requestId" | "sweep">): BulkMessage {
  return { message: { v: 1, kind: "due", requestId, buyer }, id: `${sweep} ${buyer}` };
}

/** Without doubles: many charges of one subscription tell the same end. */
export function distinct(messages: readonly BulkMessage[]): readonly BulkMessage[] {
  return [...new Map(messages.map((message) => [message.id, message])).values()];
}

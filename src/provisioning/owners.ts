import type { Act, Source, SourceId } from "../access/facts.ts";
import { mergeSource } from "../access/merge.ts";
import { RefusedError } from "../errors.ts";
import type { SourceItem } from "../ledger/ledger.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag, log } from "../log.ts";
import type { MessageOf, Message } from "../queue/message.ts";
import type { Provisioning } from "./context.ts";

/** A ping goes from its email's group to its owner's: one hop. More means that something keeps changing owners. */
const MOST_HOPS = 3;

type Forwarded = MessageOf<"ping" | "hint" | "act" | "claim">;

/** Facts that a buyer's record takes in. */
export type Told = { readonly source: SourceId; readonly facts: Source };

/** What is told of a source, with what its own item kept of it. */
export function withWaiting(told: Told, { waiting }: SourceItem): Told {
  return waiting === null ? told : { ...told, facts: mergeSource(waiting, told.facts) };
}

/** Whether a source is this buyer's: in the record, and not moved away by an operator. */
export function isMine({ sources }: BuyerRecord, id: SourceId): boolean {
  return Object.hasOwn(sources, id) && sources[id]?.act?.decision.kind !== "move";
}

/** Sends a message on to whom its source belongs. Throws RefusedError OWNER_UNCLEAR once it went around too often. */
export async function forward(message: Forwarded, source: SourceId, owner: string,
  { queue, signal }: Pick<Provisioning, "queue" | "signal">): Promise<void> {
  if (message.hops >= MOST_HOPS) throw new RefusedError("OWNER_UNCLEAR", `The owner of ${source} keeps changing.`);
  await queue.send({ ...message, buyer: owner, hops: message.hops + 1 },
    `${nameOf(message)} ${owner} ${String(message.hops)}`, signal);
  log.info("forwarded to the source's owner", { requestId: message.requestId, source, buyer: buyerTag(owner) });
}

/** Changes a source's owner and then tells the new one: a crash in between leaves nobody without it. */
export async function moveSource(source: SourceId, act: Act, to: string,
  { buyer: from, requestId }: Pick<Message, "buyer" | "requestId">,
  { store, queue, signal }: Provisioning): Promise<void> {
  await store.ledger.move(source, from, to);
  await queue.send({ v: 1, kind: "moved", requestId, buyer: to, from, source, act }, `moved ${act.id}`, signal);
}

/** Names a message: sent on twice, or waiting twice, it is one. */
export function nameOf(message: Forwarded): string {
  switch (message.kind) {
    case "ping":
      return `${message.pingId} ${String(message.misses)} ${String(message.again)}`;
    case "hint":
      return `${message.sweep} ${message.saleId ?? message.subscriptionId ?? ""}`;
    case "act":
      return `act ${message.act.id}`;
    case "claim":
      return `claim ${message.requestId}`;
  }
}

import { isDeepStrictEqual } from "node:util";

import type { Source, SourceId } from "../access/facts.ts";
import { addFacts, mergeSource } from "../access/merge.ts";
import { RefusedError } from "../errors.ts";
import { factsOfPing, sourceOfPing } from "../gumroad/facts-of-ping.ts";
import type { HistoryEvent, Ledger } from "../ledger/ledger.ts";
import { isFull, type BuyerRecord, type SourceItem } from "../ledger/record.ts";
import { buyerTag, log } from "../log.ts";
import { keepRefused } from "../queue/keep.ts";
import type { PingMessage } from "../queue/message.ts";
import type { Queue } from "../queue/queue.ts";

/** A ping goes from its email's group to its owner's: one hop. More means that something keeps changing owners. */
const MOST_HOPS = 3;
/** Each one costs a call when the buyer's users are looked up. */
const MOST_SPELLINGS = 5;

interface Outside {
  readonly ledger: Ledger;
  readonly queue: Queue;
  readonly signal: AbortSignal;
  /** Told of messages that went elsewhere: they need not be delivered again, whatever becomes of the others. */
  readonly done: (message: PingMessage) => void;
}

/**
 * Merges pings into a buyer's record, which is not written yet. A ping about somebody else's source is forwarded to
 * them; one about a source that nobody has sold yet waits on the source's own item; one that can never be right is
 * kept in the dead-letter queue. What is new goes into the history first, so that a crash loses no line of it.
 */
export async function takeIn(record: BuyerRecord, messages: readonly PingMessage[], outside: Outside): Promise<BuyerRecord> {
  let merged = record;
  for (const message of messages) {
    try {
      merged = await takeInOne(merged, message, outside);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      await keepRefused(outside.queue, error, message.requestId, JSON.stringify(message), outside.signal);
      outside.done(message);
    }
  }
  return merged;
}

async function takeInOne(record: BuyerRecord, message: PingMessage, outside: Outside): Promise<BuyerRecord> {
  const { ping } = message;
  const id = sourceOfPing(ping);
  refuseUntrusted(record, message);
  const facts = await ownFacts(record, id, message, outside);
  if (facts === null) {
    outside.done(message);
    return record;
  }

  const sources = addFacts(record.sources, id, facts);
  const spellings = ping.email === record.email ? withSpelling(record.spellings, ping) : record.spellings;
  if (isDeepStrictEqual(sources[id], record.sources[id]) && spellings === record.spellings) {
    log.info("ping known already", { requestId: message.requestId, buyer: buyerTag(record.email), event: ping.event, source: id });
    return record;
  }
  await outside.ledger.remember(`buyer#${record.email}`, historyOf(message, id));
  log.info("ping merged", { requestId: message.requestId, buyer: buyerTag(record.email), event: ping.event, source: id });
  return { ...record, sources, spellings };
}

function historyOf({ pingId, receivedAt, requestId, ping }: PingMessage, source: SourceId): HistoryEvent {
  return { id: pingId, receivedAt, requestId, source, detail: ping };
}

/** A renewal can be under another address: only spellings of this buyer's own count. */
function withSpelling(spellings: readonly string[], ping: PingMessage["ping"]): readonly string[] {
  if (!("spelling" in ping) || ping.spelling === null || spellings.includes(ping.spelling) || spellings.length >= MOST_SPELLINGS) return spellings;
  return [...spellings, ping.spelling];
}

function refuseUntrusted(record: BuyerRecord, { ping }: PingMessage): void {
  if ("emailTyped" in ping && ping.emailTyped) {
    throw new RefusedError(
      "EMAIL_TYPED",
      'The product has a custom field "email", which hides the buyer\'s own address in pings: rename the field in Gumroad, then give this buyer access by hand.',
    );
  }
  if (ping.event === "sale" && isFull(record)) {
    throw new RefusedError("RECORD_FULL", "This buyer's record is near DynamoDB's 400 KB and takes no new sales: see what this buyer keeps buying.");
  }
}

/** The facts of a ping where its source is this buyer's, with what waited for it; null where it went elsewhere. */
async function ownFacts(record: BuyerRecord, id: SourceId, message: PingMessage, outside: Outside): Promise<Source | null> {
  const { ledger } = outside;
  const facts = factsOfPing(message.ping);
  if (Object.hasOwn(record.sources, id)) return facts;

  const item = message.ping.event === "sale" ? await ledger.claim(id, record.email) : await ledger.park(id, facts);
  if (item.owner === record.email) return item.waiting === null ? facts : mergeSource(item.waiting, facts);
  await passOn(item, message, outside);
  return null;
}

async function passOn({ id, owner }: SourceItem, message: PingMessage, { ledger, queue, signal }: Outside): Promise<void> {
  const told = { requestId: message.requestId, event: message.ping.event, source: id };
  if (owner === null) {
    await ledger.remember(`source#${id}`, historyOf(message, id));
    log.info("nobody has bought this source yet: its facts wait", told);
    return;
  }
  if (message.hops >= MOST_HOPS) throw new RefusedError("OWNER_UNCLEAR", `The owner of ${id} keeps changing.`);
  await queue.send({ ...message, buyer: owner, hops: message.hops + 1 }, `${message.pingId} ${owner} ${String(message.hops)}`, signal);
  log.info("forwarded to the source's owner", { ...told, buyer: buyerTag(owner) });
}

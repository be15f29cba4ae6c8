import { isDeepStrictEqual } from "node:util";

import { emptySource, entriesOf, type Source, type SourceId } from "../access/facts.ts";
import { withContents } from "../access/bundles.ts";
import { undated } from "../access/known.ts";
import { addFacts, mergeSource } from "../access/merge.ts";
import type { Policy } from "../access/policy.ts";
import { RefusedError } from "../errors.ts";
import { factsOfPing } from "../gumroad/facts-of-ping.ts";
import type { Gifts } from "../ledger/gifts.ts";
import type { HistoryEvent, Ledger } from "../ledger/ledger.ts";
import type { Losses } from "../ledger/losses.ts";
import { isFull, type BuyerRecord } from "../ledger/record.ts";
import { buyerTag, log } from "../log.ts";
import { count } from "../metrics.ts";
import { keepRefused } from "../queue/keep.ts";
import type { BuyerMessage, HintMessage, PingMessage } from "../queue/message.ts";
import type { Queue } from "../queue/queue.ts";
import { takeAct, takeHeld, takeMoved } from "./acts.ts";
import { isForgotten, type Remembrance } from "./forgotten.ts";
import { takeInvite } from "./invite.ts";
import { forward, isMine } from "./owners.ts";
import { contradicts, hintOf, type Answer, type Reader } from "./read-back.ts";
import { READ_AGAIN_MS, readAgainAfterMiss, UNSETTLED_LONG_MS } from "./timing.ts";
import { takenOnTrust, type Told } from "./trust.ts";

/** Each one costs a call when the buyer's users are looked up. */
const MOST_SPELLINGS = 5;

/**
 * Far more than a membership of ten years would see. Only pings tell of them, so somebody with the URL could make them
 * up.
 */
const MOST_PLAN_CHANGES = 100;

/** What taking messages in works with. */
export interface Outside {
  readonly ledger: Ledger;
  readonly gifts: Gifts;
  readonly losses: Pick<Losses, "noteReleased">;
  /** Tells who was forgotten; left out: nobody was. */
  readonly forgotten?: Remembrance["forgotten"] | undefined;
  readonly queue: Queue;
  readonly policy: Policy;
  readonly signal: AbortSignal;
  /** Null where there is no token for Gumroad's API: pings are then taken at their word. */
  readonly reader: Reader | null;
  readonly now: () => number;
  /** Told of messages that went elsewhere: they need not be delivered again, whatever becomes of the others. */
  readonly done: (message: BuyerMessage) => void;
}

/** A record with all that could be taken in, and the messages that could not. */
export interface TakenIn {
  readonly record: BuyerRecord;
  readonly failed: ReadonlyMap<BuyerMessage, Error>;
}

/**
 * Merges messages into a buyer's record, which is not written yet. One about somebody else's source is forwarded to
 * them; one that can never be right is kept in the dead-letter queue; one that can't be read back just now fails
 * alone. What is new goes into the history first, so that a crash loses no line of it.
 */
export async function takeIn(record: BuyerRecord, messages: readonly BuyerMessage[],
  outside: Outside): Promise<TakenIn> {
  let merged = record;
  const failed = new Map<BuyerMessage, Error>();
  for (const message of messages) {
    try {
      merged = await takeInOne(merged, message, outside);
    } catch (error) {
      if (error instanceof RefusedError) {
        await keepRefused(outside.queue, error, message.requestId, JSON.stringify(message), outside.signal);
        outside.done(message);
      } else {
        failed.set(message,
          error instanceof Error ? error : new Error("something was thrown that is no error", { cause: error }));
      }
    }
  }
  return { record: merged, failed };
}

async function takeInOne(record: BuyerRecord, message: BuyerMessage, outside: Outside): Promise<BuyerRecord> {
  const isReadBack = outside.reader !== null && (message.kind === "ping" || message.kind === "hint");
  if (!isReadBack && (await isForgotten(message, null, record, outside))) return record;
  switch (message.kind) {
    case "due":
      return record;
    case "bind":
      return { ...record, spellings: withSpelling(record.spellings, message.spelling) };
    case "invite":
      return takeInvite(record, message, outside);
    case "act":
      return takeAct(record, message, outside);
    case "moved":
      return takeMoved(record, message, outside);
    case "held":
      return takeHeld(record, message, outside);
    case "hint":
      return outside.reader === null
        ? record
        : takeAnswer(record, message, await outside.reader.read(message, knownTo(record)), outside);
    case "ping":
      if (outside.reader !== null) {
        return takeAnswer(record, message, await outside.reader.read(hintOf(message.ping), knownTo(record)), outside);
      }
      return takeOnTrust(record, message, outside);
  }
}

function knownTo({ sources }: BuyerRecord): ReadonlySet<SourceId> {
  return new Set(entriesOf(sources).map(([id]) => id));
}

async function takeOnTrust(record: BuyerRecord, message: PingMessage, outside: Outside): Promise<BuyerRecord> {
  const told = await takenOnTrust(record, message, lineOf(message, null), outside);
  if (told !== null) return taken(record, message, told, spellingIn(record, message), outside);
  outside.done(message);
  return record;
}

/**
 * Takes what Gumroad's API answered. Of the ping itself nothing counts, but a change of plan, which the API doesn't
 * show.
 */
async function takeAnswer(record: BuyerRecord, message: PingMessage | HintMessage, answer: Answer | null,
  outside: Outside): Promise<BuyerRecord> {
  if (await isForgotten(message, answer, record, outside)) return record;
  if (answer === null) return missed(record, message, outside);
  const { source, owner, others } = answer;
  const facts = message.kind === "ping" ? withWhatOnlyPingsTell(answer.facts, message) : answer.facts;
  const own = await ownFacts(record, { source, facts }, owner, message, outside);
  if (own === null) return record;
  if (message.kind === "ping" && !message.again && contradicts(answer.facts, message.ping)) {
    await later({ ...message, again: true }, READ_AGAIN_MS, outside);
    log.warn("Gumroad's API contradicts the ping: it is read again in a minute", { requestId: message.requestId,
      event: message.ping.event, source });
  }
  const theirs: Told[] = [];
  for (const other of owner === null || owner === record.email ? others : []) {
    if (isMine(record, other.source)) theirs.push(other);
    else {
      const { owner: known, waiting } = await outside.ledger.claim(other.source, record.email);
      if (known === record.email) {
        theirs.push(waiting === null ? other : { ...other, facts: mergeSource(waiting, other.facts) });
      }
    }
  }
  const spelling = owner === record.email ? answer.spelling : null;
  return taken(record, message, [own, ...theirs], spelling, outside);
}

function withWhatOnlyPingsTell(read: Source, { ping, receivedAt }: PingMessage): Source {
  if (ping.event === "subscription_updated") {
    return mergeSource(read, { ...emptySource(read.productId),
      tierChanges: factsOfPing(ping, receivedAt).tierChanges });
  }
  // Whether the seller bought their own product: shown, and nothing hangs on it.
  if (ping.event === "sale" && ping.test) {
    return { ...read, charges: read.charges.map((charge) => ({ ...charge, test: charge.saleId === ping.saleId })) };
  }
  return read;
}

/** The facts where the source is this buyer's, with what waited for it; null where the message went elsewhere. */
async function ownFacts(record: BuyerRecord, told: Told, owner: string | null, message: PingMessage | HintMessage,
  { ledger, queue, signal, done }: Outside): Promise<Told | null> {
  const { source, facts } = told;
  if (isMine(record, source)) return told;
  const item = owner === null ? await ledger.park(source, facts) : await ledger.claim(source, owner);
  if (item.owner === record.email) {
    return item.waiting === null
      ? told
      : { source, facts: mergeSource(item.waiting, facts) };
  }
  if (item.owner !== null) await forward(message, source, item.owner, queue, signal);
  else await ledger.remember(`source#${source}`, lineOf(message, facts));
  done(message);
  return null;
}

/**
 * Gumroad's API doesn't know of it: a forged ping, or one that is a moment ahead of the API. It never takes access
 * away.
 * @throws {RefusedError} SALE_NOT_FOUND the third time
 */
async function missed(record: BuyerRecord, message: PingMessage | HintMessage,
  outside: Outside): Promise<BuyerRecord> {
  if (message.kind === "ping") {
    const wait = readAgainAfterMiss(message.misses);
    if (wait === null) {
      throw new RefusedError("SALE_NOT_FOUND",
        "Gumroad doesn't know the sale or subscription of this ping, asked three times within 15 minutes: it was " +
          "forged, or belongs to another shop.");
    }
    await later({ ...message, misses: message.misses + 1 }, wait, outside);
    log.warn("Gumroad doesn't know of it; asked again later", { requestId: message.requestId,
      misses: message.misses + 1 });
  }
  outside.done(message);
  return record;
}

async function later(message: PingMessage, wait: number, { queue, signal, now }: Outside): Promise<void> {
  const { pingId, misses, again, requestId } = message;
  await queue.send({ v: 1, kind: "later", requestId, notBefore: now() + wait, message },
    `later ${pingId} ${String(misses)} ${String(again)}`, signal);
}

/** The record with these facts, and a line of history where they tell anything new. */
async function taken(stored: BuyerRecord, message: PingMessage | HintMessage, told: readonly Told[],
  spelling: string | null, { ledger, policy }: Outside): Promise<BuyerRecord> {
  const adopts = message.kind === "hint" && message.adopt === true && stored.adopts !== true;
  const record: BuyerRecord = adopts ? { ...stored, adopts } : stored;
  const about = { requestId: message.requestId, buyer: buyerTag(record.email),
    event: message.kind === "ping" ? message.ping.event : "found by a sweep" };
  let sources = record.sources;
  const news: Told[] = [];
  for (const each of told) {
    const next = addFacts(sources, each.source, withContents(each.facts, policy));
    if (isDeepStrictEqual(undated(next[each.source]), undated(sources[each.source]))) continue;
    if ((next[each.source]?.tierChanges.length ?? 0) > MOST_PLAN_CHANGES) {
      throw new RefusedError("PLAN_CHANGES_FULL",
        "This membership changed its plan more often than anybody does: who else has the ping URL?");
    }
    if (isFull(record) && (sellsMore(each.facts, sources[each.source]) || each.facts.tierChanges.length > 0)) {
      throw new RefusedError("RECORD_FULL",
        "This buyer's record is near DynamoDB's 400 KB and takes no new sales: see what this buyer keeps buying.");
    }
    if (message.kind === "hint" && isUntold(message, each.facts, sources[each.source])) count("SaleUntold");
    sources = next;
    news.push(each);
  }
  const spellings = withSpelling(record.spellings, spelling);
  if (news.length === 0 && spellings === record.spellings) {
    log.info("known already", about);
    return record;
  }
  for (const { source, facts } of news) {
    await ledger.remember(`buyer#${record.email}`, { ...lineOf(message, facts), source });
  }
  log.info("merged", { ...about, sources: news.map(({ source }) => source) });
  return { ...record, sources, spellings };
}

/** Refunds and ends still go into a full record. */
function sellsMore(facts: Source, known: Source | undefined): boolean {
  return facts.charges.some(({ saleId, seen }) =>
    seen && known?.charges.some((charge) => charge.saleId === saleId && charge.seen) !== true
  );
}

/**
 * Whether a sweep of the last days brings a sale whose ping should have come by now: Gumroad's four tries are over.
 */
function isUntold({ sweep, foundAt }: HintMessage, facts: Source, known: Source | undefined): boolean {
  return sweep.startsWith("recent ") && sellsMore(facts, known) &&
    facts.charges.every(({ soldAt }) => foundAt - soldAt > UNSETTLED_LONG_MS);
}

/** A line of history: the ping as understood, or what a sweep found, with what Gumroad answered. */
function lineOf(message: PingMessage | HintMessage, answered: Source | null): HistoryEvent {
  const { requestId } = message;
  if (message.kind === "hint") {
    const { sweep, saleId, subscriptionId } = message;
    return { id: `${sweep} ${saleId ?? subscriptionId ?? ""}`, receivedAt: message.foundAt, requestId,
      source: sourceHinted(message), detail: { event: "found", sweep, answered } };
  }
  const { ping, pingId, receivedAt } = message;
  return { id: pingId, receivedAt, requestId, source: sourceHinted(message), detail: { ...ping, answered } };
}

function sourceHinted(message: PingMessage | HintMessage): HistoryEvent["source"] {
  const { saleId, subscriptionId } = message.kind === "hint" ? message : { saleId: null, ...message.ping };
  return subscriptionId === null ? `sale:${saleId ?? ""}` : `subscription:${subscriptionId}`;
}

/** A renewal can be under another address: only spellings of this buyer's own count. */
function spellingIn({ email }: BuyerRecord, { ping }: PingMessage): string | null {
  return "spelling" in ping && ping.email === email ? ping.spelling : null;
}

function withSpelling(spellings: readonly string[], spelling: string | null): readonly string[] {
  return spelling === null || spellings.includes(spelling) || spellings.length >= MOST_SPELLINGS
    ? spellings
    : [...spellings, spelling];
}

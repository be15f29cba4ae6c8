import { isDeepStrictEqual } from "node:util";

import { withContents } from "../access/bundles.ts";
import { emptySource, type Source, type SourceId } from "../access/facts.ts";
import { undated } from "../access/known.ts";
import { addFacts, mergeSource } from "../access/merge.ts";
import { RefusedError } from "../errors.ts";
import { factsOfPing, sourceOfPing, sourceOfRow } from "../gumroad/facts.ts";
import type { HistoryEvent } from "../ledger/ledger.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag, log } from "../log.ts";
import { count } from "../metrics.ts";
import type { MessageOf, Message } from "../queue/message.ts";
import { mergeAct, mergeHeld, mergeMoved, movedAlong } from "./acts.ts";
import { isNamed, withRoom } from "./apart.ts";
import { mergeClaim } from "./claims.ts";
import type { Provisioning } from "./context.ts";
import { isForgotten } from "./forgotten.ts";
import { mergeInvite } from "./invite.ts";
import { unknown } from "./marks.ts";
import { forward, isMine, nameOf, withWaiting, type Told } from "./owners.ts";
import { contradicts, type Answer, type Readings } from "./read-back.ts";
import { READ_AGAIN_MS, readAgainAfterMiss, UNSETTLED_LONG_MS } from "./timing.ts";
import { toldOnTrust } from "./trust.ts";
import { letWait } from "./waiting.ts";

/** Each one costs a call when the buyer's users are looked up. */
const MOST_SPELLINGS = 5;
/** Far more than a membership of ten years would see. Only pings tell of them: who has the URL could make them up. */
const MOST_PLAN_CHANGES = 100;

/**
 * Merges messages into a buyer's record, which is not written yet; what is new goes into the history first, so that a
 * crash loses no line of it. `failed`: they must come again, as what couldn't be read back does. `elsewhere`: they
 * went to another buyer, wait, or were refused into the dead-letter queue, and nothing of them is for this record.
 */
export async function mergeMessages(stored: BuyerRecord, messages: readonly Message[], readings: Readings,
  work: Provisioning) {
  let record = stored;
  const failed = new Map<Message, unknown>();
  const elsewhere = new Set<Message>();
  for (const message of messages) {
    try {
      if (readings.unread.has(message)) throw readings.unread.get(message);
      const merged = await mergeMessage(record, message, readings, work);
      if (merged === null) elsewhere.add(message);
      else record = await movedAlong(merged, stored, message.requestId, work);
    } catch (error) {
      if (error instanceof RefusedError) {
        await work.queue.keep(error, message.requestId, JSON.stringify(message), work.signal);
        elsewhere.add(message);
      } else failed.set(message, error);
    }
  }
  return { record, failed, elsewhere };
}

/** The record with the message; null if nothing of it is for this record. */
async function mergeMessage(record: BuyerRecord, message: Message, readings: Readings, work: Provisioning) {
  const answer = readings.answers.get(message);
  if (await isForgotten(message, answer ?? null, record, work.store)) return null;
  switch (message.kind) {
    case "due":
      if (record.version === 0) return null;
      return message.anew === true ? unknown(record) : record;
    case "bind":
      return { ...record, spellings: withSpelling(record.spellings, message.spelling) };
    case "invite":
      return mergeInvite(record, message, work);
    case "act":
      return mergeAct(record, message, work);
    case "moved":
      return mergeMoved(record, message, work);
    case "held":
      return mergeHeld(record, message, work);
    case "claim":
      return mergeClaim(record, message, work);
    case "hint":
    case "ping":
      if (answer === null) return missed(message, work);
      if (answer !== undefined) return mergeAnswer(record, message, answer, work);
      return message.kind === "ping" ? mergeOnTrust(record, message, work) : mergeApart(record, message, work);
  }
}

/** Without a token nothing can be read back: what was kept apart of it is taken as it is. */
async function mergeApart(record: BuyerRecord, message: MessageOf<"hint">, work: Provisioning): Promise<BuyerRecord> {
  const { ledger } = work.store;
  const source = sourceHinted(message);
  if (isMine(record, source) || (await ledger.owner(source)) !== record.email) return record;
  const { waiting } = await ledger.claim(source, record.email);
  return waiting === null ? record : mergeFacts(record, message, [{ source, facts: waiting }], null, work);
}

async function mergeOnTrust(record: BuyerRecord, message: MessageOf<"ping">, work: Provisioning) {
  const { ping } = message;
  const told = await toldOnTrust(record, message, lineOf(message, null), work);
  // A renewal can be under another address: only spellings of this buyer's own count.
  const spelling = "spelling" in ping && ping.email === record.email ? ping.spelling : null;
  return told && mergeFacts(record, message, told, spelling, work);
}

/** Merges what Gumroad's API answered. Of the ping nothing counts but a change of plan, which the API doesn't show. */
async function mergeAnswer(record: BuyerRecord, message: MessageOf<"ping" | "hint">, answer: Answer,
  work: Provisioning): Promise<BuyerRecord | null> {
  const { ledger } = work.store;
  const { source, owner, others } = answer;
  const facts = message.kind === "ping" ? withWhatOnlyPingsTell(answer.facts, message) : answer.facts;
  const own = await ownFacts(record, { source, facts }, owner, message, work);
  if (own === null) return null;
  if (message.kind === "ping" && !message.again && contradicts(answer.facts, message.ping)) {
    const isReadAgain = await letWait({ ...message, again: true }, READ_AGAIN_MS, work, message);
    log.warn("Gumroad's API contradicts the ping", { requestId: message.requestId, event: message.ping.event, source,
      isReadAgain });
  }
  const theirs: Told[] = [];
  for (const other of owner === null || owner === record.email ? others : []) {
    const item = isMine(record, other.source) ? null : await ledger.claim(other.source, record.email);
    if (item === null) theirs.push(other);
    else if (item.owner === record.email) theirs.push(withWaiting(other, item));
  }
  const spelling = owner === record.email ? answer.spelling : null;
  return mergeFacts(record, message, [own, ...theirs], spelling, work);
}

function withWhatOnlyPingsTell(read: Source, { ping, receivedAt }: MessageOf<"ping">): Source {
  if (ping.event === "subscription_updated") {
    const { tierChanges } = factsOfPing(ping, receivedAt);
    return mergeSource(read, { ...emptySource(read.productId), tierChanges });
  }
  // Whether the seller bought their own product: shown, and nothing hangs on it.
  if (ping.event === "sale" && ping.test) {
    return { ...read, charges: read.charges.map((charge) => ({ ...charge, test: charge.saleId === ping.saleId })) };
  }
  return read;
}

/** The facts where the source is this buyer's, with what waited for it; null where the message went elsewhere. */
async function ownFacts(record: BuyerRecord, told: Told, owner: string | null, message: MessageOf<"ping" | "hint">,
  work: Provisioning): Promise<Told | null> {
  const { ledger } = work.store;
  const { source, facts } = told;
  if (isMine(record, source)) return told;
  const item = owner === null ? await ledger.park(source, facts) : await ledger.claim(source, owner);
  if (item.owner === record.email) return withWaiting(told, item);
  if (item.owner !== null) await forward(message, source, item.owner, work);
  else await ledger.remember(`source#${source}`, lineOf(message, facts));
  return null;
}

/** A ping that is forged, or ahead of Gumroad's API. The third time it throws RefusedError SALE_NOT_FOUND. */
async function missed(message: MessageOf<"ping" | "hint">, work: Provisioning): Promise<null> {
  if (message.kind === "hint") return null;
  const wait = readAgainAfterMiss(message.misses);
  if (wait === null) {
    throw new RefusedError("SALE_NOT_FOUND",
      "Gumroad doesn't know the sale or subscription of this ping, asked three times within 15 minutes: it was " +
        "forged, or belongs to another shop.");
  }
  const misses = message.misses + 1;
  if (!(await letWait({ ...message, misses }, wait, work, message))) {
    throw new RefusedError("PENDING_FULL", "Hundreds of messages wait for this buyer: who else has the ping URL?");
  }
  log.warn("Gumroad doesn't know of it; asked again later", { requestId: message.requestId, misses });
  return null;
}

/** The record with these facts, and a line of history where they tell anything new. */
async function mergeFacts(stored: BuyerRecord, message: MessageOf<"ping" | "hint">, told: readonly Told[],
  spelling: string | null, work: Provisioning): Promise<BuyerRecord> {
  const { store: { ledger }, policy } = work;
  const adopts = message.kind === "hint" && message.adopt === true && stored.adopts !== true;
  const { record, isFull } = await withRoom(adopts ? { ...stored, adopts } : stored, work);
  const about = { requestId: message.requestId, buyer: buyerTag(record.email),
    event: message.kind === "ping" ? message.ping.event : "found by a sweep" };
  let sources = record.sources;
  const news: SourceId[] = [];
  let full: RefusedError | null = null;
  for (const { source, facts: read } of told) {
    const known = sources[source];
    const facts = withContents(changesTooOften(read, known) ? { ...read, tierChanges: [] } : read, policy);
    if (facts.tierChanges.length < read.tierChanges.length) {
      full = new RefusedError("PLAN_CHANGES_FULL",
        "This membership changed its plan more often than anybody does: who else has the ping URL?");
    }
    const next = addFacts(sources, source, facts);
    if (isDeepStrictEqual(undated(next[source]), undated(known))) continue;
    const isApart = known === undefined && !isNamed(facts, policy);
    if (isFull && !isApart && (sellsMore(facts, known) || facts.tierChanges.length > 0)) {
      full = new RefusedError("RECORD_FULL",
        "This buyer's record is near DynamoDB's 400 KB and takes no new sales: see what this buyer keeps buying.");
      continue;
    }
    // A sweep of the last days brings a sale whose ping is lost: Gumroad's four tries are over by now.
    if (message.kind === "hint" && !isApart && message.sweep.startsWith("recent ") && sellsMore(facts, known) &&
      facts.charges.every(({ soldAt }) => message.foundAt - soldAt > UNSETTLED_LONG_MS)) count("SaleUntold");
    if (isApart) await ledger.park(source, facts, record.email);
    else sources = next;
    news.push(source);
    await ledger.remember(`buyer#${record.email}`, { ...lineOf(message, read), source });
  }
  // What was read with it, a refund maybe, counts all the same.
  if (full !== null) {
    if (news.length === 0) throw full;
    await work.queue.keep(full, message.requestId, JSON.stringify(message), work.signal);
  }
  const spellings = withSpelling(record.spellings, spelling);
  if (news.length === 0 && spellings === record.spellings) {
    log.info("known already", about);
    return record;
  }
  log.info("merged", { ...about, sources: news });
  return { ...record, sources, spellings };
}

/** Whether these facts bring a change of plan for which a membership has too many: what an operator dropped aside. */
function changesTooOften(facts: Source, known: Source | undefined): boolean {
  const { tierChanges, changesDroppedAt } = known === undefined ? facts : mergeSource(known, facts);
  return tierChanges.length > (known?.tierChanges.length ?? 0) &&
    tierChanges.filter(({ at, toldAt }) => (toldAt ?? at) > (changesDroppedAt ?? -1)).length > MOST_PLAN_CHANGES;
}

/** Refunds and ends still go into a full record. */
function sellsMore(facts: Source, known: Source | undefined): boolean {
  return facts.charges.some(({ saleId, seen }) =>
    seen && known?.charges.some((charge) => charge.saleId === saleId && charge.seen) !== true
  );
}

/** A line of history: the ping as understood, or what a sweep found, with what Gumroad answered. */
function lineOf(message: MessageOf<"ping" | "hint">, answered: Source | null): HistoryEvent {
  const line = { requestId: message.requestId, source: sourceHinted(message) };
  return message.kind === "hint"
    ? { ...line, id: nameOf(message), receivedAt: message.foundAt,
      detail: { event: "found", sweep: message.sweep, answered } }
    : { ...line, id: message.pingId, receivedAt: message.receivedAt, detail: { ...message.ping, answered } };
}

function sourceHinted(message: MessageOf<"ping" | "hint">): HistoryEvent["source"] {
  if (message.kind === "ping") return sourceOfPing(message.ping);
  return sourceOfRow({ id: message.saleId ?? "", subscriptionId: message.subscriptionId });
}

function withSpelling(spellings: readonly string[], spelling: string | null): readonly string[] {
  return spelling === null || spellings.includes(spelling) || spellings.length >= MOST_SPELLINGS
    ? spellings
    : [...spellings, spelling];
}

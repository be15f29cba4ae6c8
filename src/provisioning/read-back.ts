import { type Source, type SourceId } from "../access/facts.ts";
import { areTogether, endOf, flagsOf } from "../access/known.ts";
import { mergeSource } from "../access/merge.ts";
import { TemporaryError } from "../errors.ts";
import type { GumroadApi, SalesQuery } from "../gumroad/api.ts";
import { factsOfSale, factsOfSubscriber, ownerOfRow, sourceOfRow } from "../gumroad/facts.ts";
import { dayOf } from "../gumroad/moment.ts";
import type { Ping } from "../gumroad/ping.ts";
import type { SaleRow } from "../gumroad/rows.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import type { Message, MessageOf } from "../queue/message.ts";
import type { Provisioning } from "./context.ts";
import { isMine, type Told } from "./owners.ts";
import { READING_MS } from "./timing.ts";

/** What to ask Gumroad's API for: a sale, or else a subscription. */
type Hint = Pick<MessageOf<"hint">, "saleId" | "subscriptionId">;

/** What Gumroad's API says. */
export interface Answer {
  readonly source: SourceId;
  readonly facts: Source;
  /** Null: the API names nobody. */
  readonly owner: string | null;
  /** The owner's email as it was written, where that differs. */
  readonly spelling: string | null;
  /** What else is the owner's: the giver's sides of a gift; if a bundle is gone, their other bundles and children. */
  readonly others: readonly Told[];
}

/** What was read back for a buyer's messages. */
export type Readings = Awaited<ReturnType<typeof readBack>>;

const DAY_MS = 24 * 60 * 60_000;
/** Pages of a giver's sales of one product within three days. */
const GIVER_PAGES = 5;
/** Pages of all sales of one buyer: 200. */
const BUYER_PAGES = 20;

/**
 * Reads back what pings and sweeps only hint at, each thing once; one failure stops no other. A reading counts from
 * when it was asked for, which is after the record was loaded.
 */
export async function readBack(messages: readonly Message[], stored: BuyerRecord, work: Provisioning) {
  // Null: Gumroad's API doesn't know of it.
  const answers = new Map<Message, Answer | null>();
  const unread = new Map<Message, unknown>();
  const hinting = messages.filter((message) => message.kind === "ping" || message.kind === "hint");
  const opened = hinting.length === 0 ? null : work.gumroad(work.signal);
  const signal = AbortSignal.any([work.signal, AbortSignal.timeout(READING_MS)]);
  const reader = { now: work.now, signal, stored, answers: new Map(), contents: new Map() };
  for (const message of hinting) {
    try {
      const api = (await opened) ?? null;
      if (api === null) break;
      const hint = message.kind === "hint" ? message : { saleId: null, ...message.ping };
      answers.set(message, await read(hint, { ...reader, api }));
    } catch (error) {
      unread.set(message, error);
    }
  }
  return { answers, unread };
}

/** What one turn reads with. Sources in the `stored` record are its buyer's: nobody is asked whose they are. */
interface Reader {
  readonly api: GumroadApi;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly stored: BuyerRecord;
  readonly answers: Map<string, Promise<Answer | null>>;
  readonly contents: Map<string, Promise<readonly string[]>>;
}

function read({ saleId, subscriptionId }: Hint, reader: Reader): Promise<Answer | null> {
  const ask = () => saleId === null ? subscription(subscriptionId ?? "", reader) : sale(saleId, reader);
  return once(reader.answers, saleId === null ? `subscription ${subscriptionId ?? ""}` : `sale ${saleId}`, ask);
}

function once<T>(asked: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const answer = asked.get(key) ?? ask();
  asked.set(key, answer);
  return answer;
}

async function sale(saleId: string, reader: Reader, isEnded = false): Promise<Answer | null> {
  const at = reader.now();
  const row = await reader.api.sale(saleId, reader.signal);
  if (row === null) return null;
  const source = sourceOfRow(row);
  const others = await giversOf(row, reader);
  const isKnown = isMine(reader.stored, source);
  const sold = row.recurring && row.subscriptionId !== null && !isKnown
    ? ((await firstOf(row.subscriptionId, reader)) ?? row)
    : row;
  // Gumroad's support may have moved it to another email since.
  const owner = isKnown ? reader.stored.email : ownerOfRow(sold);
  let facts = await factsOf(row, at, reader);
  const isGone = row.bundle === "bundle" && (isEnded || row.gone);
  const theirs = isGone && owner !== null ? await bundlesOf(owner, reader) : null;
  if (theirs !== null) {
    others.push(...theirs.filter((each) => each.source !== source));
    facts = { ...facts, listedAt: at };
  }
  if (row.subscriptionId !== null && row.dead) facts = await withEnd(facts, row.subscriptionId, reader);
  return { source, facts, owner, spelling: sold.email === owner ? sold.spelling : null, others };
}

/** What a row tells; of a bundle with what it holds by now. */
async function factsOf(row: SaleRow, at: number, { api, contents, signal }: Reader): Promise<Source> {
  const { productId, bundle } = row;
  const facts = factsOfSale(row, at);
  if (bundle !== "bundle") return facts;
  return { ...facts, holds: await once(contents, productId, () => api.contents(productId, signal)) };
}

/** All that a buyer has of bundles. Null: they bought more than can be listed in one turn. */
async function bundlesOf(email: string, reader: Reader): Promise<readonly Told[] | null> {
  const listedAt = reader.now();
  const found: Told[] = [];
  for await (const row of salesOf({ email }, BUYER_PAGES, reader)) {
    if (row === null) return null;
    if (row.bundle === "none" || row.dead || ownerOfRow(row) !== email) continue;
    const facts = await factsOf(row, listedAt, reader);
    found.push({ source: sourceOfRow(row), facts: row.bundle === "bundle" ? { ...facts, listedAt } : facts });
  }
  return found;
}

/** The rows of a listing; null in the end where it has more pages. */
async function* salesOf(query: SalesQuery, pages: number, { api, signal }: Reader): AsyncGenerator<SaleRow | null> {
  let pageKey: string | null = null;
  for (let page = 0; page < pages; page += 1) {
    const { rows, next } = await api.sales({ ...query, pageKey }, signal);
    yield* rows;
    if (next === null) return;
    pageKey = next;
  }
  yield null;
}

/** A renewal may be under another email: whose a subscription is, its first sale tells. */
async function firstOf(subscriptionId: string, { api, signal }: Reader): Promise<SaleRow | null> {
  const row = await api.subscriber(subscriptionId, signal);
  const [first] = row?.saleIds ?? [];
  return first === undefined ? null : api.sale(first, signal);
}

async function withEnd(facts: Source, subscriptionId: string, { api, now, signal }: Reader): Promise<Source> {
  const at = now();
  const row = await api.subscriber(subscriptionId, signal);
  if (row !== null) return mergeSource(facts, factsOfSubscriber(row, at));
  // Its sale says that it is dead, so it must be there: without a word of how, nothing may be concluded.
  throw new TemporaryError("GUMROAD_UNREACHABLE", "Gumroad doesn't find the ended subscription that its sale names.");
}

async function subscription(subscriptionId: string, reader: Reader): Promise<Answer | null> {
  const at = reader.now();
  const row = await reader.api.subscriber(subscriptionId, reader.signal);
  if (row === null) return null;
  const source = `subscription:${subscriptionId}` as const;
  const facts = factsOfSubscriber(row, at);
  const [first] = row.saleIds;
  // Of a bundle that has ended, what else the buyer has is listed.
  const isAlone = isMine(reader.stored, source) &&
    !(row.ended !== null && reader.stored.sources[source]?.holds.length !== 0);
  const sold = isAlone || first === undefined ? null : await sale(first, reader, row.ended !== null);
  return sold === null
    ? { source, facts, owner: null, spelling: null, others: [] }
    : { ...sold, facts: mergeSource(sold.facts, facts) };
}

/** The API tells a received gift's giver, and of the giver's sales for whom they were. */
async function giversOf(received: SaleRow, reader: Reader): Promise<Told[]> {
  const { gifter, productId, soldAt, gift, bundle, email } = received;
  // What is in a gifted bundle stands and falls with that.
  if (gift !== "received" || gifter === null || bundle === "child") return [];
  const found: Told[] = [];
  const at = reader.now();
  const days = { after: dayOf(soldAt - DAY_MS), before: dayOf(soldAt + 2 * DAY_MS) };
  for await (const row of salesOf({ email: gifter, productId, ...days }, GIVER_PAGES, reader)) {
    if (row?.gift === "given" && row.giftee === email && areTogether(row, received)) {
      found.push({ source: sourceOfRow(row), facts: factsOfSale(row, at) });
    }
  }
  return found;
}

/**
 * Whether an answer says the opposite of its ping: the API may be a moment behind. Or the ping is old (it is resent as
 * it was): so this is a reason to ask again, and none to doubt the answer.
 */
export function contradicts(facts: Source, ping: Ping): boolean {
  switch (ping.event) {
    case "sale":
      return false;
    case "refund":
      return !chargeIs(facts, ping.saleId, (flags) => flags.refunded || (flags.partlyRefunded && !ping.refunded));
    case "dispute":
      return !chargeIs(facts, ping.saleId, (flags) => flags.disputed);
    case "dispute_won":
      return !chargeIs(facts, ping.saleId, (flags) => flags.disputeWon || flags.refunded);
    case "cancellation":
      return endOf(facts) === null && facts.cancelledAt === null;
    case "subscription_ended":
      return endOf(facts) === null;
    case "subscription_restarted":
    case "subscription_updated":
      return endOf(facts) !== null;
  }
}

function chargeIs(facts: Source, saleId: string, holds: (flags: ReturnType<typeof flagsOf>) => boolean): boolean {
  return facts.charges.some((charge) => charge.saleId === saleId && holds(flagsOf(charge)));
}

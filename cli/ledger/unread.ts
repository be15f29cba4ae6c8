import * as z from "zod";

import type { SourceId } from "../../src/access/facts.ts";
import { itemsUnder, queryPages, readItems, type Table } from "../../src/dynamo/table.ts";
import { RefusedError } from "../../src/errors.ts";
import { sourceOfPing, sourceOfRow } from "../../src/gumroad/facts.ts";
import { DUE_SHARD, recordKey } from "../../src/ledger/keys.ts";
import { dynamoPending } from "../../src/ledger/pending.ts";
import { nameOf } from "../../src/provisioning/owners.ts";
import { readMessage, type MessageOf } from "../../src/queue/message.ts";
import { afresh } from "../replay/letters.ts";

/** What waits beside a buyer's record until it can be read back, see src/ledger/pending.ts. Times are epoch ms. */
export interface Unread {
  readonly buyer: string;
  /** `UNREAD`: Gumroad could not be asked; or what else keeps it. */
  readonly code: "UNREAD" | "SALE_NOT_FOUND" | "CONTRADICTED" | "MESSAGE_INVALID";
  /** In a word: Gumroad's name of the event, or `found` by a sweep. */
  readonly event: string;
  /** Null: nobody but a later version can read it. */
  readonly source: SourceId | null;
  /** Its sale and its subscription, as far as it names them. */
  readonly ids: readonly string[];
  readonly since: number;
  /** When it is tried again. */
  readonly next: number;
}

/** What waits and what keeps it, as a sentence without its full stop. */
export function unreadWords({ event, source, code }: Unread): string {
  const what = event === FOUND ? `what a sweep found of ${source ?? ""}` : `${event} of ${source ?? "something"}`;
  return `${what} ${REASONS[code]}`;
}

const FOUND = "found";
const REASONS: Readonly<Record<Unread["code"], string>> = {
  UNREAD: "could not be read back from Gumroad, so nothing of it counts yet",
  SALE_NOT_FOUND: "is not known at Gumroad (yet), so nothing of it counts",
  CONTRADICTED: "says otherwise than Gumroad's API, whose word counts: asked once more",
  MESSAGE_INVALID: "can only be read by a later version of the service",
};

const PREFIX = "pending#";
const keyShape = z.object({ pk: z.string(), sk: z.string() });
const itemShape = z.object({ ...keyShape.shape, body: z.string(), dueAt: z.number() });
type Stored = z.infer<typeof itemShape>;
/** Keys that DynamoDB reads in one call. */
const A_CALL = 100;

/**
 * All that waits unread, longest first, from the index of what is due: no walk through the ledger.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function everyUnread(table: Table): Promise<readonly Unread[]> {
  return (await stored(table)).map(unreadOf).sort((a, b) => a.since - b.since);
}

/** The same of one buyer, as it is now. */
export async function unreadBy(table: Table, email: string): Promise<readonly Unread[]> {
  return (await storedBy(table, email)).map(unreadOf).sort((a, b) => a.since - b.since);
}

/**
 * Has all that waits unread of a buyer be due at once, with as many tries left as if it had just come; gives it. It is
 * due since it came: the clock here may be ahead of the service's. A `due` message has it taken in; twice is once.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function hurryUnread(table: Table, email: string): Promise<readonly Unread[]> {
  const pending = dynamoPending(table);
  const items = await storedBy(table, email);
  for (const item of items) {
    const message = messageIn(item);
    if (message === null) continue;
    const fresh = message.kind === "ping" ? afresh(message) : message;
    const [before, after] = [item.sk.slice(PREFIX.length), nameOf(fresh)];
    await pending.put(email, after, JSON.stringify(fresh), unreadOf(item).since, before);
    if (after !== before) await pending.remove(email, before);
  }
  return items.map(unreadOf);
}

async function storedBy(table: Table, email: string): Promise<readonly Stored[]> {
  return (await itemsUnder(table, recordKey(email).pk, PREFIX)).map((item) => itemShape.parse(item));
}

async function stored(table: Table): Promise<readonly Stored[]> {
  const query = { IndexName: "due", KeyConditionExpression: "dueShard = :shard",
    FilterExpression: "begins_with(sk, :prefix)",
    ExpressionAttributeValues: { ":shard": DUE_SHARD, ":prefix": PREFIX } };
  const found: Stored[] = [];
  for await (const items of queryPages(table, query)) {
    const keys = items.map((item) => keyShape.parse(item));
    for (let start = 0; start < keys.length; start += A_CALL) {
      const read = await readItems(table, keys.slice(start, start + A_CALL));
      // What the index still has may be gone.
      found.push(...read.flatMap((item) => (item === undefined ? [] : [itemShape.parse(item)])));
    }
  }
  return found;
}

function buyerOf({ pk }: Stored): string {
  return pk.slice(recordKey("").pk.length);
}

function messageIn({ body }: Stored): MessageOf<"ping" | "hint"> | null {
  try {
    const message = readMessage(body);
    return message.kind === "ping" || message.kind === "hint" ? message : null;
  } catch (error) {
    if (error instanceof RefusedError) return null;
    throw error;
  }
}

function unreadOf(item: Stored): Unread {
  const message = messageIn(item);
  const kept = { buyer: buyerOf(item), next: item.dueAt };
  if (message?.kind === "ping") {
    const { ping, misses, again, receivedAt } = message;
    const ids = [...("saleId" in ping ? [ping.saleId] : []),
      ...(ping.subscriptionId === null ? [] : [ping.subscriptionId])];
    return { ...kept, code: again ? "CONTRADICTED" : misses > 0 ? "SALE_NOT_FOUND" : "UNREAD", event: ping.event,
      source: sourceOfPing(ping), ids, since: receivedAt };
  }
  if (message?.kind === "hint") {
    const { saleId, subscriptionId, foundAt } = message;
    return { ...kept, code: "UNREAD", event: FOUND, source: sourceOfRow({ id: saleId ?? "", subscriptionId }),
      ids: [saleId, subscriptionId].filter((id) => id !== null), since: foundAt };
  }
  return { ...kept, code: "MESSAGE_INVALID", event: "unknown", source: null, ids: [], since: item.dueAt };
}

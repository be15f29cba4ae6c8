import * as z from "zod/mini";

import { sourceShape, type Fixed, type Source, type SourceId } from "../access/facts.ts";
import { mergeSource } from "../access/merge.ts";
import { RefusedError, TemporaryError } from "../errors.ts";
import { putItem, putVersion, queryPages, readItem, updatedItem, updateItem, type Item,
  type Table } from "../dynamo/table.ts";
import { DUE_SHARD, recordKey, sourceKey } from "./keys.ts";
import { newRecord, recordShape, summaryOf, type BuyerRecord } from "./record.ts";

/** One line of a buyer's history, as `explain` shows it. */
export interface HistoryEvent {
  /** Makes writing it twice harmless: the message's deduplication id. */
  readonly id: string;
  /** When the ping came in (epoch ms). */
  readonly receivedAt: number;
  readonly requestId: string;
  readonly source: SourceId;
  /** The ping as understood: Gumroad's event and its fields. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/**
 * The buyer records, in one DynamoDB table:
 *
 * | pk | sk | what |
 * |---|---|---|
 * | `buyer#EMAIL` | `record` | the buyer's facts, users and marks |
 * | `buyer#EMAIL` | `event#TIME#ID` | one line of history |
 * | `buyer#EMAIL` | `pending#ID` | what couldn't be read back yet, see pending.ts |
 * | `source#ID` | `source` | who owns a source, and facts that wait for its sale, or for a policy that names it |
 * | `source#ID` | `event#TIME#ID` | history from before it had an owner |
 * | `user#ID` | `givers` | which buyers' records give an Auth0 user what, see givers.ts |
 * | `giver#EMAIL` | `received#…`, `given#…` | the sides of gifts, see gifts.ts |
 *
 * Records and pending messages with a due time are in the sparse index `due`. The index `buyers` has all by `sk`: so
 * the buyers by email, with their summaries. Every method throws TemporaryError LEDGER_UNREACHABLE.
 */
export type Ledger = ReturnType<typeof dynamoLedger>;

/** Two events about one source can be parked at once; the loser of the race reads again. */
const PARK_ATTEMPTS = 5;
/** A word of DynamoDB's own. */
const OWNER = { "#owner": "owner" };

const sourceItemShape = z.object({ owner: z._default(z.nullable(z.string()), null),
  waiting: z._default(z.nullable(sourceShape), null), version: z._default(z.number(), 0),
  wasMoved: z.optional(z.boolean()) });
/** What a source's own item holds: its owner, and facts that wait for one, or for a place in its record. */
export type SourceItem = Fixed<Pick<z.infer<typeof sourceItemShape>, "owner" | "waiting" | "wasMoved">>;

const dueShape = z.pipe(z.object({ pk: z.string(), dueAt: z.number() }),
  z.transform(({ pk, dueAt }) => ({ email: pk.slice("buyer#".length), dueAt })));

/** A buyer's record as it is now, or an empty one of version 0: all that a login needs of the ledger. */
export async function loadRecord(table: Table, email: string): Promise<BuyerRecord> {
  const item = await readItem(table, recordKey(email));
  return item === undefined ? newRecord(email) : recordShape.parse(item["record"]);
}

/** Who owns a source, or null. */
export async function loadOwner(table: Table, id: SourceId): Promise<string | null> {
  return sourceItem(await readItem(table, sourceKey(id))).owner;
}

/** The ledger in the ledger's table. */
export function dynamoLedger(table: Table) {
  /** Writes the record on the version read, and gives it with its new one. Throws RECORD_CHANGED if that is gone. */
  async function save(record: BuyerRecord): Promise<BuyerRecord> {
    const written: BuyerRecord = { ...record, version: record.version + 1 };
    const due = written.dueAt === null ? {} : { dueShard: DUE_SHARD, dueAt: written.dueAt };
    const item = { ...recordKey(record.email), version: written.version, record: written, ...summaryOf(written),
      ...due };
    if (await putVersion(table, item, record.version)) return written;
    throw new TemporaryError("RECORD_CHANGED", "Somebody else wrote this buyer's record first.");
  }

  /** Makes the buyer the source's owner unless it has one, and tells who owns it and what waited. */
  async function claim(id: SourceId, email: string): Promise<SourceItem> {
    const change = "SET #owner = if_not_exists(#owner, :email)";
    return sourceItem(await updatedItem(table, sourceKey(id), change, { names: OWNER, values: { ":email": email } }));
  }

  /**
   * Keeps facts on a source's own item: of one that nobody owns yet, or that `owner` does and whose record need not
   * hold them. If anybody else owns it, keeps nothing and tells who.
   */
  async function park(id: SourceId, facts: Source, owner?: string): Promise<SourceItem> {
    for (let attempt = 1; attempt <= PARK_ATTEMPTS; attempt += 1) {
      const item = sourceItem(await readItem(table, sourceKey(id)));
      if (item.owner !== null && item.owner !== owner) return item;
      const waiting = mergeSource(item.waiting ?? facts, facts);
      const { version: read } = item;
      // Becoming owned doesn't count as a write.
      const isWritten = await updateItem(table, sourceKey(id), "SET waiting = :waiting, version = :next", {
        condition: `${read === 0 ? "attribute_not_exists(version)" : "version = :read"} AND ${
          item.owner === null ? "attribute_not_exists(#owner)" : "#owner = :owner"
        }`,
        names: OWNER,
        values: { ":waiting": waiting, ":next": read + 1, ":read": read === 0 ? undefined : read,
          ":owner": item.owner ?? undefined },
      });
      if (isWritten) return { ...item, waiting };
    }
    throw new TemporaryError("SOURCE_CHANGED", "Others keep writing this source's item.");
  }

  /** Makes another buyer the source's owner; twice is once. Throws SOURCE_NOT_OWNED if it is neither's. */
  async function move(id: SourceId, from: string, to: string): Promise<void> {
    const isMoved = await updateItem(table, sourceKey(id), "SET #owner = :to, wasMoved = :true", { names: OWNER,
      condition: "#owner = :from OR #owner = :to", values: { ":from": from, ":to": to, ":true": true } });
    if (!isMoved) throw new RefusedError("SOURCE_NOT_OWNED", `${id} belongs to neither of the two buyers.`);
  }

  /** Adds a line to the history of a buyer, or of a source that nobody has bought yet; the same line twice is one. */
  async function remember(subject: `buyer#${string}` | `source#${SourceId}`, event: HistoryEvent): Promise<void> {
    const sk = `event#${new Date(event.receivedAt).toISOString()}#${event.id}`;
    await putItem(table, { pk: subject, sk, ...event });
  }

  /** Buyers due by this moment (epoch ms), earliest first, page by page. */
  async function* due(now: number): AsyncIterable<readonly z.infer<typeof dueShape>[]> {
    const query = { IndexName: "due", KeyConditionExpression: "dueShard = :shard AND dueAt <= :now",
      ExpressionAttributeValues: { ":shard": DUE_SHARD, ":now": now } };
    for await (const items of queryPages(table, query)) yield items.map((item) => dueShape.parse(item));
  }

  return { load: (email: string) => loadRecord(table, email), save, claim, park,
    owner: (id: SourceId) => loadOwner(table, id), move, remember, due };
}

/** A source's own item as it was read; undefined: it has none. */
export function sourceItem(item: Item | undefined) {
  return sourceItemShape.parse(item ?? {});
}

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import * as z from "zod/mini";

import { isSourceId, sourceIdShape, type Source, type SourceId, type Sources } from "../../src/access/facts.ts";
import { queryPages, readItem, readItems, removeItem, type Item, type ItemKey } from "../../src/dynamo/table.ts";
import { ledgerTable, recordKey, sourceKey } from "../../src/ledger/keys.ts";
import { loadOwner, sourceItem, type HistoryEvent } from "../../src/ledger/ledger.ts";
import { heldKey } from "../../src/ledger/losses.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import { scanPages } from "./scan.ts";

/** A buyer with what in the ledger belongs to them. */
export interface BuyerTraces {
  /** Normalized. */
  readonly email: string;
  /** The sources whose owner they are. */
  readonly sources: readonly SourceId[];
  /** The products of which removals may be held. */
  readonly products: readonly string[];
  /** Gifts they received: each is noted under its giver, too. */
  readonly received: readonly { readonly giver: string; readonly saleId: string }[];
}

/** A source's own item, with the lines from before anybody bought it. */
export interface SourceTraces {
  readonly owner: string | null;
  /** Facts that wait for its sale. */
  readonly waiting: Source | null;
  readonly events: readonly HistoryEvent[];
}

/**
 * A buyer's history as it stands in the ledger, for the command line: see the table in ledger.ts. Every method throws
 * TemporaryError LEDGER_UNREACHABLE.
 */
export interface History {
  /** The lines of a buyer's history, oldest first. */
  of(email: string): Promise<readonly HistoryEvent[]>;
  /** What is kept apart of a buyer's record, see apart.ts: of the sources that their history names. */
  apartFrom(record: BuyerRecord, events: readonly HistoryEvent[]): Promise<Sources>;
  /** What is known of a source apart from its owner's record. */
  ofSource(id: SourceId): Promise<SourceTraces>;
  /**
   * What was told of this email's purchases before anybody told of their sale, oldest first. Reads the whole table.
   */
  unsoldOf(email: string): Promise<readonly HistoryEvent[]>;
  /**
   * Deletes the record, the history and everything else of a buyer. Gives the number of items; again, it finds none.
   */
  erase(buyer: BuyerTraces): Promise<number>;
}

/** Deletions at once. */
const AT_ONCE = 10;

const keyShape = z.object({ pk: z.string(), sk: z.string() });
const lineShape = z.object({ id: z.string(), receivedAt: z.number(), requestId: z.string(), source: sourceIdShape,
  detail: z.record(z.string(), z.unknown()) });

/** The histories on a DynamoDB table. */
export function dynamoHistory(client: DynamoDBClient, name: string): History {
  const table = ledgerTable(client, name);

  async function itemsOf(pk: string, keysOnly = false): Promise<readonly Item[]> {
    const items: Item[] = [];
    const wanted = keysOnly ? { ProjectionExpression: "pk, sk" } : {};
    const query = { KeyConditionExpression: "pk = :pk", ExpressionAttributeValues: { ":pk": pk }, ConsistentRead: true,
      ...wanted };
    for await (const page of queryPages(table, query)) items.push(...page);
    return items;
  }

  async function keysOf(pk: string): Promise<readonly ItemKey[]> {
    return (await itemsOf(pk, true)).map((item) => keyShape.parse(item));
  }

  async function isThere(key: ItemKey): Promise<boolean> {
    return (await readItem(table, key)) !== undefined;
  }

  async function isOwned(id: SourceId): Promise<boolean> {
    return (await loadOwner(table, id)) !== null;
  }

  return { of: async (email) => (await itemsOf(recordKey(email).pk)).flatMap(eventOf),
    apartFrom: async ({ email, sources }, events) => {
      const ids = [...new Set(events.map(({ source }) => source))].filter((id) => sources[id] === undefined);
      const found: Record<SourceId, Source> = {};
      for (let start = 0; start < ids.length; start += AT_ONCE) {
        const some = ids.slice(start, start + AT_ONCE);
        for (const [index, item] of (await readItems(table, some.map(sourceKey))).entries()) {
          const [id, { owner, waiting }] = [some[index], sourceItem(item)];
          if (id !== undefined && owner === email && waiting !== null) found[id] = waiting;
        }
      }
      return found;
    }, ofSource: async (id) => {
      const items = await itemsOf(sourceKey(id).pk);
      const { owner, waiting } = sourceItem(items.find((item) => item["sk"] === sourceKey(id).sk));
      return { owner, waiting, events: items.flatMap(eventOf) };
    }, unsoldOf: async (email) => {
      const lines: HistoryEvent[] = [];
      const scan = {
        FilterExpression: "begins_with(pk, :source) AND begins_with(sk, :event) AND #detail.#email = :email",
        ExpressionAttributeNames: { "#detail": "detail", "#email": "email" },
        ExpressionAttributeValues: { ":source": "source#", ":event": "event#", ":email": email },
      };
      for await (const items of scanPages(table, scan)) {
        lines.push(...items.flatMap(eventOf));
      }
      // The lines stay with a source once it is sold, too.
      const owned = await Promise.all(lines.map(({ source }) => isOwned(source)));
      return lines.filter((_, index) => owned[index] === false).sort((a, b) => a.receivedAt - b.receivedAt);
    }, erase: async ({ email, sources, products, received }) => {
      const whole = await Promise.all(
        [recordKey(email).pk, `giver#${email}`, ...sources.map((id) => sourceKey(id).pk)].map(keysOf),
      );
      const single: readonly ItemKey[] = [
        ...products.map((product) => heldKey(product, email)),
        ...received.map(({ giver, saleId }) => ({ pk: `giver#${giver}`, sk: `received#${saleId}` })),
      ];
      const there = await Promise.all(single.map(isThere));
      // The record goes last: until then, whoever repeats this still finds what belongs to it.
      const keys = [...whole.flat(), ...single.filter((_, index) => there[index] === true)].sort((a, b) =>
        Number(a.sk === "record") - Number(b.sk === "record")
      );
      for (let start = 0; start < keys.length; start += AT_ONCE) {
        await Promise.all(keys.slice(start, start + AT_ONCE).map((key) => removeItem(table, key)));
      }
      return keys.length;
    } };
}

/** Lines sort by time, as their keys begin with it. Another item is none. */
function eventOf(item: Item): readonly HistoryEvent[] {
  const { sk } = keyShape.parse(item);
  if (!sk.startsWith("event#")) return [];
  const { source, ...line } = lineShape.parse(item);
  return isSourceId(source) ? [{ ...line, source }] : [];
}

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import * as z from "zod/mini";

import type { Source, SourceId } from "../access/facts.ts";
import { readItems, scanPage, type ItemKey } from "../dynamo/table.ts";
import { ledgerTable, recordKey, sourceKey } from "./keys.ts";
import { recordShape, type BuyerRecord } from "./record.ts";

/** A source that somebody owns. */
export interface OwnedSource {
  /** The owner's normalized email. */
  readonly buyer: string;
  /** What the owner's record knows of it; undefined if it isn't there (yet). */
  readonly known: Source | undefined;
  /** Whether the owner's record adopts roles from before, see `BuyerRecord`. */
  readonly adopts: boolean;
}

/** A part of the table, in no order. */
export interface RecordPage {
  readonly records: readonly BuyerRecord[];
  /** Records that can't be read: not written by this service, or by a newer one. */
  readonly broken: number;
  /** Where the next part begins; null after the last. */
  readonly next: ItemKey | null;
}

/**
 * Reads of many buyers at once, for sweeps. They may be a moment behind: what a sweep finds is only a hint. Both throw
 * TemporaryError LEDGER_UNREACHABLE.
 */
export type Survey = ReturnType<typeof dynamoSurvey>;

/** Records read in one call: at their greatest these are 10 MB, and an answer holds 16. */
const RECORDS_A_CALL = 25;
/** Items that one scan looks at, most of them lines of history. A part must be worked off well within a minute. */
const ITEMS_A_PART = 100;

const ownerShape = z.object({ owner: z.optional(z.string()) });
const recordItemShape = z.object({ record: recordShape });
const keyShape = z.object({ pk: z.string(), sk: z.string() });

/** The survey of the ledger on a DynamoDB table. `signal`, the invocation's deadline, ends every call. */
export function dynamoSurvey(client: DynamoDBClient, name: string, signal?: AbortSignal) {
  const table = ledgerTable(client, name, signal);

  async function recordsOf(buyers: readonly string[]): Promise<readonly BuyerRecord[]> {
    const records: BuyerRecord[] = [];
    for (let start = 0; start < buyers.length; start += RECORDS_A_CALL) {
      const keys = buyers.slice(start, start + RECORDS_A_CALL).map(recordKey);
      records.push(...(await readItems(table, keys, false)).flatMap(readable));
    }
    return records;
  }

  return {
    /** The owners of these sources (at most 100) and what they know of them. Sources that nobody owns are left out. */
    owned: async (ids: readonly SourceId[]): Promise<ReadonlyMap<SourceId, OwnedSource>> => {
      const distinct = [...new Set(ids)];
      const items = await readItems(table, distinct.map(sourceKey), false);
      const owners = distinct.flatMap((id, index) => {
        const { owner: buyer } = ownerShape.parse(items[index] ?? {});
        return buyer === undefined ? [] : [{ id, buyer }];
      });
      const records = new Map(
        (await recordsOf([...new Set(owners.map(({ buyer }) => buyer))])).map((record) => [record.email, record]),
      );
      return new Map(owners.map(({ id, buyer }) => {
        const record = records.get(buyer);
        return [id, { buyer, known: record?.sources[id], adopts: record?.adopts === true }];
      }));
    },
    /** A part of all records, after this place; `null` begins. */
    records: async (after: ItemKey | null): Promise<RecordPage> => {
      const { items, next } = await scanPage(table, { Limit: ITEMS_A_PART, FilterExpression: "sk = :record",
        ExpressionAttributeValues: { ":record": "record" },
        ...(after === null ? {} : { ExclusiveStartKey: { ...after } }) });
      const records = items.flatMap(readable);
      return { records, broken: items.length - records.length,
        next: next === undefined ? null : keyShape.parse(next) };
    },
  };
}

function readable(item: unknown): readonly BuyerRecord[] {
  const { data } = recordItemShape.safeParse(item);
  return data === undefined ? [] : [data.record];
}

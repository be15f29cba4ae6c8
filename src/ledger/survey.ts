import * as z from "zod/mini";

import { isSourceId, sourceShape, type Source, type SourceId } from "../access/facts.ts";
import { readItems, scanPage, type ItemKey, type Table } from "../dynamo/table.ts";
import { recordKey, sourceKey } from "./keys.ts";
import { sourceItem } from "./ledger.ts";
import { recordShape, type BuyerRecord } from "./record.ts";

/** A source that somebody owns. */
export interface OwnedSource {
  readonly buyer: string;
  /** What the owner's record knows of it, or else is kept apart; undefined if neither does (yet). */
  readonly known: Source | undefined;
  readonly record: BuyerRecord | undefined;
}

/** Reads of many buyers for sweeps; they may be a moment behind. Both throw TemporaryError LEDGER_UNREACHABLE. */
export type Survey = ReturnType<typeof dynamoSurvey>;

/** Records read in one call: at their greatest these are 10 MB, and an answer holds 16. */
const RECORDS_A_CALL = 25;
/** Items that one scan looks at, most of them lines of history. A part must be worked off well within a minute. */
const ITEMS_A_PART = 100;

const apartShape = z.object({ pk: z.string(), waiting: sourceShape });
const recordItemShape = z.object({ record: recordShape });
const keyShape = z.object({ pk: z.string(), sk: z.string() });

/** The records of many buyers; who has none, or one that can't be read, is left out. */
export async function recordsOf(table: Table, buyers: readonly string[]): Promise<readonly BuyerRecord[]> {
  const records: BuyerRecord[] = [];
  for (let start = 0; start < buyers.length; start += RECORDS_A_CALL) {
    const keys = buyers.slice(start, start + RECORDS_A_CALL).map(recordKey);
    records.push(...(await readItems(table, keys, false)).flatMap(readable));
  }
  return records;
}

/** The survey on the ledger's table. */
export function dynamoSurvey(table: Table) {
  return {
    /** The owners of these sources (at most 100) and what they know of them. Sources that nobody owns are left out. */
    owned: async (ids: readonly SourceId[]): Promise<ReadonlyMap<SourceId, OwnedSource>> => {
      const distinct = [...new Set(ids)];
      const items = await readItems(table, distinct.map(sourceKey), false);
      const owners = distinct.flatMap((id, index) => {
        const { owner: buyer, waiting } = sourceItem(items[index]);
        return buyer === null ? [] : [{ id, buyer, waiting }];
      });
      const buyers = [...new Set(owners.map(({ buyer }) => buyer))];
      const records = new Map((await recordsOf(table, buyers)).map((record) => [record.email, record]));
      return new Map(owners.map(({ id, buyer, waiting }) => {
        const record = records.get(buyer);
        return [id, { buyer, known: record?.sources[id] ?? waiting ?? undefined, record }];
      }));
    },
    /**
     * A part of all records in no order, after this place (`null` begins, and ends as `next`); `broken` can't be read.
     * `apart`: owned sources of which facts are kept on their own item, whether the owner's record has them or not.
     */
    records: async (after: ItemKey | null) => {
      const { items, next } = await scanPage(table, { Limit: ITEMS_A_PART,
        FilterExpression: "sk = :record OR (attribute_exists(#owner) AND attribute_exists(waiting))",
        ExpressionAttributeNames: { "#owner": "owner" }, ExpressionAttributeValues: { ":record": "record" },
        ...(after === null ? {} : { ExclusiveStartKey: { ...after } }) });
      const apart = items.flatMap(readableApart);
      const records = items.flatMap(readable);
      return { records, apart, broken: items.length - apart.length - records.length,
        next: next === undefined ? null : keyShape.parse(next) };
    },
  };
}

function readableApart(item: unknown) {
  const { data } = apartShape.safeParse(item);
  const id = data?.pk.slice("source#".length) ?? "";
  return data !== undefined && isSourceId(id) ? [{ id, facts: data.waiting }] : [];
}

function readable(item: unknown): readonly BuyerRecord[] {
  const { data } = recordItemShape.safeParse(item);
  return data === undefined ? [] : [data.record];
}

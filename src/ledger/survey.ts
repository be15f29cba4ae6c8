import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { BatchGetCommand, ScanCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";

import type { Source, SourceId } from "../access/facts.ts";
import { TemporaryError } from "../errors.ts";
import { documentsOf } from "./documents.ts";
import { recordKey, sourceKey, type ItemKey } from "./keys.ts";
import { reached } from "./reached.ts";
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
export interface Survey {
  /** The owners of these sources (at most 100) and what they know of them. Sources that nobody owns are left out. */
  owned(ids: readonly SourceId[]): Promise<ReadonlyMap<SourceId, OwnedSource>>;
  /** A part of all records, after this place; `null` begins. */
  records(after: ItemKey | null): Promise<RecordPage>;
}

/** Records read in one call: at their greatest these are 10 MB, and an answer holds 16. */
const RECORDS_A_CALL = 25;
/** Items that one scan looks at, most of them lines of history. A part must be worked off well within a minute. */
const ITEMS_A_PART = 100;
/** DynamoDB leaves keys out of an answer when it is busy. */
const ATTEMPTS = 3;

const ownerShape = z.object({ pk: z.string(), owner: z.optional(z.string()) });
const recordItemShape = z.object({ record: recordShape });
const keyShape = z.object({ pk: z.string(), sk: z.string() });

/** The survey of the ledger on a DynamoDB table. `signal`, the invocation's deadline, ends every call. */
export function dynamoSurvey(client: DynamoDBClient, table: string, signal?: AbortSignal): Survey {
  const documents = documentsOf(client);
  const until = signal === undefined ? {} : { abortSignal: signal };

  async function itemsAt(keys: readonly ItemKey[]): Promise<readonly Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = [];
    let left: Record<string, unknown>[] = keys.map((key) => ({ ...key }));
    for (let attempt = 1; left.length > 0; attempt += 1) {
      if (attempt > ATTEMPTS) {
        throw new TemporaryError("LEDGER_UNREACHABLE", "The ledger's table is too busy to be read.");
      }
      const { Responses, UnprocessedKeys } = await reached(
        documents.send(new BatchGetCommand({ RequestItems: { [table]: { Keys: left } } }), until),
      );
      items.push(...(Responses?.[table] ?? []));
      left = UnprocessedKeys?.[table]?.Keys ?? [];
    }
    return items;
  }

  async function owned(ids: readonly SourceId[]): Promise<ReadonlyMap<SourceId, OwnedSource>> {
    const distinct = [...new Set(ids)];
    const ownerAt = new Map(
      (await itemsAt(distinct.map(sourceKey))).map((item) => ownerShape.parse(item)).map((
        { pk, owner },
      ) => [pk, owner]),
    );
    const sources = new Map<string, SourceId[]>();
    for (const id of distinct) {
      const owner = ownerAt.get(sourceKey(id).pk);
      if (owner !== undefined) sources.set(owner, [...(sources.get(owner) ?? []), id]);
    }

    const found = new Map<SourceId, OwnedSource>();
    const buyers = [...sources.keys()];
    for (let start = 0; start < buyers.length; start += RECORDS_A_CALL) {
      const some = buyers.slice(start, start + RECORDS_A_CALL);
      const records = (await itemsAt(some.map(recordKey))).flatMap((item) =>
        recordItemShape.safeParse(item).data?.record ?? []
      );
      for (const buyer of some) {
        const record = records.find(({ email }) => email === buyer);
        for (const id of sources.get(buyer) ?? []) {
          found.set(id, { buyer, known: record?.sources[id], adopts: record?.adopts === true });
        }
      }
    }
    return found;
  }

  async function records(after: ItemKey | null): Promise<RecordPage> {
    const { Items = [], LastEvaluatedKey } = await reached(
      documents.send(
        new ScanCommand({
          TableName: table,
          Limit: ITEMS_A_PART,
          FilterExpression: "sk = :record",
          ExpressionAttributeValues: { ":record": "record" },
          ...(after === null ? {} : { ExclusiveStartKey: { ...after } }),
        }),
        until,
      ),
    );
    const readable = Items.flatMap((item) => recordItemShape.safeParse(item).data?.record ?? []);
    return { records: readable, broken: Items.length - readable.length,
      next: LastEvaluatedKey === undefined ? null : keyShape.parse(LastEvaluatedKey) };
  }

  return { owned, records };
}

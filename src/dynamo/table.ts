import { ConditionalCheckFailedException, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { BatchGetCommand, DeleteCommand, DynamoDBDocumentClient, GetCommand, paginateQuery, paginateScan, PutCommand,
  ScanCommand, UpdateCommand, type BatchGetCommandInput, type BatchGetCommandOutput, type QueryCommandInput,
  type ScanCommandInput } from "@aws-sdk/lib-dynamodb";

import { TemporaryError } from "../errors.ts";

/** Where an item is. */
export type ItemKey = { readonly pk: string; readonly sk: string };

/** An item as it comes from DynamoDB: to be parsed. */
export type Item = Readonly<Record<string, unknown>>;

/** A condition, and what an update or a condition names, in DynamoDB's words. */
interface Expression {
  readonly condition?: string;
  readonly names?: Record<string, string>;
  readonly values?: Record<string, unknown>;
}

/**
 * A table with the keys `pk` and `sk`. The calls below are functions, not methods, so that a bundle holds only the
 * commands that it sends. All of them throw TemporaryError with the table's own code when DynamoDB can't be had.
 */
export interface Table {
  readonly documents: DynamoDBDocumentClient;
  readonly name: string;
  /** The code of its errors: `LEDGER_UNREACHABLE`. */
  readonly code: string;
  /** Ends every call. */
  readonly until: { readonly abortSignal?: AbortSignal };
}

/** In so many places a scan of all goes on at once: a table that is paid by the call has as many parts at least. */
const PARTS = 4;
/** DynamoDB leaves keys out of an answer when it is busy. */
const READS = 3;

/** The table of this name. `signal`, the invocation's deadline, ends every call. */
export function tableOf(client: DynamoDBClient, name: string, code: string, signal?: AbortSignal): Table {
  // The SDK keeps these options on the client below, which is shared: they must be the same for all.
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  return { documents, name, code, until: signal === undefined ? {} : { abortSignal: signal } };
}

/** The item as it is now (a consistent read), or undefined. */
export async function readItem(table: Table, { pk, sk }: ItemKey): Promise<Item | undefined> {
  const command = new GetCommand({ TableName: table.name, Key: { pk, sk }, ConsistentRead: true });
  return (await reached(table, table.documents.send(command, table.until))).Item;
}

/** Several items (at most 100, all different) in one call, in the order of their keys. */
export async function readItems(table: Table, keys: readonly ItemKey[], ConsistentRead = true) {
  const { documents, name, until } = table;
  const found = new Map<string, Item>();
  let left: BatchGetCommandInput["RequestItems"] = {
    [name]: { Keys: keys.map(({ pk, sk }) => ({ pk, sk })), ConsistentRead },
  };
  for (let read = 0; keys.length > 0 && Object.keys(left ?? {}).length > 0; read += 1) {
    // What was not read must not look like what is not there.
    if (read === READS) throw new TemporaryError(table.code, `The table ${name} is too busy to be read as a whole.`);
    const answer: BatchGetCommandOutput = await reached(table,
      documents.send(new BatchGetCommand({ RequestItems: left }), until));
    for (const item of answer.Responses?.[name] ?? []) found.set(JSON.stringify([item["pk"], item["sk"]]), item);
    left = answer.UnprocessedKeys;
  }
  return keys.map(({ pk, sk }) => found.get(JSON.stringify([pk, sk])));
}

/** Writes the item; false if the condition did not hold. */
export function putItem(table: Table, item: ItemKey & Item, expression: Expression = {}): Promise<boolean> {
  return held(table, table.documents.send(new PutCommand({ Item: item, ...parts(table, expression) }), table.until));
}

/** Writes the item on the version that was read (0: none was there); false if somebody else wrote first. */
export function putVersion(table: Table, item: ItemKey & Item & { readonly version: number },
  read: number): Promise<boolean> {
  const isNew = { condition: "attribute_not_exists(pk)" };
  return putItem(table, item, read === 0 ? isNew : { condition: "version = :read", values: { ":read": read } });
}

/** Changes the item, which need not be there; false if the condition did not hold. */
export function updateItem(table: Table, { pk, sk }: ItemKey, change: string,
  expression: Expression): Promise<boolean> {
  const command = new UpdateCommand({ Key: { pk, sk }, UpdateExpression: change, ...parts(table, expression) });
  return held(table, table.documents.send(command, table.until));
}

/** Changes the item, and gives it as it is then. */
export async function updatedItem(table: Table, { pk, sk }: ItemKey, change: string,
  expression: Omit<Expression, "condition">): Promise<Item> {
  const command = new UpdateCommand({ Key: { pk, sk }, UpdateExpression: change, ReturnValues: "ALL_NEW",
    ...parts(table, expression) });
  return (await reached(table, table.documents.send(command, table.until))).Attributes ?? {};
}

/** Deletes the item, which need not be there. */
export async function removeItem(table: Table, { pk, sk }: ItemKey): Promise<void> {
  const command = new DeleteCommand({ TableName: table.name, Key: { pk, sk } });
  await reached(table, table.documents.send(command, table.until));
}

/** The pages of a query, one after the other. */
export async function* queryPages(table: Table,
  query: Omit<QueryCommandInput, "TableName">): AsyncGenerator<readonly Item[]> {
  const pages = paginateQuery({ client: table.documents }, { ...query, TableName: table.name }, table.until);
  try {
    for await (const { Items = [] } of pages) yield Items;
  } catch (error) {
    throw unreachable(table, error);
  }
}

/** All items under a `pk`, of those whose `sk` begins so, as they are now. */
export async function itemsUnder(table: Table, pk: string, prefix?: string): Promise<readonly Item[]> {
  // A key in a condition can't be empty.
  const query = { KeyConditionExpression: `pk = :pk${prefix === undefined ? "" : " AND begins_with(sk, :prefix)"}`,
    ExpressionAttributeValues: { ":pk": pk, ":prefix": prefix }, ConsistentRead: true };
  return (await Array.fromAsync(queryPages(table, query))).flat();
}

/** One page of a scan: at most 1 MB; `next` is where the following one begins. */
export async function scanPage(table: Table, scan: Omit<ScanCommandInput, "TableName">) {
  const command = new ScanCommand({ ...scan, TableName: table.name });
  const { Items, LastEvaluatedKey: next } = await reached(table, table.documents.send(command, table.until));
  const items: readonly Item[] = Items ?? [];
  return { items, next };
}

/** All that a scan finds. */
export async function scanned(table: Table, scan: Omit<ScanCommandInput, "TableName">): Promise<readonly Item[]> {
  const parts = Array.from({ length: PARTS }, (_, Segment) => {
    const part = { ...scan, TableName: table.name, Segment, TotalSegments: PARTS };
    return Array.fromAsync(paginateScan({ client: table.documents }, part, table.until));
  });
  return (await reached(table, Promise.all(parts))).flat().flatMap(({ Items }): readonly Item[] => Items ?? []);
}

function parts({ name }: Table, { condition, names, values }: Expression) {
  return { TableName: name, ConditionExpression: condition, ExpressionAttributeNames: names,
    ExpressionAttributeValues: values };
}

/** Whether a condition held. */
function held(table: Table, call: Promise<unknown>): Promise<boolean> {
  return reached(table, call.then(() => true, (error: unknown) => {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }));
}

/** Lets a call of one's own throw as all others do. */
export function reached<T>(table: Table, call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    throw unreachable(table, error);
  });
}

function unreachable({ code, name }: Table, cause: unknown): TemporaryError {
  return new TemporaryError(code, `The table ${name} could not be read or written.`, { cause });
}

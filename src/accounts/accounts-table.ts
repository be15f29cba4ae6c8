/**
 * The accounts table as this room uses it. One DynamoDB table, keys `pk` and `sk`, TTL attribute `expiresAt` (epoch
 * seconds):
 *
 * | pk | sk | what |
 * |---|---|---|
 * | `user#NAME` | `user` | the user and the password's hash |
 * | `user#NAME` | `host#ADDRESS` | an address this user logged in from, and the attempts made from there |
 * | `guesses#user#NAME` | `anywhere` | attempts on this user from all addresses they never logged in from |
 * | `guesses#user#NAME` | `network#NETWORK` | those of one network |
 * | `guesses#network#NETWORK` | `anybody` | attempts of one network on users who never logged in from there |
 *
 * Every write is one conditional write of one item, so nothing needs a transaction.
 */
import { ConditionalCheckFailedException, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { BatchGetCommand, DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand,
  UpdateCommand } from "@aws-sdk/lib-dynamodb";

import { TemporaryError } from "../errors.ts";

/** Where an item is. */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

/** A condition, or an update, in DynamoDB's words. */
export interface Expression {
  readonly condition?: string;
  readonly names?: Record<string, string>;
  readonly values?: Record<string, unknown>;
}

/** One table, item by item. Every method throws TemporaryError ACCOUNTS_UNREACHABLE when DynamoDB can't be had. */
export interface AccountsTable {
  /** The item as it is now (a consistent read), or undefined. */
  read(key: ItemKey): Promise<Record<string, unknown> | undefined>;
  /** Several different items as they are now, in one call and in the order of the keys. */
  readAll(keys: readonly ItemKey[]): Promise<(Record<string, unknown> | undefined)[]>;
  /** Writes the item; false if the condition did not hold. */
  put(item: ItemKey & Record<string, unknown>, expression?: Expression): Promise<boolean>;
  /** Changes the item; false if the condition did not hold. */
  update(key: ItemKey, change: string, expression: Expression): Promise<boolean>;
  remove(key: ItemKey): Promise<void>;
}

/** The table of this name over the AWS SDK. */
export function accountsTable(client: DynamoDBClient, table: string): AccountsTable {
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  const parts = ({ condition, names, values }: Expression) => ({
    TableName: table,
    ...(condition === undefined ? {} : { ConditionExpression: condition }),
    ...(names === undefined ? {} : { ExpressionAttributeNames: names }),
    ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
  });
  return {
    async read({ pk, sk }) {
      const { Item } = await reached(
        documents.send(new GetCommand({ TableName: table, Key: { pk, sk }, ConsistentRead: true })),
      );
      return Item;
    },
    async readAll(keys) {
      const { Responses = {}, UnprocessedKeys = {} } = await reached(
        documents.send(
          new BatchGetCommand({
            RequestItems: { [table]: { Keys: keys.map(({ pk, sk }) => ({ pk, sk })), ConsistentRead: true } },
          }),
        ),
      );
      // DynamoDB leaves some out when it is too busy: what was not read must not look like what is not there.
      if (Object.keys(UnprocessedKeys).length > 0) {
        throw new TemporaryError("ACCOUNTS_UNREACHABLE", "The accounts table could not be read as a whole.");
      }
      const items = Responses[table] ?? [];
      return keys.map(({ pk, sk }) => items.find((item) => item["pk"] === pk && item["sk"] === sk));
    },
    put: (item, expression = {}) => held(documents.send(new PutCommand({ Item: item, ...parts(expression) }))),
    update: ({ pk, sk }, change, expression) =>
      held(documents.send(new UpdateCommand({ Key: { pk, sk }, UpdateExpression: change, ...parts(expression) }))),
    async remove({ pk, sk }) {
      await reached(documents.send(new DeleteCommand({ TableName: table, Key: { pk, sk } })));
    },
  };
}

async function held(call: Promise<unknown>): Promise<boolean> {
  try {
    await reached(call);
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

async function reached<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) throw error;
    throw new TemporaryError("ACCOUNTS_UNREACHABLE", "The accounts table could not be read or written.", {
      cause: error,
    });
  }
}

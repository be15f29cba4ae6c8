/**
 * The accounts table as this room uses it. One DynamoDB table, TTL attribute `expiresAt` (epoch seconds):
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
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";

import { type Table, tableOf } from "../dynamo/table.ts";

/** The table of this name. Its calls throw TemporaryError ACCOUNTS_UNREACHABLE. */
export function accountsTable(client: DynamoDBClient, name: string): Table {
  return tableOf(client, name, "ACCOUNTS_UNREACHABLE");
}

import { createHash } from "node:crypto";

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import * as z from "zod/mini";

import { type ItemKey, putItem, readItem, type Table, tableOf, updateItem } from "../dynamo/table.ts";

/**
 * The accounts table, whose calls throw TemporaryError ACCOUNTS_UNREACHABLE. Its TTL is `expiresAt` (epoch seconds):
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
export function accountsTable(client: DynamoDBClient, name: string): Table {
  return tableOf(client, name, "ACCOUNTS_UNREACHABLE");
}

const userShape = z.object({
  /** In its stored form, see username.ts. */
  username: z.string(),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
  /** A PHC string, see password.ts. */
  passwordHash: z.string(),
  /** When the password was last changed (ISO 8601). Left out: never. */
  passwordSince: z.optional(z.string()),
  /** An operator's one-time code, as {@link hashOfCode}, and until when it is taken (epoch ms). */
  oneTime: z.optional(z.object({ hash: z.string(), until: z.number() })),
  /** The sources whose licence keys this user showed. Which of them give anything, their owners' records say. */
  claims: z.optional(z.set(z.string())),
});

/** A user as stored. */
export type User = Readonly<z.infer<typeof userShape>>;

/** The users in the accounts table. Every method throws TemporaryError ACCOUNTS_UNREACHABLE when it can't be had. */
export type Users = ReturnType<typeof createUsers>;

/** More than anybody buys; each costs two reads a token. */
const MOST_CLAIMS = 20;

/** Where a user is. */
export function userKey(username: string): ItemKey {
  return { pk: `user#${username}`, sk: "user" };
}

/** Since when the password is in force (ISO 8601). What logged in with another one is not renewed. */
export function passwordSinceOf({ passwordSince, createdAt }: User): string {
  return passwordSince ?? createdAt;
}

/** How an operator's code is stored. It has 128 random bits, so its hash needs no work, and no salt. */
export function hashOfCode(code: string): string {
  return createHash("sha256").update(code).digest("base64url");
}

/** The user of this name, or undefined: all that renewing a token needs. */
export async function findUser(table: Table, username: string): Promise<User | undefined> {
  const item = await readItem(table, userKey(username));
  return item === undefined ? undefined : userShape.parse(item);
}

/** Changes what a user claims. False: there is no such user, or they claim too many. */
export function noteClaims(table: Table, username: string, change: "ADD" | "DELETE",
  sources: readonly string[]): Promise<boolean> {
  const hasRoom = change === "ADD" ? " AND (attribute_not_exists(claims) OR size(claims) < :most)" : "";
  return updateItem(table, userKey(username), `${change} claims :sources`, {
    condition: `attribute_exists(pk)${hasRoom}`,
    values: { ":sources": new Set(sources), ":most": change === "ADD" ? MOST_CLAIMS : undefined },
  });
}

/** The users in the given table. */
export function createUsers(table: Table) {
  const find = (username: string) => findUser(table, username);

  /**
   * Adds a user. Of several at once for one name the first to arrive is kept, and everybody gets that one back:
   * a caller whose user is not the one returned has to check the password against it.
   */
  async function create(user: User): Promise<User> {
    const isFirst = await putItem(table, { ...userKey(user.username), ...user }, {
      condition: "attribute_not_exists(pk)",
    });
    return isFirst ? user : ((await find(user.username)) ?? create(user));
  }

  return {
    find,
    create,
    /**
     * Replaces the hash, unless another has replaced it since `user` was read. Whether the new one is stored now.
     * `since` (ISO 8601) for another password: it ends the logins of before, and a one-time code.
     */
    replaceHash: (user: User, passwordHash: string, since?: string): Promise<boolean> =>
      updateItem(table, userKey(user.username), since === undefined
        ? "SET passwordHash = :next"
        : "SET passwordHash = :next, passwordSince = :since REMOVE oneTime", {
        // The second half for a write that was repeated because its answer got lost.
        condition: "passwordHash = :seen OR passwordHash = :next",
        values: { ":next": passwordHash, ":seen": user.passwordHash,
          ...(since === undefined ? {} : { ":since": since }) },
      }),
  };
}

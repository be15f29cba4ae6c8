/** The users of the self-built login: who there is, and the hash of their password. */
import * as z from "zod/mini";

import { type ItemKey, putItem, readItem, type Table, updateItem } from "../dynamo/table.ts";

const userShape = z.object({
  /** In its stored form, see username.ts. */
  username: z.string(),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
  /** A PHC string, see password.ts. */
  passwordHash: z.string(),
});

/** A user as stored. */
export type User = Readonly<z.infer<typeof userShape>>;

/** The users in the accounts table. Every method throws TemporaryError ACCOUNTS_UNREACHABLE when it can't be had. */
export type Users = ReturnType<typeof createUsers>;

function keyOf(username: string): ItemKey {
  return { pk: `user#${username}`, sk: "user" };
}

/** The users in the given table. */
export function createUsers(table: Table) {
  async function find(username: string): Promise<User | undefined> {
    const item = await readItem(table, keyOf(username));
    return item === undefined ? undefined : userShape.parse(item);
  }

  /**
   * Adds a user. Of several at once for one name the first to arrive is kept, and everybody gets that one back:
   * a caller whose user is not the one returned has to check the password against it.
   */
  async function create(user: User): Promise<User> {
    const isFirst = await putItem(table, { ...keyOf(user.username), ...user }, {
      condition: "attribute_not_exists(pk)",
    });
    return isFirst ? user : ((await find(user.username)) ?? create(user));
  }

  return {
    find,
    create,
    /** Replaces the hash, unless another has replaced it since `user` was read. Whether the new one is stored now. */
    replaceHash: (user: User, passwordHash: string): Promise<boolean> =>
      updateItem(table, keyOf(user.username), "SET passwordHash = :next", {
        // The second half for a write that was repeated because its answer got lost.
        condition: "passwordHash = :seen OR passwordHash = :next",
        values: { ":next": passwordHash, ":seen": user.passwordHash },
      }),
  };
}

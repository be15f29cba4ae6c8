import * as z from "zod/mini";

import type { Fixed } from "../access/facts.ts";
import { readItem, scanned, updatedItem, updateItem, type Item, type Table } from "../dynamo/table.ts";
import { recordShape } from "./record.ts";

/** `ours`: what that record gave, or is about to give or take; no role that the user had before it came. */
const givenShape = z.object({ roles: z.array(z.string()), ours: z.array(z.string()), isCreated: z.boolean() });

/** What one buyer's record wants an Auth0 user to have. */
export type Given = Fixed<z.infer<typeof givenShape>>;

/**
 * Who gives an Auth0 user what, in items `user#ID`: once an address was changed, two buyers' records may be about one
 * user, who has what any of them gives. Every method throws TemporaryError LEDGER_UNREACHABLE.
 */
export type Givers = ReturnType<typeof dynamoGivers>;

const BY = "by ";
const UNTOLD = "attribute_exists(#record.#users.#id) AND attribute_not_exists(#record.#users.#id.told)";

/** The givers in the ledger's table. */
export function dynamoGivers(table: Table) {
  const keyOf = (userId: string) => ({ pk: `user#${userId}`, sk: "givers" });
  const names = (email: string) => ({ "#by": `${BY}${email}`, "#version": "version" });
  return {
    of: async (userId: string) => itemOf((await readItem(table, keyOf(userId))) ?? {}),
    /** Writes down what a buyer's record gives from now on; the item as it is then. */
    give: async (userId: string, email: string, given: Given) =>
      itemOf(
        await updatedItem(table, keyOf(userId), "SET #by = :given ADD #version :one", { names: names(email),
          values: { ":given": given, ":one": 1 } }),
      ),
    /** Writes down what records give that don't say so yet: of before there were such items. Scans all, until then. */
    giveUntold: async (userId: string, abortSignal: AbortSignal) => {
      for (const item of await scanned({ ...table, until: { abortSignal } }, { ConsistentRead: true,
        FilterExpression: UNTOLD,
        ExpressionAttributeNames: { "#record": "record", "#users": "users", "#id": userId } })) {
        const { email, users, gave } = recordShape.parse(item["record"]);
        const { roles = {}, origin } = users[userId] ?? {};
        const values = { ":one": 1,
          ":given": { roles: Object.values(gave).flat(), ours: Object.keys(roles), isCreated: origin === "created" } };
        const change = "SET #by = if_not_exists(#by, :given) ADD #version :one";
        await updateItem(table, keyOf(userId), change, { names: names(email), values });
      }
    },
    /** The buyer's record has nothing to do with the user any more. */
    leave: (userId: string, email: string): Promise<unknown> =>
      updateItem(table, keyOf(userId), "REMOVE #by ADD #version :one", { names: names(email), values: { ":one": 1 } }),
  };
}

/** Who gives an Auth0 user what, by the buyer's normalized email. */
export type UserItem = ReturnType<typeof itemOf>;

function itemOf(item: Item) {
  const givers = Object.entries(item).flatMap(([key, value]): [string, Given][] =>
    key.startsWith(BY) ? [[key.slice(BY.length), givenShape.parse(value)]] : []
  );
  return { version: Number(item["version"] ?? 0), givers: new Map(givers) };
}

import type { RolesClient } from "auth0/roles";
import type { UsersClient } from "auth0/users";
import * as z from "zod/mini";

import { NeedsPersonError } from "../errors.ts";
import { isGone, answerAs, type Call, type Until } from "./call.ts";

/** How often the role names may be listed again because one is missing. */
const RELIST_MS = 10_000;
/** Auth0's largest page. A user can have 50 roles, so one page holds them. */
const PAGE = 100;

const roleShape = z.object({ id: z.string(), name: z.string() });

/** The roles that are assigned to users. Role ids are listed once a process, and again when a name is missing. */
export function userRoles(users: UsersClient, roles: RolesClient, call: Call, now: () => number) {
  const roleIds = roleIdsOf((signal) =>
    call("list the roles", signal, async (until) => {
      const ids = new Map<string, string>();
      for await (const role of await roles.list({ per_page: PAGE }, until)) {
        const { id, name } = answerAs(roleShape, role);
        ids.set(name, id);
      }
      return ids;
    }), now);

  /** Changes a user's roles, those that exist; on 404 finds out whether the user or a role is gone. */
  async function changeRoles(what: string, userId: string, names: readonly string[], signal: AbortSignal,
    change: (ids: string[], until: Until) => PromiseLike<unknown>): Promise<boolean> {
    const { ids } = await roleIds.lookUp(names, signal);
    if (ids.length === 0 || !(await isGone(call(what, signal, (until) => change(ids, until))))) return true;
    const fields = { fields: "user_id" };
    if (await isGone(call("read a user", signal, (until) => users.get(userId, fields, until)))) return false;
    // The user is there, so a role's id is stale: it was deleted, and perhaps made anew.
    roleIds.forget();
    const fresh = await roleIds.lookUp(names, signal);
    if (fresh.ids.length > 0) await call(what, signal, (until) => change(fresh.ids, until));
    return true;
  }

  return {
    rolesOf: (userId: string, signal: AbortSignal): Promise<readonly string[]> =>
      call("list a user's roles", signal, async (until) => {
        const names: string[] = [];
        for await (const role of await users.roles.list(userId, { per_page: PAGE }, until)) {
          names.push(answerAs(roleShape, role).name);
        }
        return names.sort();
      }),
    /**
     * Gives roles; those the user has already do no harm. False if the user is gone.
     * @throws {NeedsPersonError} AUTH0_ROLE_MISSING, naming the role, once the others are given
     */
    assign: async (userId: string, names: readonly string[], signal: AbortSignal): Promise<boolean> => {
      const there = await changeRoles("assign roles", userId, names, signal,
        (ids, until) => users.roles.assign(userId, { roles: ids }, until));
      const { missing } = await roleIds.lookUp(names, signal);
      if (missing.length === 0) return there;
      const quoted = missing.map((name) => `"${name}"`).join(", ");
      throw new NeedsPersonError("AUTH0_ROLE_MISSING",
        `The Auth0 tenant lacks ${quoted}: create it there, or give it no more, by src/products.ts or a grant.`);
    },
    /** Takes roles away; those the user hasn't, or that no longer exist, do no harm. False if the user is gone. */
    remove: (userId: string, names: readonly string[], signal: AbortSignal): Promise<boolean> =>
      changeRoles("remove roles", userId, names, signal, (ids, until) =>
        users.roles.delete(userId, { roles: ids }, until)),
  };
}

function roleIdsOf(list: (signal: AbortSignal) => Promise<ReadonlyMap<string, string>>, now: () => number) {
  let listing: Promise<ReadonlyMap<string, string>> | undefined;
  let listedAt = 0;

  async function listed(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    try {
      return await list(signal);
    } catch (error) {
      listing = undefined;
      throw error;
    } finally {
      listedAt = now();
    }
  }

  /** The ids of the roles that there are, and the names of those that are missing. */
  async function lookUp(names: readonly string[],
    signal: AbortSignal): Promise<{ readonly ids: string[]; readonly missing: readonly string[] }> {
    const known = await (listing ??= listed(signal));
    const missing = names.filter((name) => !known.has(name));
    if (missing.length > 0 && now() - listedAt >= RELIST_MS) {
      listing = undefined;
      return lookUp(names, signal);
    }
    return { ids: names.flatMap((name) => known.get(name) ?? []), missing };
  }

  /** `forget` has them listed again: one of the ids turned out to be stale. */
  return { lookUp, forget: () => void (listing = undefined) };
}

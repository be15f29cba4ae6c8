import { isDeepStrictEqual } from "node:util";

import type { UserItem } from "../ledger/givers.ts";
import type { BoundUser, BuyerRecord } from "../ledger/record.ts";
import type { Provisioning } from "./context.ts";
import { marksOf, withMarks } from "./marks.ts";
import { placesOf } from "./places.ts";

/** Whether what a user's item says of this record is what it gives. */
export function isTold({ told }: BoundUser, roles: readonly string[]): boolean {
  return isDeepStrictEqual(told, roles);
}

/**
 * Calls Auth0 for every marked role, and tells which users are `gone`; `roles` are those that the record gives. Its
 * first failure is thrown when all is done that can be: a role that can't be given must not keep another.
 */
export async function applyMarks(record: BuyerRecord, roles: readonly string[], work: Provisioning) {
  const users: Record<string, BoundUser> = { ...record.users };
  const gone: string[] = [];
  const failures: unknown[] = [];
  for (const [userId, user] of Object.entries(record.users)) {
    const { add, remove } = marksOf(user);
    if (add.length + remove.length === 0 && isTold(user, roles)) continue;
    try {
      const applied = await applyTo(userId, user, record, roles, work);
      if (applied === null) gone.push(userId);
      else users[userId] = applied;
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return { record: { ...record, users }, gone };
}

/**
 * Makes a user have what all records about it give, as far as this one's marked roles go; again while others write the
 * user's item meanwhile, for they may want another thing: the last one to write has seen all. Null: the user is gone.
 */
async function applyTo(userId: string, bound: BoundUser, { email }: BuyerRecord, roles: readonly string[],
  work: Provisioning): Promise<BoundUser | null> {
  const { givers } = work.store;
  const user = bound.foreign.length === 0 ? bound : withoutOurs(bound, email, roles, await givers.of(userId));
  const isCreated = user.origin === "created";
  const { add, remove } = marksOf(user);
  // This record is from before there were items; others about this user may be, too.
  if (bound.told === undefined && (remove.length > 0 || (add.length > 0 && work.settings.place === "app_metadata"))) {
    await givers.giveUntold(userId, work.signal);
  }
  let item = await givers.give(userId, email, { roles, ours: Object.keys(user.roles), isCreated });
  for (;;) {
    const calls = callsFor(userId, user, item, work);
    const failures: unknown[] = [];
    for (const { isAfterAll, make } of calls) {
      // What can't be given in the new place is not taken from the old one.
      if (isAfterAll && failures.length > 0) continue;
      const isThere = await make().catch((error: unknown) => {
        failures.push(error);
        return true;
      });
      if (isThere) continue;
      await givers.leave(userId, email);
      return null;
    }
    if (failures.length > 0) throw failures[0];
    const latest = calls.length === 0 ? item : await givers.of(userId);
    if (latest.version === item.version) {
      // For a record that binds the user from now on: what is gone isn't ours any more.
      const given = [...item.givers.values()].flatMap((each) => each.roles);
      const ours = Object.keys(user.roles).filter((role) => user.roles[role] !== "removing" || given.includes(role));
      if (ours.length < Object.keys(user.roles).length) await givers.give(userId, email, { roles, ours, isCreated });
      return { ...user, told: roles };
    }
    item = latest;
  }
}

/**
 * What another record gives isn't foreign. It is given anew, as the other one may just be taking it; but what this
 * record gave with it, and gives no more, is to go.
 */
function withoutOurs(user: BoundUser, email: string, roles: readonly string[], { givers }: UserItem): BoundUser {
  const others = [...givers].flatMap(([giver, given]) => (giver === email ? [] : given.ours));
  const ours = user.foreign.filter((role) => others.includes(role));
  const gave = [givers.get(email)].flatMap((own) => [...(own?.roles ?? []), ...(own?.ours ?? [])]);
  const left = withMarks(user, ours.filter((role) => gave.includes(role)), "removing");
  return withMarks({ ...left, foreign: user.foreign.filter((role) => !ours.includes(role)) },
    ours.filter((role) => roles.includes(role)), "adding");
}

/** A call of Auth0; false if the user is gone. */
type Call = { readonly isAfterAll: boolean; readonly make: () => Promise<boolean> };

/** The calls for a user's marked roles, towards what anybody gives; to give comes first, so that there is no gap. */
function callsFor(userId: string, user: BoundUser, { givers }: UserItem, work: Provisioning): readonly Call[] {
  const { auth0, settings: { place }, signal } = work;
  const { add, remove } = marksOf(user);
  const touched = [...add, ...remove];
  if (touched.length === 0) return [];
  const given = [...givers.values()];
  const wanted = [...new Set(given.flatMap(({ roles }) => roles))];
  const kept = [...new Set(given.flatMap(({ roles, ours }) => roles.filter((role) => ours.includes(role))))].sort();
  const createdFor = [...givers].find(([, { isCreated }]) => isCreated)?.[0] ?? null;
  const left = placesOf(user).filter((known) => known !== place);
  // On the move the new place gets all, or what another record gives would be nowhere once this one has moved.
  const added = left.length > 0 ? kept : touched.filter((role) => wanted.includes(role)).sort();
  const removed = touched.filter((role) => !wanted.includes(role)).sort();

  const calls: Call[] = [];
  const call = (make: Call["make"], isAfterAll = false) => calls.push({ isAfterAll, make });
  // It is written whole: one call for all.
  if (place === "app_metadata") call(() => auth0.writeMetadataRoles(userId, createdFor, kept, signal));
  else {
    if (added.length > 0) call(() => auth0.assign(userId, added, signal));
    if (removed.length > 0) call(() => auth0.remove(userId, removed, signal));
  }
  if (left.includes("roles")) call(() => auth0.remove(userId, Object.keys(user.roles), signal), true);
  if (left.includes("app_metadata")) call(() => auth0.writeMetadataRoles(userId, createdFor, [], signal), true);
  return calls;
}

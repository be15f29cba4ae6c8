import type { BoundUser, BuyerRecord } from "../ledger/record.ts";
import type { Provisioning } from "./context.ts";
import { changesOf, type RoleChanges } from "./marks.ts";
import { placesOf } from "./places.ts";

/** A call of Auth0; false if the user is gone. */
type Call = () => Promise<boolean>;

/**
 * Calls Auth0 for every marked role, and tells which users are gone. Gives before it takes, so that a change of tier
 * never leaves a gap. Whatever can be done is done, for every user; only then the first failure is thrown: a role that
 * can't be given must not keep another from being taken.
 */
export async function applyMarks(record: BuyerRecord, work: Provisioning): Promise<readonly string[]> {
  const gone = new Set<string>();
  const failures: unknown[] = [];
  for (const change of changesOf(record)) {
    const user = record.users[change.userId];
    if (user === undefined) continue;
    const createdFor = user.origin === "created" ? record.email : null;
    const failed = await carryOut(change.userId, inPlace(change, user, createdFor, work), gone);
    failures.push(...failed);
    // What can't be given in the new place is not taken from the old one.
    if (failed.length === 0) {
      failures.push(...(await carryOut(change.userId, elsewhere(change, user, createdFor, work), gone)));
    }
  }
  if (failures.length > 0) throw failures[0];
  return [...gone];
}

async function carryOut(userId: string, calls: readonly Call[], gone: Set<string>): Promise<readonly unknown[]> {
  const failures: unknown[] = [];
  for (const call of calls) {
    if (gone.has(userId)) break;
    try {
      if (!(await call())) gone.add(userId);
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}

/** The calls for the place where roles are kept. `app_metadata` is written whole: one call for all. */
function inPlace({ userId, add, remove }: RoleChanges, { roles }: BoundUser, createdFor: string | null,
  { auth0, settings: { place }, signal }: Provisioning): readonly Call[] {
  if (place === "roles") {
    const give: Call = () => auth0.assign(userId, add, signal);
    const take: Call = () => auth0.remove(userId, remove, signal);
    return [...(add.length > 0 ? [give] : []), ...(remove.length > 0 ? [take] : [])];
  }
  const kept = Object.keys(roles).filter((role) => roles[role] !== "removing").sort();
  return [() => auth0.writeMetadataRoles(userId, createdFor, kept, signal)];
}

/** The calls for the place where roles were kept before the setting was changed, if the user is still being moved. */
function elsewhere({ userId }: RoleChanges, user: BoundUser, createdFor: string | null,
  { auth0, settings: { place }, signal }: Provisioning): readonly Call[] {
  return placesOf(user)
    .filter((left) => left !== place)
    .map(
      (left) => () => (left === "roles"
        ? auth0.remove(userId, Object.keys(user.roles), signal)
        : auth0.writeMetadataRoles(userId, createdFor, [], signal)),
    );
}

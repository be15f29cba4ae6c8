import type { RolesPlace } from "../access/roles-place.ts";
import { withoutField, type BoundUser, type BuyerRecord, type Mark } from "../ledger/record.ts";
import type { Provisioning } from "./context.ts";

/** Where a user's roles may be. */
export function placesOf({ places = ["roles"] }: BoundUser): readonly RolesPlace[] {
  return places;
}

/** Whether a user's roles are elsewhere than they should be, because the setting was changed since. */
export function mustMove(record: BuyerRecord, place: RolesPlace): boolean {
  return Object.values(record.users).some((user) => placesOf(user).some((known) => known !== place));
}

/**
 * The record with its users' roles on their way to where they should be: each is marked, to be given there, and taken
 * from where it was only after that. Going among Auth0's roles, what a user has there already is listed first, as when
 * one is bound: those are never removed.
 */
export async function onTheMove(record: BuyerRecord,
  { auth0, settings: { place }, signal }: Provisioning): Promise<BuyerRecord> {
  const users: Record<string, BoundUser> = {};
  for (const [userId, user] of Object.entries(record.users)) {
    const places = placesOf(user);
    if (places.includes(place)) {
      users[userId] = user;
      continue;
    }
    const foreign = place === "roles" && user.origin === "verified"
      ? await auth0.rolesOf(userId, signal)
      : user.foreign;
    const roles = Object.entries(user.roles).filter(([role]) => !foreign.includes(role)).map((
      [role, mark],
    ): [string, Mark] => [role, mark === "has" ? "adding" : mark]);
    users[userId] = { ...user, foreign, roles: Object.fromEntries(roles), places: [...places, place] };
  }
  return { ...record, users };
}

/** The record once its users' roles are in this place and nowhere else. */
export function allIn(record: BuyerRecord, place: RolesPlace): BuyerRecord {
  const users = Object.entries(record.users).map((
    [userId, user],
  ): [string, BoundUser] => [userId, place === "roles" ? withoutField(user, "places") : { ...user, places: [place] }]);
  return { ...record, users: Object.fromEntries(users) };
}

import type { BoundUser, BuyerRecord, Mark, RolesPlace } from "../ledger/record.ts";
import type { Provisioning } from "./context.ts";
import { mapUsers } from "./marks.ts";

/** Where a user's roles may be. */
export function placesOf({ places = ["roles"] }: BoundUser): readonly RolesPlace[] {
  return places;
}

/** Whether a user's roles are elsewhere than they should be, because the setting was changed since. */
export function mustMove(record: BuyerRecord, place: RolesPlace): boolean {
  return Object.values(record.users).some((user) => placesOf(user).some((known) => known !== place));
}

/**
 * The record with its users' roles on their way to where they should be: each is marked, given there first, then taken
 * from where it was. Roles that Auth0 already assigns the user are foreign, as when a user is bound: never removed.
 */
export async function onTheMove(record: BuyerRecord, { auth0, settings: { place }, signal }: Provisioning) {
  const users: Record<string, BoundUser> = {};
  for (const [userId, user] of Object.entries(record.users)) {
    const places = placesOf(user);
    users[userId] = user;
    if (places.includes(place)) continue;
    const isListed = place === "roles" && user.origin === "verified";
    const foreign = isListed ? await auth0.rolesOf(userId, signal) : user.foreign;
    const roles: Record<string, Mark> = {};
    for (const [role, mark] of Object.entries(user.roles)) {
      if (!foreign.includes(role)) roles[role] = mark === "has" ? "adding" : mark;
    }
    users[userId] = { ...user, foreign, roles, places: [...places, place] };
  }
  return { ...record, users };
}

/** The record once its users' roles are in this place and nowhere else. */
export function allIn(record: BuyerRecord, place: RolesPlace): BuyerRecord {
  return mapUsers(record, (user) => {
    const { places: _, ...assigned } = user;
    return place === "roles" ? assigned : { ...user, places: [place] };
  });
}

import type { RolesPlace } from "../src/ledger/record.ts";

/**
 * The scopes of the calls that `directory.ts` makes, and no more. Auth0 checks the scopes of a token, and a token
 * keeps those it was issued with.
 */
export const MANAGEMENT_SCOPES: readonly string[] = [
  "read:users", // look up by email, list a user's roles
  "create:users",
  "update:users", // assign and remove roles, mail a verification
  "read:roles", // role names, a user's roles
  "read:role_members", // a user's roles
  "create:role_members", // assign
  "delete:role_members", // remove
  "delete:sessions", // of a user whose password somebody else may have chosen
  "delete:refresh_tokens",
];

/** The scopes that the service needs where roles are kept in one place. In `app_metadata` it never asks for a role. */
export function scopesFor(place: RolesPlace): readonly string[] {
  return place === "roles" ? MANAGEMENT_SCOPES : MANAGEMENT_SCOPES.filter((scope) => !scope.includes(":role"));
}

/** The scopes that an operator's own application needs for setting a tenant up. The service's own has none of them. */
export const ADMIN_SCOPES: readonly string[] = [
  "read:roles",
  "create:roles",
  "read:connections",
  "update:connections",
  "read:client_grants",
  "update:client_grants",
  "delete:users", // what smoke made
];

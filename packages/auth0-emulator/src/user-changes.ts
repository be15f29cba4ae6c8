import { Refusal } from "./refusal.ts";
import type { UpdateUser } from "./requests.ts";
import { isOwnConnection, PROFILE_FIELDS } from "./user.ts";
import type { Connection, Metadata, Profile } from "./user.ts";

/** What a request says of the profile. */
export type ProfileChange = Readonly<Partial<Record<(typeof PROFILE_FIELDS)[number], string | null | undefined>>>;

/** What a request says that no connection of the emulated tenant knows. */
export type OtherIdentifiers = Pick<UpdateUser,
  "username" | "phone_number" | "phone_verified" | "verify_phone_number">;

/** The profile fields that a request names; `null` removes one. */
export function chosenProfile(request: ProfileChange): Profile {
  return Object.fromEntries(
    PROFILE_FIELDS.filter((field) => request[field] !== undefined).map((
      field,
    ) => [field, request[field] ?? undefined]),
  );
}

/** Merges a change of metadata. Root keys only: an object below one is replaced whole. An empty object clears all. */
export function mergedMetadata(stored: Metadata | undefined, patch: Metadata): Metadata | undefined {
  if (Object.keys(patch).length === 0) return undefined;
  return Object.fromEntries(Object.entries({ ...stored, ...patch }).filter(([, value]) => value !== null));
}

/** The emulated connections know their users by email only: no username, no telephone. */
export function refuseOtherIdentifiers(request: OtherIdentifiers): void {
  if (request.username !== undefined) {
    throw notSupported("Cannot set username for connection without requires_username");
  }
  for (const field of ["phone_number", "phone_verified", "verify_phone_number"] as const) {
    if (request[field] === undefined) continue;
    throw notSupported(`Cannot set ${field}: no connection of the tenant knows users by telephone.`);
  }
}

/** What the provider of a social user says, only that provider can change. */
export function refuseProviderFields(request: UpdateUser, connection: Connection): void {
  if (isOwnConnection(connection)) return;
  const refused = (["email", "email_verified", ...PROFILE_FIELDS] as const).filter((field) =>
    request[field] !== undefined
  );
  if (refused.length === 0) return;
  throw notSupported(
    `The following user attributes cannot be updated: ${refused.join(", ")}. The connection (${connection.name}) ` +
      "must either be a database connection (using the Auth0 store), a passwordless connection (email or sms) " +
      "or has " +
      "disabled 'Sync user profile attributes at each login'.",
  );
}

/** The 400 for a field that Auth0 needs here, though its description doesn't say so. */
export function missing(property: string): Refusal {
  return new Refusal(400, `Payload validation error: 'Missing required property: ${property}'.`, "invalid_body");
}

/** The 400 for what this user's connection can't do. */
export function notSupported(message: string): Refusal {
  return new Refusal(400, message, "operation_not_supported");
}

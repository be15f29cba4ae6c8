import { createHash } from "node:crypto";

import * as z from "zod/mini";

const shape = z.object({
  gumroad_auth0: z.object({ created_for: z.catch(z.optional(z.string()), undefined),
    roles: z.catch(z.optional(z.array(z.string())), undefined) }),
});

/**
 * What this service wrote into a user's `app_metadata`: whether we made the user for this email, and the roles kept
 * there, for plans without roles. Nobody writes there at sign-up; the tenant's people may: other shapes aren't ours.
 */
export function readOwnMetadata(appMetadata: unknown, email: string) {
  const { created_for: createdFor, roles = [] } = shape.safeParse(appMetadata).data?.gumroad_auth0 ?? {};
  return { createdByUs: createdFor === markFor(email), metadataRoles: roles };
}

/**
 * Our key for `app_metadata`, whole: Auth0 merges root keys only. `createdFor` is the email that we made the user for,
 * if we did; `roles` are left out where they are assigned.
 */
export function ownMetadata(createdFor: string | null, roles: readonly string[] | null) {
  return {
    gumroad_auth0: { ...(createdFor === null ? {} : { created_for: markFor(createdFor) }),
      ...(roles === null ? {} : { roles: [...roles] }) },
  };
}

/** The mark names whom for: an address that is changed later makes it nobody's mark. */
function markFor(email: string): string {
  return createHash("sha256").update(email).digest("hex");
}

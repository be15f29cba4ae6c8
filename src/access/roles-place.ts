/**
 * Where a user's roles are kept at Auth0: assigned, or for plans without roles in `app_metadata`, from where the
 * post-login Action takes them.
 */
export type RolesPlace = "roles" | "app_metadata";

/** The scopes that an operator's own application needs for what `tenant-admin.ts` does. The service's own has none of them, see scopes.ts. */
export const ADMIN_SCOPES: readonly string[] = [
  "read:roles",
  "create:roles",
  "read:connections",
  "update:connections",
  "read:client_grants",
  "update:client_grants",
  "delete:users", // what smoke made
];

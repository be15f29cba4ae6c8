/** What a service that finds, makes and gives roles to users needs: the default of the tenant's application. */
export const SERVICE_SCOPES: readonly string[] = [
  "read:users",
  "create:users",
  "update:users",
  "read:roles",
  "read:role_members",
  "create:role_members",
  "delete:role_members",
  "delete:sessions",
  "delete:refresh_tokens",
];

/** What an operator who sets a tenant up needs: the scopes of the second application. */
export const OPERATOR_SCOPES: readonly string[] = [
  "read:roles",
  "create:roles",
  "read:connections",
  "update:connections",
  "read:client_grants",
  "update:client_grants",
  "delete:users",
];

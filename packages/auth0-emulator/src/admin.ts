import { DEFAULT_CONNECTION } from "./options.ts";
import type { Role } from "./roles.ts";
import type { Tenant } from "./tenant.ts";
import type { Metadata, User } from "./user.ts";

/** A user that came by another way than the Management API. */
export interface NewUser {
  readonly email: string;
  /** Whether the email is verified. Default false: as after a sign-up. */
  readonly verified?: boolean;
  /** Default {@link DEFAULT_CONNECTION}; a name that the tenant doesn't have is added. */
  readonly connection?: string;
  /** Strategy of a connection that is added, e.g. `google-oauth2`. Default: the connection's name. */
  readonly provider?: string;
  /** The part of `user_id` after the provider's name. Default: a new one. */
  readonly ownId?: string;
  /** Names of roles they have; names that the tenant doesn't have are added. */
  readonly roles?: readonly string[];
  readonly app_metadata?: Metadata;
  readonly user_metadata?: Metadata;
}

/** A user as tests and `GET /_emulator/users` see them. */
export interface UserView {
  readonly user_id: string;
  readonly email: string | undefined;
  readonly email_verified: boolean;
  readonly connection: string;
  readonly provider: string;
  /** Names, sorted. */
  readonly roles: readonly string[];
  readonly app_metadata: Metadata;
  readonly user_metadata: Metadata;
}

/** What tests see of the tenant, and do to it behind the Management API's back. */
export interface TenantAdmin {
  users(): UserView[];
  /** Names of a user's roles, sorted; none for an unknown user. */
  rolesOf(userId: string): string[];
  /** Names of the roles of all users with this email, in any letter case; sorted. */
  rolesOfEmail(email: string): string[];
  /** As if somebody signed up, or an admin made a user. Throws a 409 if the connection has the email. */
  addUser(user: NewUser): UserView;
  /** As if an admin deleted a user. */
  removeUser(userId: string): void;
  /** As if the person followed the link in a verification mail. */
  verifyEmail(userId: string): void;
  /** As if an admin blocked a user. */
  block(userId: string): void;
  /** As if an admin gave roles, by name; names that the tenant doesn't have are added. */
  giveRoles(userId: string, names: readonly string[]): void;
  /** As if an admin took roles, by name. */
  takeRoles(userId: string, names: readonly string[]): void;
  /** As if an admin made a role. One that is made again after it was removed has another id. */
  addRole(name: string): Role;
  /** As if an admin deleted a role; everybody loses it. */
  removeRole(name: string): void;
}

/** The admin of the tenant that stands at the time of each call. */
export function tenantAdmin(tenant: () => Tenant): TenantAdmin {
  const view = (user: User): UserView => ({ user_id: user.id, email: user.email, email_verified: user.emailVerified,
    connection: user.connection.name, provider: user.connection.strategy, roles: rolesOf(user.id),
    app_metadata: structuredClone(user.appMetadata ?? {}), user_metadata: structuredClone(user.userMetadata ?? {}) });
  const users = (): UserView[] => tenant().users.all().map(view);
  const rolesOf = (userId: string): string[] => tenant().roles.of(userId).map(({ name }) => name);
  const giveRoles = (userId: string, names: readonly string[]): void => {
    const { users: known, roles } = tenant();
    roles.assign(known.byId(userId).id, names.map((name) => (roles.byName(name) ?? roles.create(name)).id));
  };

  return { users, rolesOf, rolesOfEmail(email) {
    const holders = users().filter((user) => user.email?.toLowerCase() === email.toLowerCase());
    return [...new Set(holders.flatMap(({ roles }) => roles))].sort();
  }, addUser(user) {
    const name = user.connection ?? DEFAULT_CONNECTION;
    const known = tenant().users;
    const added = known.add({
      connection: known.connection(name) ?? known.addConnection({ name, strategy: user.provider ?? strategyOf(name) }),
      email: user.email,
      emailVerified: user.verified ?? false,
      ownId: user.ownId,
      appMetadata: structuredClone(user.app_metadata),
      userMetadata: structuredClone(user.user_metadata),
    });
    giveRoles(added.id, user.roles ?? []);
    return view(added);
  }, removeUser(userId) {
    tenant().deleteUser(userId);
  }, verifyEmail(userId) {
    tenant().users.byId(userId).emailVerified = true;
  }, block(userId) {
    tenant().users.byId(userId).blocked = true;
  }, giveRoles, takeRoles(userId, names) {
    const { roles } = tenant();
    roles.remove(userId, names.flatMap((name) => roles.byName(name)?.id ?? []));
  }, addRole: (name) => tenant().roles.create(name), removeRole(name) {
    const role = tenant().roles.byName(name);
    if (role !== undefined) tenant().roles.delete(role.id);
  } };
}

/** Connections of a provider are mostly named after it; the default one is a database. */
function strategyOf(connection: string): string {
  return connection === DEFAULT_CONNECTION ? "auth0" : connection;
}

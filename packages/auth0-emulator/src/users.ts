import { requireGoodPassword } from "./password-policy.ts";
import { isPassword, storePassword } from "./passwords.ts";
import { Refusal } from "./refusal.ts";
import type { CreateUser, UpdateUser } from "./requests.ts";
import { chosenProfile, mergedMetadata, missing, notSupported, refuseOtherIdentifiers,
  refuseProviderFields } from "./user-changes.ts";
import { defaultProfile, isOwnConnection, newOwnId, storedEmail } from "./user.ts";
import type { Connection, Metadata, Profile, User } from "./user.ts";

/** What is kept of users. */
export interface UsersState {
  readonly connections: readonly Connection[];
  readonly users: readonly User[];
}

/** The users of the tenant, by the rules of Auth0. */
export class Users {
  readonly #now: () => number;
  readonly #connections = new Map<string, Connection>();
  readonly #users = new Map<string, User>();
  /** How often the sessions, or the refresh tokens, of a user were ended. */
  readonly #ended = new Map<string, number>();

  constructor(connections: readonly Connection[], now: () => number) {
    this.#now = now;
    for (const connection of connections) this.addConnection(connection);
  }

  /** Adds a connection, or replaces the one of that name, and returns it. */
  addConnection(connection: Connection): Connection {
    this.#connections.set(connection.name, connection);
    return connection;
  }

  /** All that is kept. */
  state(): UsersState {
    return { connections: this.connections(), users: this.all() };
  }

  /** Adds what another tenant kept. */
  restore({ connections, users }: UsersState): void {
    for (const connection of connections) this.addConnection(connection);
    for (const user of users) this.#users.set(user.id, user);
  }

  /** The connection of that name, if there is one. */
  connection(name: string): Connection | undefined {
    return this.#connections.get(name);
  }

  /** All connections, in the order they were added. */
  connections(): Connection[] {
    return [...this.#connections.values()];
  }

  /** All users, oldest first. */
  all(): User[] {
    return [...this.#users.values()];
  }

  /** Throws 404 `inexistent_user`. */
  byId(id: string): User {
    const user = this.#users.get(id);
    if (user === undefined) throw new Refusal(404, "The user does not exist.", "inexistent_user");
    return user;
  }

  /** Compares with what is stored, letter case included, as Auth0 does. */
  byEmail(email: string): User[] {
    return this.all().filter((user) => user.email === email);
  }

  /** Adds a user as the Management API does. Throws what it refuses. */
  create(request: CreateUser): User {
    const connection = this.#connections.get(request.connection);
    if (connection === undefined) throw new Refusal(400, "The connection does not exist.", "inexistent_connection");
    if (!isOwnConnection(connection)) {
      throw notSupported(
        `Users of ${connection.name} (${connection.strategy}) come from their provider and can't be created.`,
      );
    }
    refuseOtherIdentifiers(request);
    if (request.email === undefined) throw missing("email");
    if (connection.strategy === "auth0") {
      if (request.password === undefined) throw missing("password");
      requireGoodPassword(request.password);
    } else if (request.password !== undefined) {
      throw notSupported(`The connection ${connection.name} is passwordless.`);
    }
    return this.add({ connection, email: request.email, emailVerified: request.email_verified ?? false,
      ownId: request.user_id, profile: request, blocked: request.blocked, password: request.password,
      appMetadata: request.app_metadata, userMetadata: request.user_metadata });
  }

  /**
   * Adds a user by whatever way: sign-up, an import, a social login. Throws 409 when the connection has that email.
   */
  add(
    entry: { readonly connection: Connection; readonly email: string; readonly emailVerified: boolean;
      readonly ownId?: string | undefined; readonly profile?: Profile | undefined;
      readonly blocked?: boolean | undefined; readonly password?: string | undefined;
      readonly appMetadata?: Metadata | undefined; readonly userMetadata?: Metadata | undefined },
  ): User {
    const { connection } = entry;
    const email = storedEmail(entry.email, connection);
    const id = `${connection.strategy}|${entry.ownId ?? newOwnId(connection)}`;
    if (this.#users.has(id) || this.#emailTaken(email, connection)) {
      throw new Refusal(409, "The user already exists.", "auth0_idp_error");
    }
    const now = this.#now();
    const user: User = { id, connection, createdAt: now, updatedAt: now, email, emailVerified: entry.emailVerified,
      profile: { ...defaultProfile(email), ...chosenProfile(entry.profile ?? {}) }, blocked: entry.blocked,
      password: entry.password === undefined ? undefined : storePassword(entry.password), logins: undefined,
      appMetadata: entry.appMetadata, userMetadata: entry.userMetadata };
    this.#users.set(id, user);
    return user;
  }

  /**
   * Changes a user as the Management API does: metadata is merged by root keys, `null` removes. Throws what it
   * refuses.
   */
  update(id: string, request: UpdateUser): User {
    const user = this.byId(id);
    const { connection } = user;
    if (request.connection !== undefined && request.connection !== connection.name) {
      throw new Refusal(400, "The specified connection is not one of the user's.", "invalid_connection");
    }
    refuseOtherIdentifiers(request);
    refuseProviderFields(request, connection);
    if (request.password !== undefined) {
      if (connection.strategy !== "auth0") {
        throw notSupported(`Cannot update password for non-database user (${connection.name})`);
      }
      if (request.email !== undefined) throw notSupported("Cannot update password and email simultaneously");
      if (request.email_verified !== undefined) {
        throw notSupported("Cannot update password and email_verified simultaneously");
      }
      requireGoodPassword(request.password ?? "");
      user.password = storePassword(request.password ?? "");
    }
    if (request.email !== undefined) this.#changeEmail(user, request.email);
    if (request.email_verified !== undefined) user.emailVerified = request.email_verified;
    if (request.blocked !== undefined) user.blocked = request.blocked;
    user.profile = { ...user.profile, ...chosenProfile(request) };
    if (request.app_metadata !== undefined) user.appMetadata = mergedMetadata(user.appMetadata, request.app_metadata);
    if (request.user_metadata !== undefined) {
      user.userMetadata = mergedMetadata(user.userMetadata, request.user_metadata);
    }
    user.updatedAt = this.#now();
    return user;
  }

  /** The database user with this email and password; undefined where there is none. */
  byPassword(email: string, password: string): User | undefined {
    return this.byEmail(email.toLowerCase()).find((user) =>
      user.connection.strategy === "auth0" && isPassword(user.password, password)
    );
  }

  /** Counts a login. */
  loggedIn(user: User): void {
    user.logins = { count: (user.logins?.count ?? 0) + 1, lastAt: this.#now() };
  }

  /** Ends all sessions, or all refresh tokens, of a user. Throws 404 `inexistent_user`. */
  endLogins(id: string, kind: "Session" | "RefreshToken"): void {
    this.#ended.set(`${kind} ${this.byId(id).id}`, this.loginAge(kind, id) + 1);
  }

  /** Counts how often that was done: what is of an earlier age is no longer valid. */
  loginAge(kind: string, id: string): number {
    return this.#ended.get(`${kind} ${id}`) ?? 0;
  }

  /** Removes a user. Unknown ids are no error, as with Auth0. */
  delete(id: string): void {
    this.#users.delete(id);
  }

  #changeEmail(user: User, email: string | null): void {
    if (email === null) throw notSupported("The email of a user who signs in with it cannot be removed.");
    const stored = storedEmail(email, user.connection);
    if (stored === user.email) return;
    if (this.#emailTaken(stored, user.connection)) {
      throw new Refusal(400, "The specified new email already exists", "auth0_idp_error");
    }
    user.email = stored;
    user.emailVerified = false;
  }

  #emailTaken(email: string, connection: Connection): boolean {
    return this.all().some((user) => user.email === email && user.connection.name === connection.name);
  }
}

import { createHash, randomBytes, randomInt } from "node:crypto";

import type { StoredPassword } from "./passwords.ts";

/**
 * Where users of one kind live. `auth0` is a database, `email` a passwordless connection, all others are somebody
 * else's.
 */
export interface Connection {
  readonly name: string;
  /** `auth0`, `email`, `google-oauth2`, …: also the first part of its users' ids. */
  readonly strategy: string;
}

/** Free-form data that Auth0 keeps with a user. */
export type Metadata = Readonly<Record<string, unknown>>;

/** A user of the tenant, as kept. Times are in milliseconds. */
export interface User {
  readonly id: string;
  readonly connection: Connection;
  readonly createdAt: number;
  updatedAt: number;
  email: string | undefined;
  emailVerified: boolean;
  profile: Profile;
  blocked: boolean | undefined;
  /** Of a database user, once one was set. */
  password: StoredPassword | undefined;
  /** How often they logged in, and when last (ms); undefined: never. */
  logins: { readonly count: number; readonly lastAt: number } | undefined;
  appMetadata: Metadata | undefined;
  userMetadata: Metadata | undefined;
}

/** What a person says of themselves. */
export interface Profile {
  readonly name?: string | undefined;
  readonly nickname?: string | undefined;
  readonly picture?: string | undefined;
  readonly given_name?: string | undefined;
  readonly family_name?: string | undefined;
}

/** The fields of a profile. */
export const PROFILE_FIELDS = ["name", "nickname", "picture", "given_name", "family_name"] as const;

const OWN_STRATEGIES = new Set(["auth0", "email"]);

/** Whether Auth0 itself keeps a connection's users: only these can be created, and have their emails in lower case. */
export function isOwnConnection({ strategy }: Connection): boolean {
  return OWN_STRATEGIES.has(strategy);
}

/** A new id as the connection's provider would make one, without the provider's name. */
export function newOwnId(connection: Connection): string {
  if (connection.strategy !== "google-oauth2") return randomBytes(12).toString("hex");
  return `1${Array.from({ length: 20 }, () => String(randomInt(10))).join("")}`;
}

/** An email as the connection stores it. */
export function storedEmail(email: string, connection: Connection): string {
  return isOwnConnection(connection) ? email.toLowerCase() : email;
}

/** The profile of somebody who said nothing of themselves. */
export function defaultProfile(email: string): Profile {
  const hash = createHash("md5").update(email.toLowerCase()).digest("hex");
  return { name: email, nickname: email.slice(0, email.indexOf("@")),
    picture:
      `https://s.gravatar.com/avatar/${hash}?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2Fdefault.png` };
}

/** A user as the Management API shows one. Metadata that was never set is left out, as Auth0 does. */
export function userAnswer(user: User): Record<string, unknown> {
  const ownId = user.id.slice(user.id.indexOf("|") + 1);
  return withoutUndefined({ created_at: new Date(user.createdAt).toISOString(), email: user.email,
    email_verified: user.emailVerified, identities: [
      { connection: user.connection.name, provider: user.connection.strategy, user_id: ownId,
        isSocial: !isOwnConnection(user.connection) },
    ], ...user.profile, updated_at: new Date(user.updatedAt).toISOString(), user_id: user.id, blocked: user.blocked,
    last_login: user.logins === undefined ? undefined : new Date(user.logins.lastAt).toISOString(),
    logins_count: user.logins?.count, app_metadata: user.appMetadata, user_metadata: user.userMetadata });
}

function withoutUndefined(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

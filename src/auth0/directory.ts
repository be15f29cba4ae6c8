import { randomBytes } from "node:crypto";

import { JobsClient } from "auth0/jobs";
import { RolesClient } from "auth0/roles";
import { UsersClient } from "auth0/users";
import * as z from "zod/mini";

import type { Secret } from "../config/secret.ts";
import { NeedsPersonError } from "../errors.ts";
import { ownMetadata, readOwnMetadata } from "./app-metadata.ts";
import { failureOf, statusOf } from "./failures.ts";
import { mailInvitation } from "./invite.ts";
import { pacedFetch, type Fetch } from "./pacing.ts";
import type { Auth0Credentials } from "./secret.ts";
import { managementToken } from "./token.ts";

/** An Auth0 user with a buyer's email. */
export interface DirectoryUser {
  readonly id: string;
  readonly verified: boolean;
  /** Made by this service for this email: carries a mark in `app_metadata`, which nobody can forge at sign-up. */
  readonly createdByUs: boolean;
  /** The database connection that keeps its password; null for social and passwordless users. */
  readonly database: string | null;
  /** The roles that this service keeps in the user's `app_metadata`, for plans without roles. */
  readonly metadataRoles: readonly string[];
}

/**
 * The tenant's users and roles, as provisioning needs them. Every method takes the invocation's deadline and throws
 * TemporaryError AUTH0_UNREACHABLE, NeedsPersonError AUTH0_CREDENTIALS, AUTH0_SCOPE, AUTH0_REFUSED or
 * AUTH0_NOT_UNDERSTOOD, or what reading the secret throws.
 */
export interface Directory {
  /**
   * Every user with this email, in any connection. Auth0 compares letter for letter, so `spelling` is how it is looked
   * up. One call.
   */
  find(email: string, spelling: string, signal: AbortSignal): Promise<readonly DirectoryUser[]>;
  /**
   * Creates a user, without any mail; null if one exists there by now. With `metadataRoles`, these are in its
   * `app_metadata` at once. One call.
   */
  create(email: string, signal: AbortSignal, metadataRoles?: readonly string[]): Promise<DirectoryUser | null>;
  /** The names of a user's roles. One call. */
  rolesOf(userId: string, signal: AbortSignal): Promise<readonly string[]>;
  /**
   * Gives roles; those the user has already do no harm. False if the user is gone. One call.
   * @throws {NeedsPersonError} AUTH0_ROLE_MISSING, naming the role, once the others are given
   */
  assign(userId: string, roles: readonly string[], signal: AbortSignal): Promise<boolean>;
  /**
   * Takes roles away; those the user hasn't, or that no longer exist, do no harm. False if the user is gone. One call.
   */
  remove(userId: string, roles: readonly string[], signal: AbortSignal): Promise<boolean>;
  /**
   * Makes these, and no others, the roles in a user's `app_metadata`. `createdFor` is the email that we made the user
   * for, or null: the mark that says so stands beside the roles. False if the user is gone. One call.
   */
  writeMetadataRoles(userId: string, createdFor: string | null, roles: readonly string[],
    signal: AbortSignal): Promise<boolean>;
  /** Replaces a user's password by one that nobody knows. One call. */
  forgetPassword(user: DirectoryUser, email: string, signal: AbortSignal): Promise<void>;
  /** Has Auth0 mail a user the request to verify the email. One call. */
  mailVerification(userId: string, signal: AbortSignal): Promise<void>;
  /**
   * Has Auth0 mail the person with this email in a database connection (null: the one where users are created) a link
   * for choosing a password. No Management call.
   * @throws {TemporaryError} AUTH0_MAIL_THROTTLED if it surely wasn't sent
   */
  invite(email: string, database: string | null, signal: AbortSignal): Promise<void>;
}

const userShape = z.object({
  user_id: z.string(),
  email_verified: z.optional(z.boolean()),
  identities: z.optional(z.array(z.object({ provider: z.optional(z.string()), connection: z.optional(z.string()) }))),
  app_metadata: z.optional(z.unknown()),
});
const roleShape = z.object({ id: z.string(), name: z.string() });

/** Auth0's largest page. A user can have 50 roles, so one page holds them. */
const PAGE = 100;
/** How often the role names may be listed again because one is missing. */
const RELIST_MS = 10_000;
/** The SDK's own limit spans our waiting for the rate limit; the deadline's signal ends a call before this does. */
const SDK_TIMEOUT_S = 120;

/** What the directory needs; `fetch` and `now` (epoch ms) are the outside world. */
export interface DirectoryOptions {
  readonly secret: Secret<Auth0Credentials>;
  /** Creates users without a password, in the passwordless connection. */
  readonly passwordless?: boolean;
  readonly fetch?: Fetch;
  readonly now?: () => number;
  /** Told each time a call waits for the rate limit. */
  readonly onThrottled?: (group: string) => void;
}

/**
 * The directory of the tenant in the secret. Keep one for the process: it holds the token, the role ids and the
 * pacing.
 */
export function auth0Directory(
  { secret, passwordless = false, fetch: send = fetch, now = Date.now, onThrottled }: DirectoryOptions,
): Directory {
  const paced = pacedFetch({ fetch: send, now, ...(onThrottled === undefined ? {} : { onThrottled }) });
  const token = managementToken(secret, paced, now);
  // Sub-clients, not ManagementClient: it is eight times the size. Retrying is ours: the SDK repeats a POST after a
  // 502.
  const options = {
    baseUrl: async () => `${(await secret.get()).url}/api/v2`,
    token: () => token.get(),
    fetch: paced,
    maxRetries: 0,
    timeoutInSeconds: SDK_TIMEOUT_S,
  };
  const users = new UsersClient(options);
  const roles = new RolesClient(options);
  const jobs = new JobsClient(options);
  const roleIds = roleIdsOf(listRoles, now);

  /** Makes a call; with a refused token, or one that may lack a scope granted since, once more with a new one. */
  async function call<T>(signal: AbortSignal, make: () => PromiseLike<T>): Promise<T> {
    const used = await token.get(signal);
    try {
      return await make();
    } catch (error) {
      const status = statusOf(error);
      if (status === 401) token.refuse(used);
      else if (status !== 403 || !token.doubt(used)) throw error;
      return await make();
    }
  }

  async function listRoles(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const ids = new Map<string, string>();
    await answered("list the roles", async () => {
      const page = await call(signal, () => roles.list({ per_page: PAGE }, { abortSignal: signal }));
      for await (const role of page) {
        const { id, name } = understood(roleShape, role);
        ids.set(name, id);
      }
    });
    return ids;
  }

  /**
   * Carries out a change of a user's roles, of those that exist; on 404 finds out whether the user or a role is gone.
   */
  async function changeRoles(what: string, userId: string, names: readonly string[], signal: AbortSignal,
    change: (ids: readonly string[]) => PromiseLike<unknown>) {
    const { ids } = await roleIds.lookUp(names, signal);
    if (ids.length === 0) return true;
    try {
      await call(signal, () => change(ids));
      return true;
    } catch (error) {
      if (statusOf(error) !== 404) throw failureOf(error, what);
      if (!(await exists(userId, signal))) return false;
      // The user is there, so a role's id is stale: it was deleted, and perhaps made anew.
      roleIds.forget();
      const fresh = await roleIds.lookUp(names, signal);
      if (fresh.ids.length > 0) await answered(what, () => call(signal, () => change(fresh.ids)));
      return true;
    }
  }

  async function exists(userId: string, signal: AbortSignal): Promise<boolean> {
    try {
      await call(signal, () => users.get(userId, { fields: "user_id" }, { abortSignal: signal }));
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw failureOf(error, "read a user");
    }
  }

  return {
    find: async (email, spelling, signal) =>
      answered("look up users by email", async () => {
        const found = await call(signal, () => users.listUsersByEmail({ email: spelling }, { abortSignal: signal }));
        return found.map((user) => directoryUser(user, email));
      }),
    create: async (email, signal, metadataRoles) => {
      const { connection: database, passwordlessConnection } = await secret.get();
      const login = passwordless
        ? { connection: passwordlessConnection }
        : { connection: database, password: unusablePassword(email) };
      try {
        const body = { ...login, email, email_verified: false, verify_email: false,
          app_metadata: ownMetadata(email, metadataRoles ?? null) };
        return directoryUser(await call(signal, () => users.create(body, { abortSignal: signal })), email);
      } catch (error) {
        if (statusOf(error) === 409) return null;
        throw failureOf(error, "create a user");
      }
    },
    rolesOf: async (userId, signal) =>
      answered("list a user's roles", async () => {
        const page = await call(signal, () => users.roles.list(userId, { per_page: PAGE }, { abortSignal: signal }));
        const names: string[] = [];
        for await (const role of page) names.push(understood(roleShape, role).name);
        return names.sort();
      }),
    assign: async (userId, names, signal) => {
      const there = await changeRoles("assign roles", userId, names, signal,
        (ids) => users.roles.assign(userId, { roles: [...ids] }, { abortSignal: signal }));
      const { missing } = await roleIds.lookUp(names, signal);
      if (missing.length === 0) return there;
      const quoted = missing.map((name) => `"${name}"`).join(", ");
      throw new NeedsPersonError("AUTH0_ROLE_MISSING",
        `The policy gives ${quoted}, which the Auth0 tenant doesn't have: create it there, or mend src/products.ts.`);
    },
    remove: async (userId, names, signal) =>
      changeRoles("remove roles", userId, names, signal, (ids) =>
        users.roles.delete(userId, { roles: [...ids] }, { abortSignal: signal })),
    writeMetadataRoles: async (userId, createdFor, names, signal) => {
      try {
        await call(signal, () =>
          users.update(userId, { app_metadata: ownMetadata(createdFor, names) }, { abortSignal: signal }));
        return true;
      } catch (error) {
        if (statusOf(error) === 404) return false;
        throw failureOf(error, "write roles into a user's app_metadata");
      }
    },
    forgetPassword: async ({ id, database }, email, signal) => {
      if (database === null) return;
      const body = { connection: database, password: unusablePassword(email) };
      await answered("replace a password", () => call(signal, () => users.update(id, body, { abortSignal: signal })));
    },
    mailVerification: async (userId, signal) => {
      await answered("mail a verification",
        () => call(signal, () => jobs.verificationEmail.create({ user_id: userId }, { abortSignal: signal })));
    },
    invite: async (email, database, signal) => {
      const credentials = await secret.get();
      await mailInvitation(credentials, email, database ?? credentials.connection, send, signal);
    },
  };
}

/** Role ids by name: listed once a process, and again, at most every ten seconds, when a name is missing. */
function roleIdsOf(list: (signal: AbortSignal) => Promise<ReadonlyMap<string, string>>, now: () => number) {
  let listing: Promise<ReadonlyMap<string, string>> | undefined;
  let listedAt = 0;

  async function listed(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    if (listing === undefined) {
      const current = list(signal).then((ids) => {
        listedAt = now();
        return ids;
      });
      listing = current;
      current.catch(() => {
        if (listing === current) listing = undefined;
      });
    }
    return listing;
  }

  async function lookUp(names: readonly string[],
    signal: AbortSignal): Promise<{ readonly ids: readonly string[]; readonly missing: readonly string[] }> {
    const known = await listed(signal);
    const missing = names.filter((name) => !known.has(name));
    if (missing.length === 0 || now() - listedAt < RELIST_MS) {
      return { ids: names.flatMap((name) => known.get(name) ?? []), missing };
    }
    listing = undefined;
    return lookUp(names, signal);
  }

  return {
    lookUp,
    forget: () => {
      listing = undefined;
    },
  };
}

async function answered<T>(what: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    throw failureOf(error, what);
  }
}

function understood<T>(shape: z.ZodMiniType<T>, answer: unknown): T {
  const parsed = shape.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new NeedsPersonError("AUTH0_NOT_UNDERSTOOD",
    `Auth0's answer is not as it is documented, at "${parsed.error.issues[0]?.path.join(".") ?? ""}".`);
}

function directoryUser(user: unknown, email: string): DirectoryUser {
  const { user_id, email_verified, identities, app_metadata } = understood(userShape, user);
  const { createdByUs, roles } = readOwnMetadata(app_metadata, email);
  return {
    id: user_id,
    verified: email_verified === true,
    createdByUs,
    database: identities?.find(({ provider }) => provider === "auth0")?.connection ?? null,
    metadataRoles: roles,
  };
}

/**
 * Database users must have a password. Nobody ever learns this one. The suffix satisfies the policies that want
 * classes of characters; Auth0's strictest also refuse three equal ones in a row, and the name in the email.
 */
function unusablePassword(email: string): string {
  const [name = ""] = email.split("@", 1);
  for (;;) {
    const password = `${randomBytes(32).toString("base64url")}-A1!`;
    if (!/(.)\1\1/.test(password) && (name.length < 3 || !password.toLowerCase().includes(name))) return password;
  }
}

import { randomBytes } from "node:crypto";

import { JobsClient } from "auth0/jobs";
import { RolesClient } from "auth0/roles";
import { UsersClient } from "auth0/users";
import * as z from "zod/mini";

import type { Secret } from "../config/secret.ts";
import { NeedsPersonError } from "../errors.ts";
import { failureOf, statusOf } from "./failures.ts";
import { pacedFetch, type Fetch } from "./pacing.ts";
import type { Auth0Credentials } from "./secret.ts";
import { managementToken } from "./token.ts";

/** An Auth0 user with a buyer's email. */
export interface DirectoryUser {
  readonly id: string;
  readonly verified: boolean;
  /** Made by this service: carries a mark in `app_metadata`, which nobody can forge at sign-up. */
  readonly createdByUs: boolean;
}

/**
 * The tenant's users and roles, as provisioning needs them. Every method takes the invocation's deadline and throws
 * TemporaryError AUTH0_UNREACHABLE, or NeedsPersonError AUTH0_CREDENTIALS, AUTH0_SCOPE or AUTH0_REFUSED.
 */
export interface Directory {
  /** Every user with this (normalized) email, in any connection. One call. */
  find(email: string, signal: AbortSignal): Promise<readonly DirectoryUser[]>;
  /** Creates a user in the database connection, without any mail; null if one exists there by now. One call. */
  create(email: string, signal: AbortSignal): Promise<DirectoryUser | null>;
  /** The names of a user's roles. One call. */
  rolesOf(userId: string, signal: AbortSignal): Promise<readonly string[]>;
  /**
   * Gives roles; those the user has already do no harm. False if the user is gone. One call.
   * @throws {NeedsPersonError} AUTH0_ROLE_MISSING, naming the role
   */
  assign(userId: string, roles: readonly string[], signal: AbortSignal): Promise<boolean>;
  /** Takes roles away; those the user hasn't, or that no longer exist, do no harm. False if the user is gone. One call. */
  remove(userId: string, roles: readonly string[], signal: AbortSignal): Promise<boolean>;
  /** Has Auth0 mail a user the request to verify the email. One call. */
  mailVerification(userId: string, signal: AbortSignal): Promise<void>;
}

/** The mark on users that we created. */
const CREATED_MARK = { gumroad_auth0: { created: true } } as const;

const userShape = z.object({
  user_id: z.string(),
  email_verified: z.optional(z.boolean()),
  app_metadata: z.optional(z.looseObject({ gumroad_auth0: z.optional(z.looseObject({ created: z.optional(z.unknown()) })) })),
});
const roleShape = z.object({ id: z.string(), name: z.string() });

/** The most roles a user can have, and so the most that a page must hold. */
const PAGE = 100;
/** How often the role names may be listed again because one is missing. */
const RELIST_MS = 10_000;
/** The SDK's own limit spans our waiting for the rate limit; the deadline's signal ends a call before this does. */
const SDK_TIMEOUT_S = 120;

/** What the directory needs; `fetch` and `now` (epoch ms) are the outside world. */
export interface DirectoryOptions {
  readonly secret: Secret<Auth0Credentials>;
  readonly fetch?: Fetch;
  readonly now?: () => number;
  /** Told each time a call waits for the rate limit. */
  readonly onThrottled?: (group: string) => void;
}

/** The directory of the tenant in the secret. Keep one for the process: it holds the token, the role ids and the pacing. */
export function auth0Directory({ secret, fetch: send = fetch, now = Date.now, onThrottled }: DirectoryOptions): Directory {
  const paced = pacedFetch({ fetch: send, now, ...(onThrottled === undefined ? {} : { onThrottled }) });
  const token = managementToken(secret, paced, now);
  // Sub-clients, not ManagementClient: it is eight times the size. Retrying is ours: the SDK repeats a POST after a 502.
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
  async function call<T>(make: () => PromiseLike<T>): Promise<T> {
    const used = await token.get();
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
      const page = await call(() => roles.list({ per_page: PAGE }, { abortSignal: signal }));
      for await (const role of page) {
        const { id, name } = roleShape.parse(role);
        ids.set(name, id);
      }
    });
    return ids;
  }

  /** Carries out a change of a user's roles; on 404 finds out whether the user or a role is gone. */
  async function changeRoles(what: string, userId: string, signal: AbortSignal, change: (ids: readonly string[]) => PromiseLike<unknown>, idsOf: () => Promise<readonly string[]>) {
    const ids = await idsOf();
    if (ids.length === 0) return true;
    try {
      await call(() => change(ids));
      return true;
    } catch (error) {
      if (statusOf(error) !== 404) throw failureOf(error, what);
      if (!(await exists(userId, signal))) return false;
      // The user is there, so a role's id is stale: it was deleted, and perhaps made anew.
      roleIds.forget();
      const fresh = await idsOf();
      if (fresh.length > 0) await answered(what, () => call(() => change(fresh)));
      return true;
    }
  }

  async function exists(userId: string, signal: AbortSignal): Promise<boolean> {
    try {
      await call(() => users.get(userId, { fields: "user_id" }, { abortSignal: signal }));
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw failureOf(error, "read a user");
    }
  }

  return {
    find: async (email, signal) => {
      const found = await answered("look up users by email", () => call(() => users.listUsersByEmail({ email }, { abortSignal: signal })));
      return found.map(directoryUser);
    },
    create: async (email, signal) => {
      const { connection } = await secret.get();
      try {
        const body = { connection, email, password: unusablePassword(), email_verified: false, verify_email: false, app_metadata: CREATED_MARK };
        return directoryUser(await call(() => users.create(body, { abortSignal: signal })));
      } catch (error) {
        if (statusOf(error) === 409) return null;
        throw failureOf(error, "create a user");
      }
    },
    rolesOf: async (userId, signal) =>
      answered("list a user's roles", async () => {
        const page = await call(() => users.roles.list(userId, { per_page: PAGE }, { abortSignal: signal }));
        const names: string[] = [];
        for await (const role of page) names.push(roleShape.parse(role).name);
        return names.sort();
      }),
    assign: async (userId, names, signal) =>
      changeRoles("assign roles", userId, signal, (ids) => users.roles.assign(userId, { roles: [...ids] }, { abortSignal: signal }), () => roleIds.all(names, signal)),
    remove: async (userId, names, signal) =>
      changeRoles("remove roles", userId, signal, (ids) => users.roles.delete(userId, { roles: [...ids] }, { abortSignal: signal }), () => roleIds.known(names, signal)),
    mailVerification: async (userId, signal) => {
      await answered("mail a verification", () => call(() => jobs.verificationEmail.create({ user_id: userId }, { abortSignal: signal })));
    },
  };
}

/** Role ids by name: listed once a process, and again when a name is missing. */
function roleIdsOf(list: (signal: AbortSignal) => Promise<ReadonlyMap<string, string>>, now: () => number) {
  let listed: { readonly ids: Promise<ReadonlyMap<string, string>>; readonly at: number } | undefined;

  async function ids(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    if (listed === undefined) {
      const current = { ids: list(signal), at: now() };
      listed = current;
      current.ids.catch(() => {
        if (listed === current) listed = undefined;
      });
    }
    return listed.ids;
  }

  async function lookUp(names: readonly string[], signal: AbortSignal): Promise<{ readonly found: string[]; readonly missing: string[] }> {
    const known = await ids(signal);
    const missing = names.filter((name) => !known.has(name));
    if (missing.length > 0 && listed !== undefined && now() - listed.at >= RELIST_MS) {
      listed = undefined;
      return lookUp(names, signal);
    }
    return { found: names.flatMap((name) => known.get(name) ?? []), missing };
  }

  return {
    forget: () => {
      listed = undefined;
    },
    all: async (names: readonly string[], signal: AbortSignal): Promise<readonly string[]> => {
      const { found, missing } = await lookUp(names, signal);
      if (missing.length === 0) return found;
      const quoted = missing.map((name) => `"${name}"`).join(", ");
      throw new NeedsPersonError("AUTH0_ROLE_MISSING", `The policy gives ${quoted}, which the Auth0 tenant doesn't have: create it there, or mend src/products.ts.`);
    },
    known: async (names: readonly string[], signal: AbortSignal): Promise<readonly string[]> => (await lookUp(names, signal)).found,
  };
}

async function answered<T>(what: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    throw failureOf(error, what);
  }
}

function directoryUser(user: unknown): DirectoryUser {
  const { user_id, email_verified, app_metadata } = userShape.parse(user);
  return { id: user_id, verified: email_verified === true, createdByUs: app_metadata?.gumroad_auth0?.created === true };
}

/** Database users must have a password. Nobody ever learns this one; the suffix satisfies the strictest policy's classes. */
function unusablePassword(): string {
  return `${randomBytes(32).toString("base64url")}aA1!`;
}

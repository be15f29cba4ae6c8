import { randomBytes, randomInt } from "node:crypto";

import { JobsClient } from "auth0/jobs";
import { RolesClient } from "auth0/roles";
import { UsersClient } from "auth0/users";
import * as z from "zod/mini";

import type { Secret } from "../config/secret.ts";
import { retryingFetch, type CallKind, type Retrying } from "../http/retry.ts";
import { ownMetadata, readOwnMetadata } from "./app-metadata.ts";
import { causesOf, log } from "../log.ts";
import { callsWith, isGone, answerAs, lacksScope, refusedWith } from "./call.ts";
import { mailInvitation } from "./invite.ts";
import { pacedFetch, type Pacing } from "./pacing.ts";
import type { Auth0Credentials } from "./secret.ts";
import { managementToken } from "./token.ts";
import { userRoles } from "./user-roles.ts";

/** An Auth0 user with a buyer's email. */
export type DirectoryUser = Readonly<ReturnType<typeof directoryUser>>;

/** The tenant's users and roles, as provisioning needs them. */
export type Directory = ReturnType<typeof auth0Directory>;

const userShape = z.object({ user_id: z.string(), email_verified: z.optional(z.boolean()),
  identities: z.optional(z.array(z.object({ provider: z.optional(z.string()), connection: z.optional(z.string()) }))),
  app_metadata: z.optional(z.unknown()), created_at: z.catch(z.optional(z.string()), undefined),
  logins_count: z.optional(z.number()), last_login: z.optional(z.unknown()) });

/** The SDK's own limit spans our waiting for the rate limit; the deadline's signal ends a call before this does. */
const SDK_TIMEOUT_S = 120;

/** Creating and mailing must not happen twice. */
function kindOf(method: string, path: string): CallKind {
  if (method === "GET" || path === "/oauth/token") return "read";
  return method !== "POST" || /\/users\/[^/]+\/roles$/.test(path) ? "change" : "once";
}

/** What the directory needs. */
export interface DirectoryOptions extends Pacing {
  readonly secret: Secret<Auth0Credentials>;
  /** Creates users without a password, in the passwordless connection. */
  readonly passwordless?: boolean;
  readonly retrying?: Pick<Retrying, "random" | "wait">;
}

/**
 * The directory of the tenant in the secret. One for the process: it holds the token, the role ids and the pacing. All
 * methods take the invocation's deadline, are one call or say so, and throw TemporaryError AUTH0_UNREACHABLE,
 * AUTH0_AWAY, AUTH0_TIMED_OUT (a change that may yet be carried out once more), NeedsPersonError AUTH0_CREDENTIALS,
 * AUTH0_SCOPE, AUTH0_REFUSED or AUTH0_NOT_UNDERSTOOD, or what reading the secret throws.
 */
export function auth0Directory(
  { secret, passwordless = false, now = Date.now, retrying, ...pacing }: DirectoryOptions,
) {
  const paced = pacedFetch({ ...pacing, now });
  const steady = retryingFetch({ ...retrying, service: "AUTH0", fetch: paced, kindOf, now });
  const token = managementToken(secret, steady, now);
  // Sub-clients, not ManagementClient: it is eight times the size. The SDK's own retries repeat a POST.
  const options = { baseUrl: async () => `${(await secret.get()).url}/api/v2`, token: () => token.get(), fetch: steady,
    maxRetries: 0, timeoutInSeconds: SDK_TIMEOUT_S };
  const users = new UsersClient(options);
  const jobs = new JobsClient(options);
  const call = callsWith(token);

  return {
    /** Every user with this email, in any connection. Auth0 compares letter for letter: `spelling` is looked up. */
    find: async (email: string, spelling: string, signal: AbortSignal): Promise<readonly DirectoryUser[]> => {
      const found = await call("look up users by email", signal,
        (until) => users.listUsersByEmail({ email: spelling }, until));
      return found.map((user) => directoryUser(user, email));
    },
    /** Creates a user, without any mail, with these roles in `app_metadata` if any; null if one exists by now. */
    create: async (email: string, signal: AbortSignal, metadataRoles?: readonly string[]) => {
      const { connection: database, passwordlessConnection } = await secret.get();
      const login = passwordless
        ? { connection: passwordlessConnection }
        : { connection: database, password: unusablePassword(email) };
      const body = { ...login, email, email_verified: false, verify_email: false,
        app_metadata: ownMetadata(email, metadataRoles ?? null) };
      const created = await call("create a user", signal, (until) => users.create(body, until))
        .catch((error: unknown) => {
          if (refusedWith(error) === 409) return null;
          throw error;
        });
      return created === null ? null : directoryUser(created, email);
    },
    ...userRoles(users, new RolesClient(options), call, now),
    /**
     * Makes these, and no others, the roles in a user's `app_metadata`, beside the mark that says for which email we
     * made the user (`createdFor`, or null). False if the user is gone.
     */
    writeMetadataRoles: async (userId: string, createdFor: string | null, names: readonly string[],
      signal: AbortSignal): Promise<boolean> => {
      const body = { app_metadata: ownMetadata(createdFor, names) };
      return !(await isGone(
        call("write a user's app_metadata", signal, (until) => users.update(userId, body, until)),
      ));
    },
    /**
     * Replaces a database user's password by one that nobody knows, then ends the sessions and refresh tokens that it
     * opened: whoever chose it is out. Nothing for other users. Three calls.
     */
    forgetPassword: async ({ id, database }: DirectoryUser, email: string, signal: AbortSignal): Promise<void> => {
      if (database === null) return;
      const body = { connection: database, password: unusablePassword(email) };
      await call("replace a password", signal, (until) => users.update(id, body, until));
      await ended(call("end a user's sessions", signal, (until) => users.sessions.delete(id, until)));
      await ended(call("end a user's refresh tokens", signal, (until) => users.refreshToken.delete(id, until)));
    },
    mailVerification: async (userId: string, signal: AbortSignal): Promise<void> => {
      await call("mail a verification", signal, (until) => jobs.verificationEmail.create({ user_id: userId }, until));
    },
    /**
     * Has Auth0 mail who has this email in a database connection (null: the one where users are created) a link for
     * choosing a password. No Management call; throws as `mailInvitation`.
     */
    invite: async (email: string, database: string | null, signal: AbortSignal): Promise<void> => {
      const credentials = await secret.get();
      await mailInvitation(credentials, email, database ?? credentials.connection, pacing.fetch ?? fetch, signal);
    },
  };
}

/** Auth0 ends sessions for some plans only. A scope that is missing somebody must grant; a plan nobody waits for. */
async function ended(call: Promise<unknown>): Promise<void> {
  await isGone(call).catch((error: unknown) => {
    if (refusedWith(error) !== 403 || lacksScope(error)) throw error;
    const told = "Auth0 ends no sessions on this plan: those of before the new password go on until they expire";
    log.warn(told, { causes: causesOf(error) });
  });
}

function directoryUser(user: unknown, email: string) {
  const { user_id: id, identities, ...known } = answerAs(userShape, user);
  return {
    id,
    verified: known.email_verified === true,
    ...readOwnMetadata(known.app_metadata, email),
    /** The database connection that keeps its password; null for social and passwordless users. */
    database: identities?.find(({ provider }) => provider === "auth0")?.connection ?? null,
    /** Epoch ms; 0 where Auth0 doesn't say. */
    createdAt: Date.parse(known.created_at ?? "") || 0,
    hasLoggedIn: (known.logins_count ?? 0) > 0 || known.last_login !== undefined,
  };
}

/**
 * Database users must have a password. Nobody ever learns this one. The suffix satisfies the policies that want
 * classes of characters; Auth0's strictest also refuse three equal ones in a row, and the name in the email, which
 * anybody may choose: of two suffixes one always does.
 */
function unusablePassword(email: string): string {
  const [name = ""] = email.split("@", 1);
  for (;;) {
    const password = `${randomBytes(32).toString("base64url")}${randomInt(2) === 0 ? "-A1!" : "-B2!"}`;
    if (!/(.)\1\1/.test(password) && (name.length < 3 || !password.toLowerCase().includes(name))) return password;
  }
}

import { ClientGrantsClient } from "auth0/clientGrants";
import { ConnectionsClient } from "auth0/connections";
import { RolesClient } from "auth0/roles";
import { UsersClient } from "auth0/users";
import * as z from "zod/mini";

import { NeedsPersonError } from "../../src/errors.ts";
import { answerAs, failureOf, statusOf } from "../../src/auth0/call.ts";
import { pacedFetch } from "../../src/auth0/pacing.ts";
import type { Fetch } from "../../src/http/retry.ts";
import type { Auth0Credentials } from "../../src/auth0/secret.ts";
import { askForToken } from "../../src/auth0/token.ts";

/** A connection, and whether an application may use it. */
export interface ConnectionState {
  readonly id: string;
  readonly enabled: boolean;
}

/** What an application is granted on the Management API. */
export interface Grant {
  readonly id: string;
  readonly scopes: readonly string[];
}

/**
 * The tenant's settings, as setting up and checking need them; nothing of it ships in a function. All methods throw
 * NeedsPersonError AUTH0_CREDENTIALS, AUTH0_SCOPE, AUTH0_REFUSED or AUTH0_NOT_UNDERSTOOD, and TemporaryError
 * AUTH0_UNREACHABLE.
 */
export interface TenantAdmin {
  /** The scopes that this application's token has: what it is granted. One call, once. */
  scopes(signal: AbortSignal): Promise<readonly string[]>;
  /** `read:roles`. */
  roleNames(signal: AbortSignal): Promise<readonly string[]>;
  /** Creates a role; one that is there already does no harm. `create:roles`. */
  createRole(name: string, signal: AbortSignal): Promise<void>;
  /**
   * A connection by its name, and whether it is enabled for an application; null if there is none. `read:connections`.
   */
  connection(name: string, clientId: string, signal: AbortSignal): Promise<ConnectionState | null>;
  /** Enables a connection for an application, and leaves the others as they are. `update:connections`. */
  enableConnection(connectionId: string, clientId: string, signal: AbortSignal): Promise<void>;
  /** The grant of an application on an API; null if it has none. `read:client_grants`. */
  grant(clientId: string, audience: string, signal: AbortSignal): Promise<Grant | null>;
  /**
   * Makes a grant hold these scopes and no others. Tokens keep those they were issued with. `update:client_grants`.
   */
  setScopes(grantId: string, scopes: readonly string[], signal: AbortSignal): Promise<void>;
  /** Deletes a user; one that is gone already does no harm. `delete:users`. */
  deleteUser(userId: string, signal: AbortSignal): Promise<void>;
  /** How often, when last and how a user logged in; null: there is no such user. Needs `read:users`. */
  logins(userId: string, signal: AbortSignal): Promise<Logins | null>;
}

/** Auth0's largest page. */
const PAGE = 100;

const nameShape = z.object({ name: z.string() });
const connectionShape = z.object({ id: z.string(), name: z.string() });
const grantShape = z.object({ id: z.string(), scope: z.array(z.string()) });

/** A user's logins. */
export interface Logins {
  readonly count: number;
  /** Epoch ms; null: never. */
  readonly lastAt: number | null;
  /** Names of connections, such as google-oauth2. */
  readonly by: readonly string[];
}

const loginsShape = z.object({ logins_count: z.nullish(z.number()), last_login: z.nullish(z.string()),
  identities: z.nullish(z.array(z.object({ connection: z.string() }))) });

/** The tenant's settings, through an application's own rights. */
export function tenantAdmin(credentials: Auth0Credentials,
  { fetch: send = fetch }: { readonly fetch?: Fetch } = {}): TenantAdmin {
  const paced = pacedFetch({ fetch: send });
  let signedIn: ReturnType<typeof signIn> | undefined;
  const session = () => (signedIn ??= signIn(credentials, paced));
  const options = { baseUrl: `${credentials.url}/api/v2`, token: async () => (await session()).token, fetch: paced,
    maxRetries: 0 };
  const roles = new RolesClient(options);
  const connections = new ConnectionsClient(options);
  const grants = new ClientGrantsClient(options);
  const users = new UsersClient(options);

  async function answered<T>(what: string, call: () => PromiseLike<T>): Promise<T> {
    // Apart, so that refused credentials are told as such, and not as a refused call.
    await session();
    try {
      return await call();
    } catch (error) {
      throw failureOf(error, what);
    }
  }

  return { scopes: async () => (await session()).scopes,
    roleNames: (abortSignal) =>
      answered("list the roles", async () => {
        const names: string[] = [];
        for await (const role of await roles.list({ per_page: PAGE }, { abortSignal })) {
          names.push(answerAs(nameShape, role).name);
        }
        return names.sort();
      }), createRole: (name, abortSignal) =>
      answered("create a role", async () => {
        try {
          await roles.create({ name }, { abortSignal });
        } catch (error) {
          if (statusOf(error) !== 409) throw error;
        }
      }), connection: (name, clientId, abortSignal) =>
      answered("list the connections", async () => {
        // Only these fields: the options hold secrets of identity providers.
        for await (const entry of await connections.list({ name, fields: "id,name", include_fields: true, take: PAGE },
          { abortSignal })) {
          const found = answerAs(connectionShape, entry);
          if (found.name !== name) continue;
          for await (const { client_id } of await connections.clients.get(found.id, { take: PAGE }, { abortSignal })) {
            if (client_id === clientId) return { id: found.id, enabled: true };
          }
          return { id: found.id, enabled: false };
        }
        return null;
      }),
    enableConnection: (connectionId, clientId, abortSignal) =>
      answered("enable a connection", () =>
        connections.clients.update(connectionId, [{ client_id: clientId, status: true }], { abortSignal })),
    grant: (clientId, audience, abortSignal) =>
      answered("list the grants", async () => {
        for await (const entry of await grants.list({ client_id: clientId, audience, take: PAGE }, { abortSignal })) {
          const { id, scope } = answerAs(grantShape, entry);
          return { id, scopes: scope };
        }
        return null;
      }), setScopes: (grantId, scopes, abortSignal) =>
      answered("change a grant", async () => {
        await grants.update(grantId, { scope: [...scopes] }, { abortSignal });
      }), logins: (userId, abortSignal) =>
      answered("read a user", async () => {
        try {
          const found = await users.get(userId, { fields: "logins_count,last_login,identities", include_fields: true },
            { abortSignal });
          const { logins_count: count, last_login: last, identities } = answerAs(loginsShape, found);
          return { count: count ?? 0, lastAt: last === undefined || last === null ? null : Date.parse(last),
            by: (identities ?? []).map(({ connection }) => connection) };
        } catch (error) {
          if (statusOf(error) === 404) return null;
          throw error;
        }
      }), deleteUser: (userId, abortSignal) =>
      answered("delete a user", async () => {
        try {
          await users.delete(userId, { abortSignal });
        } catch (error) {
          if (statusOf(error) !== 404) throw error;
        }
      }) };
}

async function signIn(credentials: Auth0Credentials, send: Fetch) {
  const answer = await askForToken(credentials, send);
  if (answer !== null) return answer;
  throw new NeedsPersonError("AUTH0_CREDENTIALS",
    `Auth0 refuses the application ${credentials.clientId} at ${credentials.url}: wrong domain, client id or client ` +
      "secret, or not authorized for the Management API.");
}

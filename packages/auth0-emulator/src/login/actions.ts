import { createRequire } from "node:module";
import { compileFunction } from "node:vm";

import type { Metadata, User } from "../user.ts";
import type { PostLoginAction } from "./application.ts";

/** What the Actions of one login asked for. */
export interface ActionResult {
  /** Claims of the access token and of the ID token. */
  readonly accessToken: Readonly<Record<string, unknown>>;
  readonly idToken: Readonly<Record<string, unknown>>;
  /** Why nobody gets in, if an Action said so. */
  readonly denied: string | null;
  /** Root keys to be merged; null removes one. */
  readonly appMetadata: Metadata;
  readonly userMetadata: Metadata;
}

/** What of a login the Actions are told. */
export interface LoginFacts {
  readonly user: User;
  readonly roles: readonly string[];
  readonly client: { readonly id: string; readonly name: string };
  readonly audience: string | undefined;
  readonly scopes: readonly string[];
  /** `oidc-basic-profile` at a login, `oauth2-refresh-token` where a token is refreshed. */
  readonly protocol: "oidc-basic-profile" | "oauth2-refresh-token";
  readonly tenant: string;
  readonly now: number;
}

/** All Actions of a login have this long together (ms): Auth0's limit. */
const ALL_ACTIONS_MS = 20_000;
/** Claims that Auth0 keeps for itself, or drops for want of a namespace: a URL, but none of its own domains. */
const AUTH0_DOMAIN = /(^|\.)(auth0|webtask)\.(com|io)$/u;

/**
 * Runs the Actions of a login one after the other, each with the event and api objects of Auth0's documentation
 * (https://auth0.com/docs/customize/actions/explore-triggers/signup-and-login-triggers/login-trigger).
 * @throws {Error} as Auth0 does, one Action that throws or takes too long fails the login
 */
export async function runActions(actions: readonly PostLoginAction[], facts: LoginFacts): Promise<ActionResult> {
  const result = { accessToken: {}, idToken: {}, appMetadata: {}, userMetadata: {} };
  let denied: string | null = null;
  const api = apiOf(result, (reason) => {
    denied ??= reason;
  });
  const deadline = AbortSignal.timeout(ALL_ACTIONS_MS);
  for (const action of actions) {
    await within(deadline, action.name, loaded(action)(eventOf(facts, action.secrets ?? {}), api));
    if (denied !== null) break;
  }
  return { ...result, denied };
}

function within(deadline: AbortSignal, name: string, work: unknown): Promise<unknown> {
  return Promise.race([
    Promise.resolve(work),
    new Promise((_resolve, reject) => {
      const late = () => {
        reject(new Error(`The Actions took longer than ${String(ALL_ACTIONS_MS / 1000)} s, at ${name}.`));
      };
      if (deadline.aborted) late();
      else deadline.addEventListener("abort", late, { once: true });
    }),
  ]);
}

type PostLogin = (event: unknown, api: unknown) => unknown;

/** As Auth0 loads one: a CommonJS file whose export is called. */
function loaded({ name, code }: PostLoginAction): PostLogin {
  const exports: { onExecutePostLogin?: PostLogin } = {};
  compileFunction(code, ["exports", "require", "module"], { filename: `${name}.js` })(exports,
    createRequire(import.meta.url), { exports });
  if (exports.onExecutePostLogin === undefined) throw new Error(`The Action ${name} exports no onExecutePostLogin.`);
  return exports.onExecutePostLogin;
}

function eventOf(facts: LoginFacts, secrets: Readonly<Record<string, string>>): Record<string, unknown> {
  const { user, roles, client, audience, scopes, protocol, tenant, now } = facts;
  const [provider = "", ownId = ""] = [user.id.slice(0, user.id.indexOf("|")),
    user.id.slice(user.id.indexOf("|") + 1)];
  return structuredClone({
    authentication: { methods: [{ name: isFederated(user) ? "federated" : "pwd", timestamp: iso(now) }] },
    authorization: { roles },
    client: { client_id: client.id, name: client.name, metadata: {} },
    connection: { name: user.connection.name, strategy: user.connection.strategy, metadata: {} },
    request: { ip: "127.0.0.1", method: "GET", query: {}, body: {}, geoip: {}, hostname: tenant },
    ...(audience === undefined ? {} : { resource_server: { identifier: audience } }),
    secrets,
    stats: { logins_count: user.logins?.count ?? 0 },
    tenant: { id: tenant },
    transaction: { protocol, requested_scopes: scopes, metadata: {} },
    user: { user_id: user.id, email: user.email, email_verified: user.emailVerified, ...user.profile,
      app_metadata: user.appMetadata ?? {}, user_metadata: user.userMetadata ?? {},
      identities: [{ connection: user.connection.name, provider, user_id: ownId, isSocial: isFederated(user) }],
      created_at: iso(user.createdAt), updated_at: iso(user.updatedAt) },
  });
}

function isFederated({ connection }: User): boolean {
  return connection.strategy !== "auth0" && connection.strategy !== "email";
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

interface Asked {
  readonly accessToken: Record<string, unknown>;
  readonly idToken: Record<string, unknown>;
  readonly appMetadata: Record<string, unknown>;
  readonly userMetadata: Record<string, unknown>;
}

function apiOf({ accessToken, idToken, appMetadata, userMetadata }: Asked, deny: (reason: string) => void): unknown {
  // What is kept goes through JSON, as at Auth0.
  const keep = (kept: Record<string, unknown>) => (key: string, value: unknown) => {
    kept[key] = value === undefined ? null : JSON.parse(JSON.stringify(value));
  };
  const claim = (claims: Record<string, unknown>) => (name: string, value: unknown) => {
    if (isNamespaced(name)) claims[name] = value;
  };
  return { access: { deny: (reason: string) => {
    deny(reason);
  } }, accessToken: { setCustomClaim: claim(accessToken) }, idToken: { setCustomClaim: claim(idToken) },
    user: { setAppMetadata: keep(appMetadata), setUserMetadata: keep(userMetadata) } };
}

function isNamespaced(name: string): boolean {
  return URL.canParse(name) && !AUTH0_DOMAIN.test(new URL(name).hostname);
}

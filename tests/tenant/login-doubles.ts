/**
 * Auth0's side of a post-login Action: the event and api objects as its documentation describes them (validated on
 * 28 April 2026), https://auth0.com/docs/customize/actions/explore-triggers/signup-and-login-triggers/login-trigger
 */
import { createRequire } from "node:module";
import { compileFunction } from "node:vm";

import type { PostLoginApi, PostLoginEvent } from "../../tenant/actions/post-login.ts";

/** What of a login matters to these tests. */
export interface LoginParts {
  readonly user?: Readonly<Partial<Record<keyof PostLoginEvent["user"], unknown>>>;
  readonly roles?: readonly string[] | undefined;
  readonly secrets?: PostLoginEvent["secrets"];
}

/** A whole event: with the fields that the Action doesn't use, as Auth0 sends them. */
export function loginEvent({ user = {}, roles = [], secrets = {} }: LoginParts) {
  const at = "2026-01-05T19:38:56.000Z";
  return { authentication: { methods: [{ name: "federated", timestamp: at }] }, authorization: { roles },
    client: { client_id: "spa", name: "Courses", metadata: {} },
    connection: { id: "con_1", name: "google-oauth2", strategy: "google-oauth2" },
    request: { ip: "203.0.113.7", method: "GET", query: {}, body: {}, geoip: {}, hostname: "acme.eu.auth0.com" },
    resource_server: { identifier: "https://api.shop.test" }, secrets, stats: { logins_count: 1 },
    tenant: { id: "acme" },
    transaction: { protocol: "oidc-basic-profile", requested_scopes: ["openid"], metadata: {} },
    user: { user_id: "google-oauth2|1", email: "ann@shop.test", email_verified: true, app_metadata: {},
      user_metadata: {},
      identities: [{ connection: "google-oauth2", provider: "google-oauth2", user_id: "1", isSocial: true }],
      created_at: at, updated_at: at, ...user } };
}

/** An api object that keeps what an Action asked for, and what would come of it. */
export interface RecordedApi extends PostLoginApi {
  /** The custom claims of the access token: only those under a namespace, as Auth0 drops all others. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** The user's `app_metadata` once the flow is through. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/**
 * The part of Auth0's api object that the Action may use. Every other part throws, as do ID token claims: nothing here
 * should need one.
 */
export function loginApi(metadata: unknown = {}): RecordedApi {
  const claims: Record<string, unknown> = {};
  const kept: Record<string, unknown> = typeof metadata === "object" ? { ...metadata } : {};
  return { claims, metadata: kept, accessToken: { setCustomClaim: (name, value) => {
    if (URL.canParse(name) && !/(^|\.)(auth0|webtask)\.(com|io)$/.test(new URL(name).hostname)) {
      claims[name] = value;
    }
  } }, user: { setAppMetadata: (key, value) => {
    // `null` removes the key; what is kept goes through JSON.
    if (value === null) Reflect.deleteProperty(kept, key);
    else kept[key] = JSON.parse(JSON.stringify(value));
  } } };
}

/** What the Action runs in: Node's own globals, with a clock and a time limit that the test holds. */
export interface ActionRun {
  /** Epoch ms. */
  readonly now: () => number;
  /** The signal of a time limit of so many milliseconds. Default: one that never comes. */
  readonly timeout?: (ms: number) => AbortSignal;
  /** Told each line that the Action logs. */
  readonly onLog: (line: string) => void;
}

/** Loads a compiled Action as Auth0 does: a CommonJS file with an export that is called. */
export function loadAction(code: string,
  { now, timeout = () => new AbortController().signal, onLog }: ActionRun
): (event: unknown, api: unknown) => Promise<void> {
  const exports: { onExecutePostLogin?: (event: unknown, api: unknown) => Promise<void> } = {};
  const names = ["exports", "require", "console", "Date", "AbortSignal", "fetch"];
  const run = compileFunction(code, names);
  run(exports, createRequire(import.meta.url), { log: onLog }, { now }, { timeout }, fetch);
  if (exports.onExecutePostLogin === undefined) throw new Error("The Action exports no onExecutePostLogin.");
  return exports.onExecutePostLogin;
}

import { randomUUID, type webcrypto } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

import { exportJWK, generateKeyPair, jwtVerify } from "jose";
import { errors, interactionPolicy, Provider } from "oidc-provider";
import type { Configuration, JWK, KoaContextWithOIDC } from "oidc-provider";

import type { Tenant } from "../tenant.ts";
import type { User } from "../user.ts";
import { type ActionResult, runActions } from "./actions.ts";
import type { LoginApplication, LoginSettings } from "./application.ts";
import { memoryAdapter } from "./memory.ts";
import { errorPage } from "./pages.ts";

/** What the issuer is of. */
export interface IssuerParts {
  /** Such as `http://127.0.0.1:3001`, without the slash that the `iss` of Auth0's tokens ends in. */
  readonly url: string;
  readonly settings: LoginSettings;
  readonly tenant: () => Tenant;
  readonly now: () => number;
}

/** What Auth0 calls things, where the certified provider below would call them otherwise. */
const ROUTES = { authorization: "/authorize", token: "/oauth/token", userinfo: "/userinfo",
  jwks: "/.well-known/jwks.json", end_session: "/oidc/logout", revocation: "/oauth/revoke" } as const;
/** Auth0's own parameters of `/authorize` that the login page looks at. */
const AUTH0_PARAMS = ["audience", "connection", "screen_hint", "auth0Client"];
const DAY_S = 86_400;
/** Auth0's defaults: an ID token lives ten hours, a session three days without use. */
const ID_TOKEN_S = 10 * 3_600;
const SESSION_S = 3 * DAY_S;
const REFRESH_S = 30 * DAY_S;
/** How long a login may take on the page. */
const PAGE_S = 3_600;
/**
 * The provider takes OpenID's word that `offline_access` needs a consent; Auth0 gives first-party applications their
 * refresh tokens without one. So the scope goes through it under another name.
 */
const OFFLINE = { outside: "offline_access", inside: "offline" } as const;

/** The OpenID side of a tenant: https://www.npmjs.com/package/oidc-provider under Auth0's paths, claims and shapes. */
export interface Issuer {
  readonly provider: Provider;
  /** Answers a request on one of the provider's own paths. */
  answer(request: IncomingMessage, response: ServerResponse): void;
  /**
   * What `/userinfo` tells by an `authorization` header with an API's access token; null where it holds none. The
   * provider itself takes only tokens that are for nothing else.
   */
  claimsByToken(authorization: string): Promise<Record<string, unknown> | null>;
}

/** Starts the OpenID side of a tenant, with a key of its own. */
export async function startIssuer(parts: IssuerParts): Promise<Issuer> {
  const { jwk, publicKey } = await signingKey();
  /** What the Actions of one request asked for: the access token is made first, its ID token after it. */
  const asked = new WeakMap<object, ActionResult>();
  const provider = new Provider(`${parts.url}/`, configurationOf(parts, jwk, asked));
  claimsOfActions(provider, asked);
  refusalsAsAuth0(provider);
  provider.use(async (ctx, next) => {
    translateIn(ctx.query, (query) => {
      ctx.query = query;
    });
    await next();
    translateOut(ctx.body);
  });
  const callback = provider.callback();
  return { provider, answer: (request, response) => {
    void callback(request, response);
  }, async claimsByToken(authorization) {
    const [, token = ""] = /^Bearer (\S+)$/iu.exec(authorization) ?? [];
    const expected = { issuer: `${parts.url}/`, audience: `${parts.url}/userinfo`, algorithms: ["RS256"] };
    const verified = await jwtVerify(token, publicKey, expected).catch(() => null);
    const user = parts.tenant().users.all().find(({ id }) => id === verified?.payload.sub);
    return user === undefined ? null : claimsOf(user);
  } };
}

async function signingKey(): Promise<{ readonly jwk: JWK; readonly publicKey: webcrypto.CryptoKey }> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), use: "sig", alg: "RS256", kid: randomUUID() };
  return { jwk, publicKey };
}

/** What an application asks for in Auth0's words. */
function translateIn(query: Readonly<Record<string, string | string[] | undefined>>,
  change: (query: Record<string, string | string[] | undefined>) => void): void {
  const { scope } = query;
  if (typeof scope !== "string") return;
  change({ ...query,
    scope: scopesOf(scope).map((one) => (one === OFFLINE.outside ? OFFLINE.inside : one)).join(" ") });
}

/** What an application is answered, in Auth0's words. */
function translateOut(body: unknown): void {
  if (typeof body !== "object" || body === null || !("scope" in body) || typeof body.scope !== "string") return;
  body.scope = outsideScopes(scopesOf(body.scope)).join(" ");
}

function outsideScopes(scopes: readonly string[]): readonly string[] {
  return scopes.map((one) => (one === OFFLINE.inside ? OFFLINE.outside : one));
}

function scopesOf(scope: string): readonly string[] {
  return scope.split(" ").filter((one) => one !== "");
}

/** The provider lets only claims with a scope into an ID token. An Action's are let in here. */
function claimsOfActions({ IdToken }: Provider, asked: WeakMap<object, ActionResult>): void {
  const { payload } = IdToken.prototype;
  IdToken.prototype.payload = async function withActions() {
    return { ...(await payload.call(this)), ...asked.get(this.ctx)?.idToken };
  };
}

/**
 * Applications tell refused tokens apart by Auth0's words: `auth0-spa-js` can log in anew in silence where a refresh
 * token is `invalid`, and does so for no other `invalid_grant`.
 */
function refusalsAsAuth0(provider: Provider): void {
  provider.on("grant.error", (ctx, { error, cause }) => {
    const isRefresh = ctx.oidc.params?.["grant_type"] === "refresh_token";
    if (error === "access_denied") ctx.status = 403;
    else if (error === "invalid_client") refuse(ctx, 401, "access_denied", "Unauthorized");
    else if (error === "invalid_grant") {
      refuse(ctx, 403, error, isRefresh ? "Unknown or invalid refresh token." : refusedCode(cause));
    }
  });
}

function refuse(ctx: KoaContextWithOIDC, status: number, error: string, description: string): void {
  ctx.status = status;
  ctx.body = { error, error_description: description };
}

/** The provider gives a cause where the code itself is right, and the verifier is not. */
function refusedCode(cause: unknown): string {
  return cause === undefined ? "Invalid authorization code" : "Failed to verify code verifier";
}

function configurationOf(parts: IssuerParts, key: JWK, asked: WeakMap<object, ActionResult>): Configuration {
  const { settings, tenant, url } = parts;
  const apis = new Map((settings.apis ?? []).map((api) => [api.identifier, api]));

  return {
    adapter: memoryAdapter(parts.now, (model, userId) => tenant().users.loginAge(model, userId)),
    clients: settings.applications.map(clientOf),
    jwks: { keys: [key] },
    routes: ROUTES,
    scopes: ["openid", OFFLINE.inside],
    claims: { openid: ["sub"], profile: ["name", "nickname", "picture", "given_name", "family_name", "updated_at"],
      email: ["email", "email_verified"] },
    // Auth0 puts the profile into the ID token.
    conformIdTokenClaims: false,
    extraParams: AUTH0_PARAMS,
    pkce: { required: (_ctx, client) => client.clientAuthMethod === "none" },
    clientBasedCORS: (_ctx, origin, client) =>
      settings.applications.some(({ clientId, origins }) => clientId === client.clientId && origins.includes(origin)),
    interactions: { url: (_ctx, interaction) => `/u/${interaction.uid}`, policy: loginOnly() },
    cookies: { names: { session: "auth0", interaction: "auth0_page", resume: "auth0_resume" }, keys: [randomUUID()] },
    ttl: { AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? DAY_S, IdToken: ID_TOKEN_S,
      Session: SESSION_S, Grant: REFRESH_S, Interaction: PAGE_S, RefreshToken: REFRESH_S, AuthorizationCode: 60 },
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client, code) =>
      Promise.resolve(client.grantTypeAllowed("refresh_token") && code.scopes.has(OFFLINE.inside)),
    renderError: (ctx, out) => {
      ctx.type = "html";
      ctx.body = errorPage(out.error, out.error_description ?? "");
    },
    findAccount: (_ctx, id) => accountOf(id, tenant()),
    loadExistingGrant: everythingGranted,
    extraTokenClaims: async (ctx, token) => {
      if (token.kind !== "AccessToken") return undefined;
      const result = await actionsOf(ctx, token.accountId, parts);
      asked.set(ctx, result);
      return { ...result.accessToken };
    },
    formats: { customizers: { jwt: (_ctx, _token, parts) => {
      parts.header = { ...parts.header, typ: "JWT" };
      parts.payload = asAuth0(parts.payload, url);
    } } },
    features: { devInteractions: { enabled: false }, revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true }, userinfo: { enabled: true },
      webMessageResponseMode: { enabled: true, ack: "individual-draft-01" },
      resourceIndicators: { enabled: true,
        defaultResource: (ctx, _client, oneOf) => oneOf?.[0] ?? textOf(ctx.oidc.params?.["audience"]) ?? [],
        useGrantedResource: () => true, getResourceServerInfo: (_ctx, audience) => {
          const api = apis.get(audience);
          // As Auth0 words it.
          if (api === undefined) throw new errors.AccessDenied(`Service not found: ${audience}`);
          return { scope: ["openid", "profile", "email", OFFLINE.inside, ...(api.scopes ?? [])].join(" "), audience,
            accessTokenFormat: "jwt", accessTokenTTL: api.tokenSeconds ?? DAY_S, jwt: { sign: { alg: "RS256" } } };
        } } },
  };
}

function clientOf({ clientId, clientSecret, name, callbacks, logoutUrls }: LoginApplication) {
  return { client_id: clientId, ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
    client_name: name, redirect_uris: [...callbacks], post_logout_redirect_uris: [...logoutUrls],
    grant_types: ["authorization_code", "refresh_token"], response_types: ["code" as const],
    token_endpoint_auth_method: clientSecret === undefined ? ("none" as const) : ("client_secret_post" as const),
    id_token_signed_response_alg: "RS256" as const };
}

/** First-party applications ask nobody for consent: the one prompt is the login. */
function loginOnly() {
  const policy = interactionPolicy.base();
  policy.remove("consent");
  const nobody = policy.get("login")?.checks.get("no_session");
  if (nobody !== undefined) nobody.description = "Login required";
  return policy;
}

/** First-party applications get what they ask for, as far as the API has it. */
async function everythingGranted(ctx: KoaContextWithOIDC) {
  const { client, params, provider, session } = ctx.oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const known = session.grantIdFor(client.clientId);
  const grant = (known === undefined ? undefined : await provider.Grant.find(known)) ??
    new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  const scope = textOf(params?.["scope"]) ?? "";
  const audience = textOf(params?.["audience"]);
  grant.addOIDCScope(scope);
  if (audience !== undefined) grant.addResourceScope(audience, scope);
  await grant.save();
  return grant;
}

/** Runs the post-login Actions for a token that is about to be issued, and keeps what they set on the user. */
async function actionsOf(ctx: KoaContextWithOIDC, accountId: string,
  { settings, tenant, now, url }: IssuerParts): Promise<ActionResult> {
  const { client, entities, params } = ctx.oidc;
  const granted = entities.AuthorizationCode ?? entities.RefreshToken;
  const audience = [granted?.resource].flat()[0] ?? textOf(params?.["audience"]);
  const user = tenant().users.byId(accountId);
  const result = await runActions(settings.actions ?? [], { user,
    roles: tenant().roles.of(accountId).map(({ name }) => name),
    client: { id: client?.clientId ?? "", name: client?.clientName ?? "" }, audience,
    scopes: outsideScopes([...(granted?.scopes ?? [])]),
    protocol: entities.RefreshToken === undefined ? "oidc-basic-profile" : "oauth2-refresh-token",
    tenant: new URL(url).host, now: now() });
  if (result.denied !== null) throw new errors.AccessDenied(result.denied);
  const isChanged = Object.keys(result.appMetadata).length > 0 || Object.keys(result.userMetadata).length > 0;
  if (isChanged) {
    tenant().users.update(accountId, {
      ...(Object.keys(result.appMetadata).length > 0 ? { app_metadata: result.appMetadata } : {}),
      ...(Object.keys(result.userMetadata).length > 0 ? { user_metadata: result.userMetadata } : {}),
    });
  }
  return result;
}

/** Who a token is about. A user who was deleted or blocked gets none any more. */
function accountOf(id: string, { users }: Tenant) {
  const user = users.all().find((one) => one.id === id);
  if (user === undefined || user.blocked === true) return undefined;
  return { accountId: id, claims: () => claimsOf(user) };
}

function claimsOf(user: User) {
  return { sub: user.id, ...user.profile, updated_at: new Date(user.updatedAt).toISOString(), email: user.email,
    email_verified: user.emailVerified };
}

/** Claims of an access token as Auth0 makes it: for the API and `/userinfo`, with `azp` instead of `client_id`. */
function asAuth0(payload: Readonly<Record<string, unknown>>, url: string): Record<string, unknown> {
  const { client_id: azp, aud, scope, ...claims } = payload;
  Reflect.deleteProperty(claims, "jti");
  const scopes = outsideScopes(scopesOf(typeof scope === "string" ? scope : ""));
  const audience = scopes.includes("openid") ? [aud, `${url}/userinfo`] : aud;
  return { ...claims, aud: audience, azp, scope: scopes.join(" ") };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

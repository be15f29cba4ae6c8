/**
 * The post-login Action: puts the roles of a user with a verified email into the access token, and asks the service's
 * `bind` once for a user that it may not know yet (Google after buying with a password, or the reverse).
 *
 * `npm run tenant` compiles this file to the one CommonJS file that Auth0 takes. Auth0 runs it at every login, silent
 * ones and refreshed tokens too, under Node 22, which has `fetch`. It must never fail a login, needs no package, and
 * logs neither an email nor a token. The shapes below are the parts that it uses of Auth0's event and api objects,
 * from https://auth0.com/docs/customize/actions/explore-triggers/signup-and-login-triggers/login-trigger
 */
// As Auth0's own examples name it: should this fail to load, so would every login.
import { createHash } from "crypto";

/** What Auth0 tells of a login. */
export interface PostLoginEvent {
  /** The names of the roles assigned to the user; left out where the tenant has no roles. */
  readonly authorization?: { readonly roles?: readonly string[] };
  /**
   * The Action's own secrets:
   * - `ROLES_CLAIM`: the claim's name, a URL; Auth0 drops a custom claim without a namespace, or with its own, in
   *   silence
   * - `BIND_URL`, `BIND_TOKEN`: the service's `bind`; left out, it is not asked
   */
  readonly secrets: Readonly<Record<string, string | undefined>>;
  readonly user: {
    readonly user_id: string;
    /** Users of a telephone have none. */
    readonly email?: string;
    readonly email_verified?: boolean;
    /** Only the tenant's own rights write here, never the user. */
    readonly app_metadata?: unknown;
  };
}

/** What an Action may do about a login. */
export interface PostLoginApi {
  readonly accessToken: {
    /** Sets a claim of the access token about to be issued. */
    setCustomClaim(name: string, value: unknown): unknown;
  };
  readonly user: {
    /** Sets one key of the user's `app_metadata`, once the login is through; the other keys stay as they are. */
    setAppMetadata(key: string, value: unknown): unknown;
  };
}

/**
 * The time (ms) that a login waits for `bind`, at most: once a user as a rule. A function that nobody has asked for a
 * while takes over a second, and somebody who has paid should not find nothing at the first login.
 */
const BIND_MS = 3_000;
/** Who was answered without a role and has none asks again after this (ms): the purchase may have come since. */
const ASK_AGAIN_MS = 10 * 60_000;
/**
 * The key in `app_metadata` that says that `bind` was asked. A root key of its own: a change of the service's key
 * replaces that whole.
 */
const MARK = "gumroad_auth0_bound";

/** Auth0 calls this after a login, before it issues tokens. */
export async function onExecutePostLogin(event: PostLoginEvent, api: PostLoginApi): Promise<void> {
  try {
    await addRoles(event, api);
  } catch (error) {
    note("no roles were added", error);
  }
}

/**
 * Only the access token gets them: an API checks that one. An ID token tells a page who somebody is, and lives on
 * there for as long as the page keeps it.
 */
async function addRoles(event: PostLoginEvent, api: PostLoginApi): Promise<void> {
  const { user_id: userId, email, email_verified: isVerified, app_metadata: metadata } = event.user;
  if (isVerified !== true || email === undefined) return;
  const claim = secretOf(event, "ROLES_CLAIM");
  if (claim === undefined) {
    note("the secret ROLES_CLAIM is missing");
    return;
  }

  // By this the service knows who shows it a licence key. Set for verified emails alone.
  api.accessToken.setCustomClaim(`${claim}_email`, email);
  const roles = new Set([...textsOf(event.authorization?.roles), ...textsOf(at(metadata, "gumroad_auth0", "roles"))]);
  const emailHash = createHash("sha256").update(email).digest("hex");
  if (!wasAsked(at(metadata, MARK), emailHash, roles.size > 0)) {
    const answer = await askBind(event, { user_id: userId, email, email_verified: true });
    for (const role of answer?.roles ?? []) roles.add(role);
    if (answer?.pending === false) api.user.setAppMetadata(MARK, { email: emailHash, at: Date.now() });
    // So that a page can tell "nothing bought" from "not known yet".
    if (answer?.pending === true) api.accessToken.setCustomClaim(`${claim}_pending`, true);
  }
  api.accessToken.setCustomClaim(claim, [...roles].sort());
}

/** Whether `bind` need not be asked: it was, for this email, and the user has a role, or it was only just. */
function wasAsked(mark: unknown, emailHash: string, hasRoles: boolean): boolean {
  const askedAt = at(mark, "at");
  return at(mark, "email") === emailHash && typeof askedAt === "number" &&
    (hasRoles || Date.now() - askedAt < ASK_AGAIN_MS);
}

/**
 * The roles that the email's purchases give; `pending`: no answer yet, so that the next token may hold more. Null
 * where there is nobody to ask.
 */
async function askBind(event: PostLoginEvent,
  login: Readonly<Record<string, unknown>>
): Promise<{ readonly roles: readonly string[]; readonly pending: boolean } | null> {
  const url = secretOf(event, "BIND_URL");
  const token = secretOf(event, "BIND_TOKEN");
  if (url === undefined || token === undefined) return null;
  try {
    const response = await fetch(url, { method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify(login),
      redirect: "error", signal: AbortSignal.timeout(BIND_MS) });
    const answer: unknown = response.status === 200 ? await response.json() : null;
    const roles = at(answer, "roles");
    if (Array.isArray(roles)) return { roles: textsOf(roles), pending: at(answer, "pending") === true };
    note(`bind answered ${String(response.status)}, not with roles`);
  } catch (error) {
    note("bind gave no answer", error);
  }
  return { roles: [], pending: true };
}

/** A secret's value. A `##MARKER##` is one that the import had no value for. */
function secretOf({ secrets }: PostLoginEvent, name: string): string | undefined {
  const value = secrets[name];
  return value === undefined || value === "" || value.startsWith("##") ? undefined : value;
}

/** What stands at a path, whatever the value is. */
function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const key of path) found = typeof found === "object" && found !== null ? Reflect.get(found, key) : undefined;
  return found;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
}

/** Auth0 keeps 256 characters of an Action's log. An error's message may hold a URL, so its name must do. */
function note(what: string, error?: unknown): void {
  console.log(`gumroad-auth0: ${what}${error instanceof Error ? ` (${error.name})` : ""}`);
}

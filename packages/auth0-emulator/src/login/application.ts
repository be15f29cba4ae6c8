/** An application of the tenant that people log in to. */
export interface LoginApplication {
  readonly clientId: string;
  /** Left out: a page, which keeps no secret and is bound to its codes by PKCE. */
  readonly clientSecret?: string;
  /** Shown on the login page. */
  readonly name: string;
  /** Where a login may lead back to: `redirect_uri`, letter for letter. */
  readonly callbacks: readonly string[];
  /** Where a log-out may lead to: `returnTo`. */
  readonly logoutUrls: readonly string[];
  /** Pages that may ask for tokens: their origins. */
  readonly origins: readonly string[];
  /** Where links in mails end; default the first callback's origin. */
  readonly url?: string;
}

/** An API of the tenant: what access tokens with its `audience` are for. */
export interface LoginApi {
  readonly identifier: string;
  /** How long its access tokens live, seconds. Default Auth0's: a day. */
  readonly tokenSeconds?: number;
  /** Scopes that may be asked for besides OpenID's own. */
  readonly scopes?: readonly string[];
}

/** A post-login Action: the CommonJS file that Auth0 takes, and its secrets. */
export interface PostLoginAction {
  readonly name: string;
  readonly code: string;
  readonly secrets?: Readonly<Record<string, string>>;
}

/** What a tenant needs for people to log in. */
export interface LoginSettings {
  readonly applications: readonly LoginApplication[];
  readonly apis?: readonly LoginApi[];
  /** Run at every login and every refreshed token, in this order. */
  readonly actions?: readonly PostLoginAction[];
}

/** Where a person goes on from a mail. */
export function homeOf({ url, callbacks }: LoginApplication): string | undefined {
  const [first] = callbacks;
  return url ?? (first === undefined ? undefined : new URL(first).origin);
}

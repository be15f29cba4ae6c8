/** Who is logged in. */
export interface Account {
  readonly name: string;
  /** Null where the login has none. */
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly roles: ReadonlySet<string>;
  /** The purchases of this login are being looked up: the next token may hold more. */
  readonly pending: boolean;
}

/** A way to log in: Auth0, or the service's own. The page knows nothing else of either. */
export interface Session {
  /** Who came back from a login, or is still logged in; null: nobody. */
  begin(): Promise<Account | null>;
  /** Leads to the login. True: somebody is logged in. False: the page is on its way to where that happens. */
  logIn(): Promise<boolean>;
  logOut(): Promise<void>;
  /** Forgets the login on this page, and tells nobody. */
  forget(): Promise<void>;
  /** The same person with the roles of now, without a new login; null: the login is over. */
  renew(): Promise<Account | null>;
  /** How long a page that nobody looks at can leave the login unrenewed (ms). */
  unseenMs(): number;
  /** The access token to send. */
  token(): Promise<string>;
}

/** What the middle of a token says. Only an API can rest on it: it checks the signature, a page can't. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  const [, middle = ""] = token.split(".");
  const bytes = Uint8Array.from(atob(middle.replaceAll("-", "+").replaceAll("_", "/")),
    (byte) => byte.codePointAt(0) ?? 0);
  const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
  return typeof claims === "object" && claims !== null ? { ...claims } : {};
}

/** The names in a claim; none where it holds no list. */
export function rolesIn(claim: unknown): ReadonlySet<string> {
  return new Set(Array.isArray(claim) ? claim.filter((role) => typeof role === "string") : []);
}

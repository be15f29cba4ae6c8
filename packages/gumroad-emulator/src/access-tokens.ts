/** An access token of Gumroad's API. */
export interface AccessToken {
  readonly token: string;
  readonly scopes: readonly string[];
  /** The application it belongs to. */
  readonly application: string;
}

/** The live access tokens of the seller. */
export class AccessTokens {
  readonly #live = new Map<string, AccessToken>();

  constructor(tokens: readonly AccessToken[]) {
    for (const token of tokens) this.add(token);
  }

  /** Adds a token, or changes one's scopes. */
  add(token: AccessToken): void {
    this.#live.set(token.token, token);
  }

  /** Makes a token invalid; all of them if none is named. */
  revoke(token?: string): void {
    if (token === undefined) this.#live.clear();
    else this.#live.delete(token);
  }

  /** A token, if it is live. */
  find(token: string | undefined): AccessToken | undefined {
    return token === undefined ? undefined : this.#live.get(token);
  }

  /** Whether an application has a live token with this scope. */
  hasLive(application: string, scope: string): boolean {
    return [...this.#live.values()].some((known) => known.application === application && known.scopes.includes(scope));
  }
}

import { randomBytes } from "node:crypto";

import { Refusal } from "./refusal.ts";

/** How long a Management token lives, in seconds: Auth0's default for its own API. */
export const TOKEN_SECONDS = 86_400;

/** A Management token as `/oauth/token` hands it out. */
export interface IssuedToken {
  readonly accessToken: string;
  /** The scopes, fixed at issue: a later change of the client's grant shows only in new tokens, as with Auth0. */
  readonly scopes: readonly string[];
}

/** The valid Management tokens. Several are valid at once, as with Auth0. */
export class Tokens {
  readonly #now: () => number;
  readonly #issued = new Map<string, { scopes: readonly string[]; expiresAt: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Issues a new token with these scopes. */
  issue(scopes: readonly string[]): IssuedToken {
    const accessToken = randomBytes(32).toString("base64url");
    this.#issued.set(accessToken, { scopes: [...scopes], expiresAt: this.#now() + TOKEN_SECONDS * 1000 });
    return { accessToken, scopes };
  }

  /** The scopes of an `authorization` header's token. Throws the 401 (400 for a header that is no Bearer token). */
  scopesOf(authorization: string | undefined): readonly string[] {
    if (authorization === undefined || authorization === "") throw new Refusal(401, "Missing authentication");
    const [, accessToken] = /^Bearer (\S+)$/iu.exec(authorization) ?? [];
    if (accessToken === undefined) throw new Refusal(400, "Bad HTTP authentication header format");
    const token = this.#issued.get(accessToken);
    if (token === undefined) throw new Refusal(401, "Invalid token");
    if (this.#now() >= token.expiresAt) throw new Refusal(401, "Expired token received for JSON Web Token validation");
    return token.scopes;
  }

  /** Makes every token issued so far invalid. */
  revokeAll(): void {
    this.#issued.clear();
  }
}

import { decodeJwt, errors, type JWTPayload } from "jose";

import { TokenRefused } from "./errors.ts";

/** Whom a valid token speaks for. */
export interface Identity {
  /** Who says so. Only together with it does `subject` name one person: anybody may sign up with us as "auth0|ann". */
  readonly issuer: string;
  /** The token's `sub`: our username, or the provider's user id. */
  readonly subject: string;
  /** Role names; empty if the token carries none. */
  readonly roles: readonly string[];
  /** The verified email, where the issuer says so: our own accounts have none. */
  readonly email?: string | undefined;
}

/** Checks a token. Throws {@link TokenRefused}, or TemporaryError where it can't be told at the moment. */
export type VerifyToken = (token: string) => Promise<Identity>;

/**
 * One check for the tokens of several issuers. A token's `iss` only picks among those that we configured; the issuer's
 * own check decides, with its own keys and algorithm, and reads `iss` again from what was signed.
 */
export function anyIssuer(issuers: ReadonlyMap<string, VerifyToken>): VerifyToken {
  return (token) =>
    refusing(token, async () => {
      const verify = issuers.get(decodeJwt(token).iss ?? "");
      if (verify === undefined) throw new TokenRefused("The token is from an issuer that is not accepted here");
      return verify(token);
    });
}

/** In Base64 the last character of a part may hold bits that nobody reads: written otherwise, it would pass, too. */
function isCanonical(token: string): boolean {
  return token.split(".").every((part) => Buffer.from(part, "base64url").toString("base64url") === part);
}

/** Runs a check of a token, and turns what is wrong with it into TokenRefused with a reason for the caller. */
export async function refusing<T>(token: string, check: () => Promise<T>): Promise<T> {
  if (!isCanonical(token)) throw new TokenRefused("The token is not valid");
  try {
    return await check();
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new TokenRefused("The token has expired", { cause: error });
    if (error instanceof errors.JOSEError) throw new TokenRefused("The token is not valid", { cause: error });
    throw error;
  }
}

/** The `sub` of a checked token, which jose leaves unread: TokenRefused if it is empty or no text. */
export function subjectOf({ sub }: JWTPayload): string {
  if (typeof sub === "string" && sub !== "") return sub;
  throw new TokenRefused("The token is not valid");
}

/**
 * Our own tokens: JWTs signed with Ed25519.
 *
 * Why not HS256: with one shared secret whoever can check a token can also make one. A public key can be handed to
 * a course platform, and a retired key can lose its private half at once while its last tokens still pass.
 */
import { importJWK, type JWTHeaderParameters, jwtVerify, SignJWT } from "jose";

import { NeedsPersonError } from "../errors.ts";
import type { AccountsSecret, AccountsSecretSource } from "./accounts-secret.ts";
import { TokenRefused } from "./errors.ts";
import { refusing, subjectOf, type VerifyToken } from "./identity.ts";

/** The one algorithm. Tokens that name another are refused, whatever their key. */
const algorithm = "EdDSA";

/** The `typ` of our tokens, our own so that no other kind of token signed by the same keys could stand in. */
const tokenType = "account+jwt";

/** How long a token is good. There is no log-out list: this is the longest a stolen one is of use. */
export const tokenLifetimeSeconds = 900;

/** How far clocks may differ. */
const clockToleranceSeconds = 5;

/** What tokens are made with. `now` gives epoch milliseconds. */
export interface TokenSettings {
  readonly secret: AccountsSecretSource;
  readonly issuer: string;
  readonly audience: string;
  readonly now?: () => number;
}

/** Makes and checks our tokens. */
export interface Tokens {
  /** A token for this user, good for {@link tokenLifetimeSeconds}. */
  issue(username: string): Promise<string>;
  verify: VerifyToken;
}

/** Our tokens, with the keys of the secret. */
export function createTokens({ secret, issuer, audience, now = Date.now }: TokenSettings): Tokens {
  /**
   * The token's `kid` picks among our own keys and no more. A key put in a moment ago is unknown to
   * a warm process, so an unknown `kid` has the secret read again before the token is refused.
   */
  async function keyFor({ kid }: JWTHeaderParameters) {
    const byKid = ({ keys }: AccountsSecret) => keys.find((key) => key.kid === kid);
    const key = kid === undefined ? undefined : (byKid(await secret.get()) ?? byKid(await secret.reread()));
    if (key === undefined) throw new TokenRefused("The token is signed with a key that is not in use");
    const { kty, crv, x } = key;
    return importJWK({ kty, crv, x }, algorithm);
  }

  return { async issue(username) {
    const { keys, sign_with } = await secret.get();
    const key = keys.find(({ kid }) => kid === sign_with);
    if (key?.d === undefined) {
      throw new NeedsPersonError("SIGNING_KEY_MISSING", "The accounts secret's sign_with names no key that can sign.");
    }
    const { kid, kty, crv, x, d } = key;
    const issuedAt = Math.floor(now() / 1_000);
    return new SignJWT()
      .setProtectedHeader({ alg: algorithm, typ: tokenType, kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(username)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + tokenLifetimeSeconds)
      .sign(await importJWK({ kty, crv, x, d }, algorithm));
  }, verify: (token) =>
    refusing(token, async () => {
      const { payload } = await jwtVerify(token, keyFor, {
        algorithms: [algorithm],
        typ: tokenType,
        issuer,
        audience,
        requiredClaims: ["exp", "iat", "sub"],
        // Also refuses what was issued in the future.
        maxTokenAge: tokenLifetimeSeconds,
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(now()),
      });
      const { exp = Infinity, iat = 0 } = payload;
      if (exp - iat > tokenLifetimeSeconds) throw new TokenRefused("The token is not valid");
      return { issuer, subject: subjectOf(payload), roles: [] };
    }) };
}

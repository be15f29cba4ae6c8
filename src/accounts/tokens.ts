/**
 * Our own tokens: JWTs signed with Ed25519. With HS256 whoever can check a token could also make one; a public key can
 * be handed to a course platform, and a retired key lose its private half while its last tokens still pass.
 */
import { importJWK, type JWTHeaderParameters, jwtVerify, SignJWT } from "jose";
import * as z from "zod/mini";

import type { Secret } from "../config/secret.ts";
import { NeedsPersonError } from "../errors.ts";
import type { AccountsSecret } from "./accounts-secret.ts";
import { TokenRefused } from "./errors.ts";
import { type Identity, refusing, subjectOf } from "./identity.ts";

/** The one algorithm. Tokens that name another are refused, whatever their key. */
const algorithm = "EdDSA";

/** The `typ` of our tokens, our own so that no other kind of token signed by the same keys could stand in. */
const tokenType = "account+jwt";

/** Of whom a token speaks, and of which login. */
export interface Login {
  readonly subject: string;
  /** The roles at the time it was made: they show that long. */
  readonly roles: readonly string[];
  /** When the password was typed (epoch seconds). Renewing a token doesn't change it. */
  readonly loggedInAt: number;
  /** Since when that password is in force (ISO 8601). Left out: of an earlier version, and not renewed. */
  readonly passwordSince?: string | undefined;
  /** The user asked to stay logged in for long. */
  readonly remember: boolean;
}

/** What tokens are made with. `now` gives epoch milliseconds. */
export interface TokenSettings {
  readonly secret: Secret<AccountsSecret>;
  readonly issuer: string;
  readonly audience: string;
  /** How long a token is good. There is no log-out list: this is the longest a stolen one is of use. */
  readonly lifetimeSeconds: number;
  readonly now?: () => number;
}

/** Makes and checks our tokens. */
export type Tokens = ReturnType<typeof createTokens>;

/** What a token may say besides; one of an earlier version has none of it. */
const claimsShape = z.object({ roles: z._default(z.array(z.string()), []), auth_time: z.optional(z.number()),
  password_since: z.optional(z.string()), remember: z._default(z.boolean(), false) });

/** Our tokens, with the keys of the secret. */
export function createTokens({ secret, issuer, audience, lifetimeSeconds, now = Date.now }: TokenSettings) {
  /** A token's `kid` picks among our own keys. An unknown one may be of a moment ago: the secret is read again. */
  async function keyFor({ kid }: JWTHeaderParameters) {
    const byKid = ({ keys }: AccountsSecret) => keys.find((key) => key.kid === kid);
    const key = kid === undefined ? undefined : (byKid(await secret.get()) ?? byKid(await secret.reread()));
    if (key === undefined) throw new TokenRefused("The token is signed with a key that is not in use");
    const { kty, crv, x } = key;
    return importJWK({ kty, crv, x }, algorithm);
  }

  async function issue({ subject, roles, loggedInAt, passwordSince, remember }: Login): Promise<string> {
    const { keys, sign_with } = await secret.get();
    const key = keys.find(({ kid }) => kid === sign_with);
    if (key?.d === undefined) {
      throw new NeedsPersonError("SIGNING_KEY_MISSING", "The accounts secret's sign_with names no key that can sign.");
    }
    const { kid, kty, crv, x, d } = key;
    const iat = Math.floor(now() / 1_000);
    return new SignJWT({ iss: issuer, aud: audience, sub: subject, iat, exp: iat + lifetimeSeconds,
      auth_time: loggedInAt, password_since: passwordSince, roles: [...roles], ...(remember ? { remember } : {}) })
      .setProtectedHeader({ alg: algorithm, typ: tokenType, kid })
      .sign(await importJWK({ kty, crv, x, d }, algorithm));
  }

  function verify(token: string): Promise<Identity & Login> {
    return refusing(token, async () => {
      // maxTokenAge also refuses what was issued in the future.
      const { payload } = await jwtVerify(token, keyFor, { algorithms: [algorithm], typ: tokenType, issuer, audience,
        requiredClaims: ["exp", "iat", "sub"], maxTokenAge: lifetimeSeconds, clockTolerance: 5,
        currentDate: new Date(now()) });
      const { exp = Infinity, iat = 0 } = payload;
      const claims = claimsShape.safeParse(payload);
      if (!claims.success || exp - iat > lifetimeSeconds) throw new TokenRefused("The token is not valid");
      const { roles, auth_time: loggedInAt = iat, password_since: passwordSince, remember } = claims.data;
      return { issuer, subject: subjectOf(payload), roles, loggedInAt, passwordSince, remember };
    });
  }

  return { issue, verify };
}

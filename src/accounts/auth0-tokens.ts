import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from "jose";
import * as z from "zod/mini";

import { isBaseUrl } from "../config/base-url.ts";
import { ConfigError, TemporaryError } from "../errors.ts";
import { refusing, subjectOf, type VerifyToken } from "./identity.ts";

/** Fetched keys are used for so long without asking again: a key that the tenant withdraws counts no longer. */
const keysFreshMs = 600_000;
/** While Auth0 is away, keys no older than this go on counting. */
const keysKeptMs = 86_400_000;

/** Which tokens of Auth0 are accepted. `now` gives epoch milliseconds. */
export interface Auth0TokenSettings {
  /** As in the token's `iss`: `https://TENANT.auth0.com/`. */
  readonly issuer: string;
  /** The API's identifier. */
  readonly audience: string;
  /** The claim with the role names, a URL; with `_email` behind it, that with the verified email. */
  readonly rolesClaim: string | undefined;
  readonly now?: () => number;
  /** How long a fetch of the keys may take, to its end. Default 3 s: a cold `private` still answers in time. */
  readonly fetchTimeoutMs?: number;
}

const claimsShape = z.object({ roles: z.catch(z.array(z.string()), []),
  email: z.catch(z.optional(z.string()), undefined) });

/**
 * A check of Auth0's access tokens by the tenant's public keys. Build it once a process: it keeps the keys, so that a
 * warm call asks nobody.
 * @throws {ConfigError} SETTING_INVALID if the issuer is not a URL that keys may be fetched from
 */
export function createAuth0Verifier(
  { issuer, audience, rolesClaim, now = Date.now, fetchTimeoutMs = 3_000 }: Auth0TokenSettings,
): VerifyToken {
  // Keys that came over plain http could be anybody's, except from this machine itself.
  if (!isBaseUrl(issuer)) {
    throw new ConfigError("SETTING_INVALID", "AUTH0_ISSUER has to be an https URL: https://TENANT.auth0.com/.");
  }
  const keyFor = tenantKeys(new URL(".well-known/jwks.json", issuer), fetchTimeoutMs);

  return (token) =>
    refusing(token, async () => {
      const { payload } = await jwtVerify(token, keyFor, { algorithms: ["RS256"], issuer, audience,
        requiredClaims: ["exp", "sub"], clockTolerance: 5, currentDate: new Date(now()) });
      const claimed = rolesClaim === undefined
        ? {}
        : { roles: payload[rolesClaim], email: payload[`${rolesClaim}_email`] };
      return { issuer, subject: subjectOf(payload), ...claimsShape.parse(claimed) };
    });
}

/** jose keeps the keys and fetches them for an unknown `kid`; we ask early, to have some while Auth0 is away. */
function tenantKeys(url: URL, timeoutDuration: number): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(url, { cacheMaxAge: keysKeptMs, timeoutDuration });
  let askedAt = Date.now();

  return async (header, token) => {
    try {
      if (keys.fresh && Date.now() - askedAt >= keysFreshMs) {
        askedAt = Date.now();
        await keys.reload().catch(() => undefined);
      }
      return await keys(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      throw new TemporaryError("AUTH0_KEYS_UNREACHABLE",
        "Auth0's keys could not be fetched, so its tokens can't be checked.", { cause: error });
    }
  };
}

/** Access tokens of the provider, Auth0: checked with the tenant's public keys, which are fetched rarely and kept. */
import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, jwtVerify, type JWTVerifyGetKey } from "jose";
import * as z from "zod/mini";

import { ConfigError, TemporaryError } from "../errors.ts";
import { refusing, subjectOf, type VerifyToken } from "./identity.ts";

/** The algorithm of Auth0's access tokens for an API, pinned. */
const algorithm = "RS256";

/** How long fetched keys are used without asking again; jose's default, too. */
const keysFreshMs = 600_000;
/** A token with an unknown `kid` has the keys fetched again, at most so often. */
const keysCooldownMs = 30_000;
/** After a failed fetch the next one waits so long: callers must not each hang on a dead provider. */
const failureCooldownMs = 5_000;
/**
 * While the provider is away, keys no older than this still count: long enough for an outage, short for a key
 * withdrawn.
 */
const keysKeptMs = 86_400_000;
/** A tenant has a few keys of about 2 KB; of a longer answer no more is read. */
const longestKeySetBytes = 65_536;
const clockToleranceSeconds = 5;

/** Which tokens of Auth0 are accepted. `now` gives epoch milliseconds. */
export interface Auth0TokenSettings {
  /** As in the token's `iss`: `https://TENANT.auth0.com/`, with its trailing slash (added if missing). */
  readonly issuer: string;
  /** The API's identifier. */
  readonly audience: string;
  /** The claim with the role names. Auth0 drops names that are not a namespace: `https://example.com/roles`. */
  readonly rolesClaim: string | undefined;
  readonly now?: () => number;
  /**
   * How long a fetch of the keys may take, to the end of its body. Default 3 s, so that a cold `private` still answers
   * in time.
   */
  readonly fetchTimeoutMs?: number;
}

/** The issuer as it stands in Auth0's tokens: ending in a slash. */
export function auth0Issuer(setting: string): string {
  return setting.endsWith("/") ? setting : `${setting}/`;
}

/** Enough to tell keys from an error page; what is in them is for jose to judge. */
const keySetShape = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });
const rolesShape = z.catch(z.array(z.string()), []);

/**
 * A check of Auth0's access tokens. Build it once a process: it holds the keys. A warm call asks nobody.
 * @throws {ConfigError} SETTING_INVALID if the issuer is not a URL that keys may be fetched from
 */
export function createAuth0Verifier(
  { issuer: setting, audience, rolesClaim, now = Date.now, fetchTimeoutMs = 3_000 }: Auth0TokenSettings,
): VerifyToken {
  const issuer = auth0Issuer(setting);
  const keyFor = tenantKeys(keysUrl(issuer), now, fetchTimeoutMs);

  return (token) =>
    refusing(async () => {
      const { payload } = await jwtVerify(token, keyFor, {
        algorithms: [algorithm],
        issuer,
        audience,
        requiredClaims: ["exp", "sub"],
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(now()),
      });
      return {
        issuer,
        subject: subjectOf(payload),
        roles: rolesClaim === undefined ? [] : rolesShape.parse(payload[rolesClaim]),
      };
    });
}

/** Keys that came over plain http could be anybody's, except from this machine itself. */
function keysUrl(issuer: string): URL {
  const url = URL.parse(".well-known/jwks.json", issuer);
  const isLoopback = url !== null && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  if (url === null || !(url.protocol === "https:" || (url.protocol === "http:" && isLoopback))) {
    throw new ConfigError("SETTING_INVALID",
      "AUTH0_ISSUER has to be an https URL, such as https://TENANT.auth0.com/.");
  }
  return url;
}

/**
 * The tenant's key for a token. jose keeps the keys and fetches them again for an unknown `kid`, but once they are ten
 * minutes old and the provider is away it refuses everybody: then the kept ones go on counting for a while.
 */
function tenantKeys(url: URL, now: () => number, timeoutDuration: number): JWTVerifyGetKey {
  let failedAt = Number.NEGATIVE_INFINITY;
  let fetchedAt = Number.NEGATIVE_INFINITY;

  const remote = createRemoteJWKSet(url, {
    cacheMaxAge: keysFreshMs,
    cooldownDuration: keysCooldownMs,
    timeoutDuration,
    [customFetch]: async (address, options) => {
      if (now() - failedAt < failureCooldownMs) throw new TypeError("The keys could not be fetched a moment ago");
      try {
        const response = await fetch(address, options);
        if (response.status !== 200) throw new TypeError(`The keys were answered with ${String(response.status)}`);
        const keySet = keySetShape.parse(JSON.parse(await textOf(response)));
        fetchedAt = now();
        return Response.json(keySet);
      } catch (error) {
        failedAt = now();
        throw error;
      }
    },
  });

  return async (header, token) => {
    try {
      return await remote(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      const kept = now() - fetchedAt < keysKeptMs ? remote.jwks() : undefined;
      if (kept === undefined) throw unavailable(error);
      // A `kid` that the kept keys don't have may be a new one: nobody can say as long as the provider is away.
      return await createLocalJWKSet(kept)(header, token).catch(() => Promise.reject(unavailable(error)));
    }
  };
}

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > longestKeySetBytes) throw new TypeError("The answer is far longer than a tenant's keys");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function unavailable(cause: unknown): TemporaryError {
  return new TemporaryError("AUTH0_KEYS_UNREACHABLE",
    "Auth0's keys could not be fetched, so its tokens can't be checked.", { cause });
}

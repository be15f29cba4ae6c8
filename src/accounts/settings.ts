import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

import { awsLimits } from "../config/aws.ts";
import { secretOf } from "../config/secret.ts";
import { chosenSetting, requiredSetting } from "../config/settings.ts";
import { ConfigError, NeedsPersonError } from "../errors.ts";
import { HttpError } from "../http/errors.ts";
import { accountsSecretShape } from "./accounts-secret.ts";
import { type Auth0TokenSettings, createAuth0Verifier } from "./auth0-tokens.ts";
import { anyIssuer, type VerifyToken } from "./identity.ts";
import type { Accounts } from "./log-in.ts";
import { createTokens, type TokenSettings } from "./tokens.ts";

const optional = (value: string | undefined) => (value === "" ? undefined : value);

/**
 * ACCOUNTS_SECRET (name or ARN; read at the first request, kept for five minutes; HttpError 404 as long as it has no
 * value), ACCOUNTS_ISSUER, ACCOUNTS_AUDIENCE, and ACCOUNTS_LIFETIME_SECONDS, a minute to a day.
 * @throws {ConfigError} SETTING_MISSING, SETTING_INVALID
 */
export function tokenSettings(env: NodeJS.ProcessEnv = process.env): TokenSettings {
  const client = new SecretsManagerClient(awsLimits({ connectMs: 500, requestMs: 1_500, attempts: 2 }));
  const { get, reread } = secretOf({ client, id: requiredSetting("ACCOUNTS_SECRET", env),
    shape: accountsSecretShape });
  return { secret: { get: () => get().catch(switchedOff), reread: () => reread().catch(switchedOff) },
    issuer: requiredSetting("ACCOUNTS_ISSUER", env), audience: requiredSetting("ACCOUNTS_AUDIENCE", env),
    lifetimeSeconds: lifetimeSetting(requiredSetting("ACCOUNTS_LIFETIME_SECONDS", env)) };
}

function lifetimeSetting(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 60 && seconds <= 86_400) return seconds;
  throw new ConfigError("SETTING_INVALID", `ACCOUNTS_LIFETIME_SECONDS is "${text}": it takes 60 to 86400.`);
}

/** Whoever leaves the secret empty doesn't want this login: nothing is wrong then, and nobody has to mend it. */
function switchedOff(error: unknown): never {
  if (!(error instanceof NeedsPersonError) || error.code !== "SECRET_MISSING") throw error;
  throw new HttpError(404, "This login is off: its secret has no value.", { cause: error });
}

/**
 * AUTH0_ISSUER, AUTH0_AUDIENCE and ROLES_CLAIM; undefined without the first two: then only our own tokens count.
 * @throws {ConfigError} SETTING_INVALID if one of the two is missing, or the issuer is our own
 */
export function auth0Settings(env: NodeJS.ProcessEnv = process.env): Auth0TokenSettings | undefined {
  const issuer = optional(env["AUTH0_ISSUER"]);
  const audience = optional(env["AUTH0_AUDIENCE"]);
  if (issuer === undefined && audience === undefined) return undefined;
  if (issuer === undefined || audience === undefined) {
    throw new ConfigError("SETTING_INVALID", "AUTH0_ISSUER and AUTH0_AUDIENCE have to be set both, or neither.");
  }
  const asInTokens = issuer.endsWith("/") ? issuer : `${issuer}/`;
  if (asInTokens === env["ACCOUNTS_ISSUER"]) {
    throw new ConfigError("SETTING_INVALID",
      "ACCOUNTS_ISSUER has to differ from AUTH0_ISSUER: it tells whose rules a token is checked by.");
  }
  return { issuer: asInTokens, audience, rolesClaim: optional(env["ROLES_CLAIM"]) };
}

/** Checks our own tokens, and Auth0's where its settings are there. Build it once a process: it holds Auth0's keys. */
export function acceptedTokens(settings: TokenSettings): VerifyToken {
  const auth0 = auth0Settings();
  return anyIssuer(
    new Map<string, VerifyToken>([[settings.issuer, createTokens(settings).verify],
      ...(auth0 === undefined ? [] : [[auth0.issuer, createAuth0Verifier(auth0)] as const])]),
  );
}

/** SIGNUP: `open` (also when not set) or `closed`; else ConfigError SETTING_INVALID. */
export function signUpSetting(env: NodeJS.ProcessEnv = process.env): Accounts["signUp"] {
  return chosenSetting("SIGNUP", ["open", "closed"], { SIGNUP: optional(env["SIGNUP"]) ?? "open" });
}

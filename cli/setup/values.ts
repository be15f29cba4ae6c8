import { randomBytes } from "node:crypto";

import { accountsSecretShape } from "../../src/accounts/accounts-secret.ts";
import { newAccountsSecret } from "../../scripts/new-accounts-secret.ts";
import type { StoredSecret } from "../stage/secrets.ts";

/** A secret's JSON. */
export type SecretValue = Readonly<Record<string, unknown>>;

/** What can be kept of a stored secret. */
export function keptOf(stored: StoredSecret): SecretValue {
  return "value" in stored ? stored.value : {};
}

/** A token that nobody guesses: 32 random bytes, which stand in a URL as they are. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

/** How the tokens of a secret change. By default they stay, and one is made where there is none. */
export interface TokenChange {
  /** A new one goes first; the others are still taken. */
  readonly renew?: boolean;
  /** Only the first stays. */
  readonly forgetOld?: boolean;
}

/** The tokens of a secret, the current one first. None is thrown away, unless that is asked for. */
export function tokensOf(value: SecretValue,
  { renew = false, forgetOld = false }: TokenChange = {}): readonly [string, ...string[]] {
  const { tokens } = value;
  const known = Array.isArray(tokens)
    ? tokens.filter((token): token is string => typeof token === "string" && token !== "")
    : [];
  const [first, ...rest] = renew ? [newToken(), ...known] : known;
  if (first === undefined) return [newToken()];
  return forgetOld ? [first] : [first, ...rest];
}

/**
 * The accounts secret with what it lacks made up for: keys that sign, peppers. Null where that can't be done without
 * throwing away a key or pepper that is there.
 */
export async function completedAccounts(value: SecretValue): Promise<SecretValue | null> {
  if (accountsSecretShape.safeParse(value).success) return value;
  const fresh = await newAccountsSecret();
  if (value["keys"] === undefined && value["peppers"] === undefined) return { ...fresh };
  const signing = Array.isArray(value["keys"])
    ? value["keys"].findLast((key: unknown) => typeof key === "object" && key !== null && "d" in key && "kid" in key)
    : undefined;
  const candidates: SecretValue[] = [{ ...fresh, ...value }, { ...value, sign_with: signing?.kid }];
  return candidates.find((candidate) => accountsSecretShape.safeParse(candidate).success) ?? null;
}

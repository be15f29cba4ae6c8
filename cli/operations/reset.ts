import { randomBytes } from "node:crypto";

import { normalizeUsername } from "../../src/accounts/username.ts";
import { accountsTable, createUsers, hashOfCode } from "../../src/accounts/users.ts";
import { ConfigError } from "../../src/errors.ts";
import type { Operating } from "./operating.ts";

/** A code that stands once for an account's password. */
export interface OneTimeCode {
  readonly name: string;
  readonly code: string;
  /** Epoch ms. */
  readonly until: number;
}

const DAY_MS = 24 * 60 * 60_000;

/**
 * Makes a one-time code for an account, good for a day. Only its hash is stored.
 * @throws {ConfigError} ACCOUNT_UNKNOWN
 */
export async function oneTimeCode(typed: string, { stage, now }: Operating): Promise<OneTimeCode> {
  const name = normalizeUsername(typed);
  const code = randomBytes(16).toString("base64url");
  const until = now() + DAY_MS;
  const users = createUsers(accountsTable(stage.dynamo, stage.accounts));
  if (await users.offerCode(name, hashOfCode(code), until)) return { name, code, until };
  throw new ConfigError("ACCOUNT_UNKNOWN", `there is no account ${name}`);
}

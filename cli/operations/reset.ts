import { randomBytes } from "node:crypto";

import { normalizeUsername } from "../../src/accounts/username.ts";
import { accountsTable, hashOfCode, userKey } from "../../src/accounts/users.ts";
import { type Table, updateItem } from "../../src/dynamo/table.ts";
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
  const accounts = accountsTable(stage.dynamo, stage.accounts);
  if (await isOffered(accounts, name, hashOfCode(code), until)) return { name, code, until };
  throw new ConfigError("ACCOUNT_UNKNOWN", `there is no account ${name}`);
}

/** Lets a code stand for the password once, until then (epoch ms). False: there is no such user. */
export function isOffered(accounts: Table, name: string, hash: string, until: number): Promise<boolean> {
  return updateItem(accounts, userKey(name), "SET oneTime = :code", { condition: "attribute_exists(pk)",
    values: { ":code": { hash, until } } });
}

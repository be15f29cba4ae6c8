import { randomBytes } from "node:crypto";

import { accountsTable } from "../../src/accounts/accounts-table.ts";
import { normalizeUsername } from "../../src/accounts/username.ts";
import { createUsers, hashOfCode } from "../../src/accounts/users.ts";
import { ConfigError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { isoOf, momentOf } from "../terminal/moments.ts";

const DAY_MS = 24 * 60 * 60_000;

/**
 * Prints a one-time code for an account, good for a day. Only its hash is stored.
 * @throws {ConfigError} ACCOUNT_UNKNOWN
 */
export async function reset(typed: string, context: Context): Promise<ExitCode> {
  const { output, now } = context;
  const stage = await context.stage();
  const name = normalizeUsername(typed);
  const code = randomBytes(16).toString("base64url");
  const until = now() + DAY_MS;
  const isOffered = await createUsers(accountsTable(stage.dynamo, stage.accounts)).offerCode(name, hashOfCode(code),
    until);
  if (!isOffered) throw new ConfigError("ACCOUNT_UNKNOWN", `there is no account ${name}`);
  output.say(
    `${code}\nstands once for ${name}'s current password where a new one is chosen, until ${momentOf(until)}`,
  );
  output.result({ name, code, until: isoOf(until) });
  return EXIT.ok;
}

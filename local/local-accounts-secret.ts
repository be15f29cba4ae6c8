import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { type AccountsSecret, accountsSecretShape } from "../src/accounts/accounts-secret.ts";
import { newAccountsSecret } from "../scripts/new-accounts-secret.ts";
import { ConfigError } from "../src/errors.ts";

/**
 * The self-built login's keys of a local stack: new ones each time, or those kept beside the tables. Kept users could
 * not log in again under another pepper.
 * @throws {ConfigError} BAD_DATA_DIR if the kept ones can't be read
 */
export async function localAccountsSecret(dataDir: string | undefined): Promise<AccountsSecret> {
  if (dataDir === undefined) return newAccountsSecret();
  const file = path.join(dataDir, "accounts-secret.json");
  if (!existsSync(file)) {
    const made = await newAccountsSecret();
    writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
    return made;
  }
  try {
    return accountsSecretShape.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (cause) {
    throw new ConfigError("BAD_DATA_DIR",
      `${file} is not what npm start wrote; delete it, and the users of that folder's login are lost`, { cause });
  }
}

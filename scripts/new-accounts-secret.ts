import { randomBytes } from "node:crypto";

import { exportJWK, generateKeyPair } from "jose";

import { accountsSecretShape, type AccountsSecret } from "../src/accounts/accounts-secret.ts";

/** A fresh secret with one key and one pepper: what an operator puts in first, and what the local stage runs on. */
export async function newAccountsSecret(
  { kid = "1", pepperId = "1" }: { kid?: string; pepperId?: string } = {},
): Promise<AccountsSecret> {
  const { privateKey } = await generateKeyPair("EdDSA", { extractable: true });
  return accountsSecretShape.parse({ keys: [{ ...(await exportJWK(privateKey)), kid }], sign_with: kid,
    peppers: [{ id: pepperId, key: randomBytes(32).toString("base64url") }], pepper_with: pepperId });
}

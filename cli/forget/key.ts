import { GetSecretValueCommand, PutSecretValueCommand,
  ResourceNotFoundException } from "@aws-sdk/client-secrets-manager";

import { NeedsPersonError } from "../../src/errors.ts";
import { forgetSecretShape } from "../../src/provisioning/forgotten.ts";
import { newToken } from "../setup/values.ts";
import type { Stage } from "../stage/stage.ts";

/** The key of a stage's tombstones; null: nobody has made one yet. */
export type StoredKey = string | null;

/**
 * Reads the key of the tombstones.
 * @throws {NeedsPersonError} SECRET_INVALID: a new key would find none of the tombstones that there are
 */
export async function storedKey(stage: Stage): Promise<StoredKey> {
  const SecretId = secretId(stage);
  let text: string;
  try {
    text = (await stage.secretsManager.send(new GetSecretValueCommand({ SecretId }))).SecretString ?? "";
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return null;
    throw error;
  }
  const parsed = forgetSecretShape.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data.key;
  throw new NeedsPersonError("SECRET_INVALID",
    `the secret ${SecretId} isn't {"key":"…"}: bring back its version AWSPREVIOUS; with another key, whoever was ` +
      "forgotten could come back");
}

/**
 * Makes the key.
 * @throws {NeedsPersonError} SECRET_ABSENT where the stage has no such secret
 */
export async function makeKey(stage: Stage): Promise<string> {
  const key = newToken();
  try {
    await stage.secretsManager.send(
      new PutSecretValueCommand({ SecretId: secretId(stage), SecretString: JSON.stringify({ key }) }),
    );
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    throw new NeedsPersonError("SECRET_ABSENT",
      `the stage ${stage.name} has no secret ${secretId(stage)}: it is older than this program; deploy it first`, {
      cause: error,
    });
  }
  return key;
}

function secretId({ name }: Stage): string {
  return `gumroad-auth0/${name}/forget`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The cause would quote the secret.
    return null;
  }
}

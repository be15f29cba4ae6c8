import { DescribeSecretCommand, GetSecretValueCommand, PutSecretValueCommand,
  ResourceNotFoundException } from "@aws-sdk/client-secrets-manager";

import { accountsSecretShape } from "../../src/accounts/accounts-secret.ts";
import { auth0SecretShape } from "../../src/auth0/secret.ts";
import { bindSecretShape } from "../../src/at-login/bind.ts";
import { gumroadSecretShape } from "../../src/gumroad/secret.ts";
import { pingSecretShape } from "../../src/receiving/token.ts";
import type { Stage } from "./stage.ts";

/** The shapes of a stage's secrets, by the last part of their names. */
export const SECRET_SHAPES = { ping: pingSecretShape, auth0: auth0SecretShape, gumroad: gumroadSecretShape,
  accounts: accountsSecretShape, bind: bindSecretShape } as const;

/** The last part of a secret's name: `gumroad-auth0/{stage}/ping` … */
export type SecretName = keyof typeof SECRET_SHAPES;

/** All of them, in the order in which they are filled. */
export const SECRET_NAMES = ["ping", "auth0", "gumroad", "accounts", "bind"] as const;

/** A secret as it stands. */
export type StoredSecret =
  /** The stage doesn't have it: an older deployment. */
  | { readonly state: "absent" }
  /** Nobody has put a value in. */
  | { readonly state: "empty" }
  | {
    readonly state: "broken";
    /** What is wrong with it: key names, never values. */
    readonly problem: string;
    /** What can be kept of it: the keys of its JSON, if it is an object. */
    readonly value: Readonly<Record<string, unknown>>;
  }
  | { readonly state: "good"; readonly value: Readonly<Record<string, unknown>> };

/** A secret's full name. */
export function secretName({ name }: Pick<Stage, "name">, secret: SecretName): string {
  return `gumroad-auth0/${name}/${secret}`;
}

/** Reads a secret. Throws what the AWS SDK throws where the shell may not read it, or AWS can't be had. */
export async function readStored(stage: Stage, secret: SecretName): Promise<StoredSecret> {
  const SecretId = secretName(stage, secret);
  try {
    const { SecretString = "" } = await stage.secretsManager.send(new GetSecretValueCommand({ SecretId }));
    return judged(secret, SecretString);
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    // The same error for a secret that isn't there and for one without a value.
    return { state: (await exists(stage, SecretId)) ? "empty" : "absent" };
  }
}

async function exists(stage: Stage, SecretId: string): Promise<boolean> {
  try {
    await stage.secretsManager.send(new DescribeSecretCommand({ SecretId }));
    return true;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return false;
    throw error;
  }
}

function judged(secret: SecretName, text: string): StoredSecret {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The cause would quote the secret.
    return { state: "broken", problem: "it is no JSON", value: {} };
  }
  const entries = typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
  const parsed = SECRET_SHAPES[secret].safeParse(value);
  if (parsed.success) return { state: "good", value: entries };
  const keys = [...new Set(parsed.error.issues.map(({ path }) => path.join(".")))].filter((key) => key !== "");
  return { state: "broken",
    problem: keys.length === 0 ? "it is no JSON object" : `missing or wrong: ${keys.join(", ")}`, value: entries };
}

/** Writes a secret's value as JSON. AWS keeps the one before as the version AWSPREVIOUS. Throws as `readStored`. */
export async function writeSecret(stage: Stage, secret: SecretName,
  value: Readonly<Record<string, unknown>>): Promise<void> {
  await stage.secretsManager.send(
    new PutSecretValueCommand({ SecretId: secretName(stage, secret), SecretString: JSON.stringify(value) }),
  );
}

/**
 * Hashing passwords: argon2id from Node's own core, so that nothing native has to be packaged. Kept as a PHC string, a
 * hash carries its own parameters: they can be raised at any time, and every user moves over at the next login.
 */
import { argon2, type Argon2Parameters, randomBytes, timingSafeEqual } from "node:crypto";
import { isDeepStrictEqual, promisify } from "node:util";

import type { Secret } from "../config/secret.ts";
import { NeedsPersonError } from "../errors.ts";
import type { AccountsSecret } from "./accounts-secret.ts";

/** What one hash costs: OWASP's first choice for argon2id (Password Storage Cheat Sheet), `memory` in KiB. */
export const owaspCost = { memory: 19_456, passes: 2, parallelism: 1 };

/** What one hash costs. */
export type Argon2Cost = Readonly<typeof owaspCost>;

const saltBytes = 16;
const hashBytes = 32;

const argon2id = (parameters: Argon2Parameters): Promise<Buffer> => promisify(argon2)("argon2id", parameters);

/** `keyid` is the PHC format's own parameter for the secret input, at most 8 bytes in Base64. */
const phcPattern = new RegExp(
  String.raw`^\$argon2id\$v=19\$m=(?<memory>\d{1,7}),t=(?<passes>\d{1,3}),p=(?<parallelism>\d{1,2})` + String
    .raw`(?:,keyid=(?<keyid>[A-Za-z0-9+/]{1,11}))?\$(?<salt>[A-Za-z0-9+/]{11,86})\$(?<hash>[A-Za-z0-9+/]{16,86})$`,
  "u",
);

/** What hashes of one time share; `pepper` is its id. */
type Parameters = Argon2Cost & { readonly pepper: string | undefined };

type StoredHash = ReturnType<typeof readPhc>;

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}

function writePhc({ parameters: { memory, passes, parallelism, pepper }, salt, hash }: StoredHash): string {
  const keyid = pepper === undefined ? "" : `,keyid=${base64(Buffer.from(pepper))}`;
  const paid = `m=${String(memory)},t=${String(passes)},p=${String(parallelism)}`;
  return `$argon2id$v=19$${paid}${keyid}$${base64(salt)}$${base64(hash)}`;
}

function readPhc(stored: string): { readonly parameters: Parameters; readonly salt: Buffer; readonly hash: Buffer } {
  const groups = phcPattern.exec(stored)?.groups;
  if (groups === undefined) throw new TypeError("A stored password hash is not an argon2id PHC string");
  const { memory, passes, parallelism, keyid, salt = "", hash = "" } = groups;
  const pepper = keyid === undefined ? undefined : Buffer.from(keyid, "base64").toString();
  return { parameters: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism), pepper },
    salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") };
}

/**
 * Hashes and checks passwords, in their NFKC form and whole: "é" typed on two keyboards is one password.
 * A pepper is argon2's secret input, kept apart from the table of the hashes. It is replaced without locking anybody
 * out: add it to the secret, name it in `pepper_with`, and keep the old one until no hash names it. One that a warm
 * process doesn't know yet has the secret read again. Throws NeedsPersonError PEPPER_MISSING.
 */
export function createPasswords(
  { cost = owaspCost, secret, derive = argon2id }: { cost?: Argon2Cost; secret?: Secret<AccountsSecret>;
    derive?: typeof argon2id } = {},
) {
  async function pepperOf(id: string): Promise<Buffer> {
    const keyIn = (read: AccountsSecret | undefined) => read?.peppers?.find((pepper) => pepper.id === id)?.key;
    const key = keyIn(await secret?.get()) ?? keyIn(await secret?.reread());
    if (key !== undefined) return Buffer.from(key, "base64url");
    throw new NeedsPersonError("PEPPER_MISSING",
      `A stored password needs the pepper "${id}": put it back into the accounts secret (docs/security.md).`);
  }

  async function work(password: string, { pepper, ...paid }: Parameters, nonce: Buffer,
    tagLength: number): Promise<Buffer> {
    return derive({ ...paid, message: Buffer.from(password.normalize("NFKC")), nonce, tagLength,
      ...(pepper === undefined ? {} : { secret: await pepperOf(pepper) }) });
  }

  async function todays(): Promise<Parameters> {
    return { ...cost, pepper: (await secret?.get())?.pepper_with };
  }

  async function hashed(password: string): Promise<StoredHash> {
    const [parameters, salt] = [await todays(), randomBytes(saltBytes)];
    return { parameters, salt, hash: await work(password, parameters, salt, hashBytes) };
  }

  return {
    /** Hashes with a fresh salt, today's cost and today's pepper. */
    hash: async (password: string) => writePhc(await hashed(password)),
    /** Whether it is the stored hash's password, in constant time; without a hash, no, after the same work. */
    async verify(password: string, stored: string | undefined): Promise<boolean> {
      if (stored === undefined) return hashed(password).then(() => false);
      const { parameters, salt, hash } = readPhc(stored);
      return timingSafeEqual(await work(password, parameters, salt, hash.length), hash);
    },
    /** Whether a stored hash was made with another cost or pepper than today's. */
    async needsUpgrade(stored: string): Promise<boolean> {
      const { parameters, salt, hash } = readPhc(stored);
      return !isDeepStrictEqual(parameters, await todays()) || hash.length !== hashBytes || salt.length !== saltBytes;
    },
  };
}

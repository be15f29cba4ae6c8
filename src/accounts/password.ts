/**
 * Hashing passwords: argon2id from Node's own core, so that nothing native has to be packaged.
 * A hash is kept as a PHC string, which carries its own parameters: they can be raised at any time,
 * and every user moves over at the next login.
 */
import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import type { Argon2Parameters } from "node:crypto";

import { NeedsPersonError } from "../errors.ts";

/** What one hash costs. */
export interface Argon2Cost {
  /** KiB of memory. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** OWASP's first choice for argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane. */
export const owaspCost: Argon2Cost = { memory: 19_456, passes: 2, parallelism: 1 };

/** The peppers of the accounts secret: argon2's secret input, kept apart from the table that holds the hashes. */
export interface Peppers {
  /** The id of the pepper that new hashes use; undefined for none. */
  readonly current: string | undefined;
  /** Every pepper that a stored hash may still name. */
  readonly byId: ReadonlyMap<string, Uint8Array>;
}

/** Where the peppers come from. */
export interface PepperSource {
  /** The peppers, from memory if they are young. */
  get(): Promise<Peppers>;
  /** The peppers, read again if that was not just done. */
  reread(): Promise<Peppers>;
}

const none: Peppers = { current: undefined, byId: new Map() };

/** No pepper at all. */
const noPeppers: PepperSource = { get: () => Promise.resolve(none), reread: () => Promise.resolve(none) };

/** The argon2id function itself, to be counted or replaced in tests. */
export type Argon2id = (parameters: Argon2Parameters) => Promise<Buffer>;

/** Hashes and checks passwords. */
export interface Passwords {
  /** Hashes with a fresh salt, today's cost and today's pepper. */
  hash(password: string): Promise<string>;
  /** Whether this is the password of the stored hash, in constant time. @throws {NeedsPersonError} PEPPER_MISSING */
  verify(password: string, stored: string): Promise<boolean>;
  /** The work of `verify` where there is nobody to verify: always false. */
  verifyNobody(password: string): Promise<false>;
  /** Whether a stored hash was made with another cost or pepper than today's. */
  needsUpgrade(stored: string): Promise<boolean>;
}

const saltBytes = 16;
const hashBytes = 32;

function argon2id(parameters: Argon2Parameters): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2("argon2id", parameters, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}

/** `keyid` is the PHC format's own parameter for the secret input, at most 8 bytes in Base64. */
const phcPattern = new RegExp(
  String.raw`^\$argon2id\$v=19\$m=(?<memory>\d{1,7}),t=(?<passes>\d{1,3}),p=(?<parallelism>\d{1,2})` +
    String
      .raw`(?:,keyid=(?<keyid>[A-Za-z0-9+/]{1,11}))?\$(?<salt>[A-Za-z0-9+/]{11,86})\$(?<hash>[A-Za-z0-9+/]{16,86})$`,
  "u",
);

/** Everything that goes into a hash but the password. */
interface Parameters extends Argon2Cost {
  /** The pepper's id. */
  readonly pepper: string | undefined;
  readonly salt: Buffer;
}

interface StoredHash extends Parameters {
  readonly hash: Buffer;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}

function writePhc({ memory, passes, parallelism, pepper, salt, hash }: StoredHash): string {
  const keyid = pepper === undefined ? "" : `,keyid=${base64(Buffer.from(pepper))}`;
  return `$argon2id$v=19$m=${String(memory)},t=${String(passes)},p=${String(parallelism)}${keyid}$${base64(salt)}$${
    base64(hash)
  }`;
}

function readPhc(stored: string): StoredHash {
  const groups = phcPattern.exec(stored)?.groups;
  if (groups === undefined) throw new TypeError("A stored password hash is not an argon2id PHC string");
  const { memory = "", passes = "", parallelism = "", keyid, salt = "", hash = "" } = groups;
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    pepper: keyid === undefined ? undefined : Buffer.from(keyid, "base64").toString(),
    salt: Buffer.from(salt, "base64"),
    hash: Buffer.from(hash, "base64"),
  };
}

/**
 * Builds the hasher. A password is hashed in its NFKC form, whole: "é" typed on two keyboards is one password,
 * and nothing is cut off.
 *
 * A pepper is brought in or replaced without locking anybody out: add it to the secret, then name it as current, and
 * keep the old one until no hash names it. Users move over as they log in. A pepper that a warm process does not know
 * yet has the secret read again.
 */
export function createPasswords({
  cost = owaspCost,
  peppers = noPeppers,
  derive = argon2id,
}: { cost?: Argon2Cost; peppers?: PepperSource; derive?: Argon2id } = {}): Passwords {
  async function pepperOf(id: string): Promise<Uint8Array> {
    const key = (await peppers.get()).byId.get(id) ?? (await peppers.reread()).byId.get(id);
    if (key !== undefined) return key;
    throw new NeedsPersonError("PEPPER_MISSING",
      `A stored password needs the pepper "${id}": put it back into the accounts secret (docs/security.md).`);
  }

  async function work(password: string, { memory, passes, parallelism, pepper, salt }: Parameters,
    tagLength: number): Promise<Buffer> {
    return derive({
      message: Buffer.from(password.normalize("NFKC")),
      nonce: salt,
      memory,
      passes,
      parallelism,
      tagLength,
      ...(pepper === undefined ? {} : { secret: await pepperOf(pepper) }),
    });
  }

  async function todays(): Promise<Parameters> {
    return { ...cost, pepper: (await peppers.get()).current, salt: randomBytes(saltBytes) };
  }

  return {
    async hash(password) {
      const parameters = await todays();
      return writePhc({ ...parameters, hash: await work(password, parameters, hashBytes) });
    },
    async verify(password, stored) {
      const parsed = readPhc(stored);
      return timingSafeEqual(await work(password, parsed, parsed.hash.length), parsed.hash);
    },
    async verifyNobody(password) {
      await work(password, await todays(), hashBytes);
      return false;
    },
    async needsUpgrade(stored) {
      const { memory, passes, parallelism, pepper, hash, salt } = readPhc(stored);
      const { current } = await peppers.get();
      return (
        memory !== cost.memory ||
        passes !== cost.passes ||
        parallelism !== cost.parallelism ||
        pepper !== current ||
        hash.length !== hashBytes ||
        salt.length !== saltBytes
      );
    },
  };
}

/** Why a bundle holds each library that takes over 20 KB of it. Without a line here, a library may not be so big. */

/** A library's room in the bundles: what it is there for, the most KB of any bundle, and which bundles hold it. */
export interface Room {
  readonly why: string;
  readonly kb: number;
  readonly in: readonly string[];
}

const ALL = ["ping", "provision", "reconcile", "bind", "login", "verify", "private", "claim"];
const QUEUEING = ["ping", "provision", "reconcile", "bind", "claim"];
const TABLES = ["provision", "reconcile", "bind", "login", "verify", "claim"];

/** From here on a library needs a line below (KB). */
export const BIG_KB = 20;

/** By the library's name. */
export const rooms: Readonly<Record<string, Room>> = {
  "@smithy/core": { why: "what every AWS client calls with: schemas, signing, retries, HTTP", kb: 125, in: ALL },
  "@aws-sdk/core": { why: "signing and protocols of the AWS clients", kb: 25, in: ALL },
  "@aws-sdk/client-sqs": { why: "the queue between ping and provision", kb: 26, in: QUEUEING },
  "@aws-sdk/client-dynamodb": { why: "the ledger and the accounts", kb: 34, in: TABLES },
  zod: { why: "every boundary is parsed: bodies, rows, records, secrets (zod/mini)", kb: 48, in: ALL },
  qs: { why: "Gumroad's nested form fields, as Rack writes them", kb: 23, in: ["ping"] },
  auth0: { why: "users, roles and jobs of the Management API: three sub-clients, not the whole client", kb: 153,
    in: ["provision"] },
  jose: { why: "signing and checking tokens", kb: 28, in: ["login", "verify", "private", "claim"] },
  "@zxcvbn-ts/core": { why: "the strength meter of new passwords", kb: 37, in: ["login"] },
  "@zxcvbn-ts/language-en": { why: "English words and names that passwords are guessed by", kb: 1_290, in: ["login"] },
  "@zxcvbn-ts/language-common": { why: "the passwords that are guessed first", kb: 460, in: ["login"] },
};

/** The most source files that a start loads, by function: each costs its evaluation, whatever its size. */
export const modules: Readonly<Record<string, number>> = { ping: 470, provision: 615, reconcile: 505, bind: 475,
  login: 560, verify: 475, private: 405, claim: 520 };

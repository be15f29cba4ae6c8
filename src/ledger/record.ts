import * as z from "zod/mini";

import type { Source, SourceId, Sources } from "../access/facts.ts";
import { sourceIdShape, sourceShape } from "../facts-shape.ts";

/**
 * How far one role of one user is: `adding` and `removing` are marks, written before Auth0 is called and settled
 * after, so that whoever comes after a crash repeats them.
 */
export type Mark = "adding" | "has" | "removing";

/** One Auth0 user of a buyer, by user id in the record. */
export interface BoundUser {
  /** `created` by us, or found with a `verified` email. */
  readonly origin: "created" | "verified";
  /** Roles the user had before we came: never removed. */
  readonly foreign: readonly string[];
  /** The roles that we gave, or are about to give or take. */
  readonly roles: Readonly<Record<string, Mark>>;
}

/** Role names by source. */
export type GaveRoles = Readonly<Partial<Record<SourceId, readonly string[]>>>;

/** Why a record is not settled: what to mend, or what it waits for. Times are epoch milliseconds. */
export interface Unsettled {
  /** An error's code; or `EMAIL_UNVERIFIED`: nobody with a verified email yet; or `OPTION_UNLISTED`: the policy lacks a bought option. */
  readonly code: string;
  /** What to mend, without an email or a secret. */
  readonly message: string;
  readonly since: number;
  /** How often it was tried. */
  readonly attempts: number;
}

/** Everything known about a buyer, by normalized email. */
export interface BuyerRecord {
  readonly email: string;
  /** Counts the writes; each is made on the version that was read. 0: not stored yet. */
  readonly version: number;
  /** Other spellings of the email that the buyer used (upper case): Auth0 is asked for those too. At most five. */
  readonly spellings: readonly string[];
  readonly sources: Sources;
  /** The roles that each source gave when the record was last worked on: what tells a loss. */
  readonly gave: GaveRoles;
  /** Sources whose loss is held until a person decides: they give on what they gave. Since when (epoch ms). */
  readonly held: Readonly<Partial<Record<SourceId, number>>>;
  readonly users: Readonly<Record<string, BoundUser>>;
  /** Roles that users had before we came count as ours where the buyer's purchases give them: an operator said so. Left out: they don't. */
  readonly adopts?: true | undefined;
  /** Users of others' making that we saw unverified: their password isn't trusted once the email is verified. */
  readonly unverified: readonly string[];
  /** Those of them whom Auth0 mailed; not again. */
  readonly mailed: readonly string[];
  readonly unsettled: Unsettled | null;
  /** When the record wants to be looked at again (epoch ms): unsettled, or a grace that ends, or a downgrade that comes due. */
  readonly dueAt: number | null;
}

/** The stored shape of a record. */
export const recordShape: z.ZodMiniType<BuyerRecord> = z.object({
  email: z.string(),
  version: z.number(),
  spellings: z.array(z.string()),
  sources: z.record(sourceIdShape, sourceShape),
  gave: z.record(sourceIdShape, z.array(z.string())),
  held: z.record(sourceIdShape, z.number()),
  users: z.record(
    z.string(),
    z.object({ origin: z.enum(["created", "verified"]), foreign: z.array(z.string()), roles: z.record(z.string(), z.enum(["adding", "has", "removing"])) }),
  ),
  adopts: z.optional(z.literal(true)),
  unverified: z.array(z.string()),
  mailed: z.array(z.string()),
  unsettled: z.nullable(z.object({ code: z.string(), message: z.string(), since: z.number(), attempts: z.number() })),
  dueAt: z.nullable(z.number()),
});

/** A buyer of whom nothing is known yet. */
export function newRecord(email: string): BuyerRecord {
  return { email, version: 0, spellings: [], sources: {}, gave: {}, held: {}, users: {}, unverified: [], mailed: [], unsettled: null, dueAt: null };
}

/** DynamoDB's limit is 400 KB an item; the rest is room for refunds, ends and marks. */
const FULL_BYTES = 350_000;

/** Whether a record is too large for new sales. Refunds and ends still go in: they must never be lost to size. */
export function isFull(record: BuyerRecord): boolean {
  return Buffer.byteLength(JSON.stringify(record)) > FULL_BYTES;
}

/** What a source's own item holds: its owner, or the facts that wait for one. */
export interface SourceItem {
  readonly id: SourceId;
  readonly owner: string | null;
  readonly waiting: Source | null;
}

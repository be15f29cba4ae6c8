import * as z from "zod/mini";

import type { Source, SourceId, Sources } from "../access/facts.ts";
import { claimantShape, sourceIdShape, sourceShape, wordOf, type Claimant } from "../access/facts-shape.ts";

/** How far one role of one user is. `adding` and `removing` are written before Auth0 is called, to be repeated. */
export type Mark = "adding" | "has" | "removing";

/** Where a user's roles are kept at Auth0: assigned, or in `app_metadata`, where the post-login Action finds them. */
export type RolesPlace = "roles" | "app_metadata";

/** One Auth0 user of a buyer, by user id in the record. */
export interface BoundUser {
  /** `created` by us, or found with a `verified` email. */
  readonly origin: "created" | "verified";
  /** Roles the user had before we came: never removed. */
  readonly foreign: readonly string[];
  /** The roles that we gave, or are about to give or take. */
  readonly roles: Readonly<Record<string, Mark>>;
  /** Where those roles may be. Left out: they are assigned. Two while they are moved, as the setting was changed. */
  readonly places?: readonly RolesPlace[] | undefined;
  /** Roles of which a change may be carried out until then (epoch ms), as it wasn't answered. Left out: none. */
  readonly doubted?: Readonly<Record<string, number>> | undefined;
  /** The roles that the user's item says that this record gives, see givers.ts. Left out: it says nothing yet. */
  readonly told?: readonly string[] | undefined;
}

/** The mail with which a buyer gets in: once a person, and again where an operator asks for it. */
export interface Invitation {
  /**
   * `wanted`: it follows the first role, or the next look at the record. `sending`: written before Auth0 is asked;
   * where it stays so, something crashed and nobody knows whether the mail went out. `sent`, `failed`: what Auth0
   * answered.
   */
  readonly outcome: "wanted" | "sending" | "sent" | "failed";
  /** Since when (epoch ms). */
  readonly at: number;
  /** Why it failed, and what to do; without an email or a secret. */
  readonly message: string | null;
  /** The operator's request; null: the purchase itself. */
  readonly asked: { readonly requestId: string; readonly by: string; readonly why: string } | null;
}

/** Why a record is not settled: what to mend, or what it waits for. Times are epoch milliseconds. */
export interface Unsettled {
  /** An error's code; or `EMAIL_UNVERIFIED`; or `OPTION_UNLISTED`: the policy lacks a bought option. */
  readonly code: string;
  /** What to mend, without an email or a secret. */
  readonly message: string;
  readonly since: number;
  /** How often it was tried. */
  readonly attempts: number;
}

/** What became of it that somebody showed the licence key of a source. */
export interface Claim {
  readonly source: SourceId;
  readonly by: Claimant;
  /** Epoch ms. */
  readonly at: number;
  /** `asked`: an operator decides. `granted` to a name: tokens of that account carry what the source gives. */
  readonly state: "asked" | "granted" | "refused";
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
  readonly gave: Readonly<Partial<Record<SourceId, readonly string[]>>>;
  /** Sources whose loss is held until a person decides: they give on what they gave. Since when (epoch ms). */
  readonly held: Readonly<Partial<Record<SourceId, number>>>;
  readonly users: Readonly<Record<string, BoundUser>>;
  /** By an operator's word, roles from before we came count as ours where purchases give them. Left out: not. */
  readonly adopts?: true | undefined;
  /** A user is being created who has the roles from the start: after a crash, that user is looked for in any case. */
  readonly creating?: true | undefined;
  /** Null: no mail was asked for. */
  readonly invited: Invitation | null;
  /** One a source and claimant. Left out: nobody showed a licence key. */
  readonly claims?: readonly Claim[] | undefined;
  /** When Auth0 was first asked for this email (epoch ms): who signs up after that isn't trusted with a password. */
  readonly lookedAt?: number | undefined;
  /** Users of others' making that we saw unverified: their password isn't trusted once the email is verified. */
  readonly unverified: readonly string[];
  /** Those of them whom Auth0 mailed; not again. */
  readonly mailed: readonly string[];
  /** What Auth0 was last told to take away, and when (epoch ms). Left out: nothing yet. */
  readonly lost?: { readonly at: number; readonly roles: readonly string[] } | undefined;
  readonly unsettled: Unsettled | null;
  /** When the record wants to be looked at again (epoch ms): unsettled, or time alone changes what is due. */
  readonly dueAt: number | null;
}

/** The stored shape of a record. What a later version wrote besides is kept: going back loses nothing. */
export const recordShape: z.ZodMiniType<BuyerRecord> = z.looseObject({
  email: z.string(),
  version: z.number(),
  spellings: z.array(z.string()),
  sources: z.record(sourceIdShape, sourceShape),
  gave: z.record(sourceIdShape, z.array(z.string())),
  held: z.record(sourceIdShape, z.number()),
  users: z.record(z.string(),
    z.looseObject({ origin: wordOf<BoundUser["origin"]>(), foreign: z.array(z.string()),
      roles: z.record(z.string(), wordOf<Mark>()), places: z.optional(z.array(wordOf<RolesPlace>())),
      doubted: z.optional(z.record(z.string(), z.number())), told: z.optional(z.array(z.string())) })),
  adopts: z.optional(z.literal(true)),
  creating: z.optional(z.literal(true)),
  claims: z.optional(
    z.array(
      z.looseObject({ source: sourceIdShape, by: claimantShape, at: z.number(), state: wordOf<Claim["state"]>() }),
    ),
  ),
  lookedAt: z.optional(z.number()),
  // Records from before there were invitations have none.
  invited: z._default(
    z.nullable(
      z.looseObject({ outcome: wordOf<Invitation["outcome"]>(), at: z.number(), message: z.nullable(z.string()),
        asked: z.nullable(z.looseObject({ requestId: z.string(), by: z.string(), why: z.string() })) }),
    ),
    null,
  ),
  unverified: z.array(z.string()),
  mailed: z.array(z.string()),
  lost: z.optional(z.looseObject({ at: z.number(), roles: z.array(z.string()) })),
  unsettled: z.nullable(
    z.looseObject({ code: z.string(), message: z.string(), since: z.number(), attempts: z.number() }),
  ),
  dueAt: z.nullable(z.number()),
});

/** A buyer of whom nothing is known yet. */
export function newRecord(email: string): BuyerRecord {
  return { email, version: 0, spellings: [], sources: {}, gave: {}, held: {}, users: {}, invited: null, unverified: [],
    mailed: [], unsettled: null, dueAt: null };
}

/** The requests that nobody decided yet, of what is still this buyer's. */
export function openClaims({ claims = [], sources }: BuyerRecord): readonly Claim[] {
  return claims.filter(({ source, state }) => state === "asked" && sources[source]?.act?.decision.kind !== "move");
}

/** The fields that may be left out. */
type Optional<Whole> = { [Field in keyof Whole]-?: undefined extends Whole[Field] ? Field : never }[keyof Whole];

/** A copy with an optional field left out: DynamoDB takes no `undefined`. */
export function withoutField<Whole extends object>(whole: Whole, field: Optional<Whole>): Whole {
  const copy = { ...whole };
  Reflect.deleteProperty(copy, field);
  return copy;
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

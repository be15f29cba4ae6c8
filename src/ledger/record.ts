import * as z from "zod/mini";

import { kept, sourceShape, wordOf, type Claimant, type Fixed, type SourceId } from "../access/facts.ts";

/** How far one role of one user is. `adding` and `removing` are written before Auth0 is called, to be repeated. */
export type Mark = "adding" | "has" | "removing";

/** Where a user's roles are kept at Auth0: assigned, or in `app_metadata`, where the post-login Action finds them. */
export type RolesPlace = "roles" | "app_metadata";

const text = z.string();
const texts = z.array(text);
/** Epoch milliseconds. */
const moment = z.number();

const boundUser = kept({
  /** `created` by us, or found with a `verified` email. */
  origin: wordOf<"created" | "verified">(),
  /** Roles the user had before we came: never removed. */
  foreign: texts,
  /** The roles that we gave, or are about to give or take. */
  roles: z.record(text, wordOf<Mark>()),
  /** Where those roles may be. Left out: they are assigned. Two while they are moved, as the setting was changed. */
  places: z.optional(z.array(wordOf<RolesPlace>())),
  /** Roles of which a change may be carried out until then, as it wasn't answered. Left out: none. */
  doubted: z.optional(z.record(text, moment)),
  /** The roles that the user's item says that this record gives, see givers.ts. Left out: it says nothing yet. */
  told: z.optional(texts),
});
/** One Auth0 user of a buyer, by user id in the record. */
export type BoundUser = Fixed<z.infer<typeof boundUser>>;

const invitation = kept({
  /**
   * `wanted`: it follows the first role, or the next look at the record. `sending`: written before Auth0 is asked;
   * where it stays so, something crashed and nobody knows whether the mail went out. `sent`, `failed`: Auth0's answer.
   */
  outcome: wordOf<"wanted" | "sending" | "sent" | "failed">(),
  at: moment,
  /** Why it failed, and what to do; without an email or a secret. */
  message: z.nullable(text),
  /** The operator's request; null: the purchase itself. */
  asked: z.nullable(kept({ requestId: text, by: text, why: text })),
});
/** The mail with which a buyer gets in: once a person, and again where an operator asks for it. */
export type Invitation = Fixed<z.infer<typeof invitation>>;

/** Why a record is not settled: what to mend, or what it waits for. */
const unsettled = kept({
  /** An error's code; or `EMAIL_UNVERIFIED`; or `OPTION_UNLISTED`: the policy lacks a bought option. */
  code: text,
  /** What to mend, without an email or a secret. */
  message: text,
  since: moment,
  attempts: z.number(),
});

const claim = kept({
  source: wordOf<SourceId>(),
  by: wordOf<Claimant>(),
  at: moment,
  /** `asked`: an operator decides. `granted` to a name: tokens of that account carry what the source gives. */
  state: wordOf<"asked" | "granted" | "refused">(),
  /** When an operator last granted it, whatever came after. Left out: never. */
  granted: z.optional(moment),
});
/** What became of it that somebody showed the licence key of a source. */
export type Claim = Fixed<z.infer<typeof claim>>;

/** The stored shape of a record. What a later version wrote besides is kept: going back loses nothing. */
export const recordShape = kept({
  email: text,
  /** Counts the writes; each is made on the version that was read. 0: not stored yet. */
  version: z.number(),
  /** Other spellings of the email that the buyer used (upper case): Auth0 is asked for those too. At most five. */
  spellings: texts,
  sources: z.record(wordOf<SourceId>(), sourceShape),
  /** The roles that each source gave when the record was last worked on: what tells a loss. */
  gave: z.record(wordOf<SourceId>(), texts),
  /** Sources whose loss is held until a person decides: they give on what they gave. Since when. */
  held: z.record(wordOf<SourceId>(), moment),
  users: z.record(text, boundUser),
  /** By an operator's word, roles from before we came count as ours where purchases give them. Left out: not. */
  adopts: z.optional(z.literal(true)),
  /** A user is being created who has the roles from the start: after a crash, that user is looked for in any case. */
  creating: z.optional(z.literal(true)),
  /** Null: no mail was asked for. Records from before there were invitations have none. */
  invited: z._default(z.nullable(invitation), null),
  /** One a source and claimant. Left out: nobody showed a licence key. */
  claims: z.optional(z.array(claim)),
  /** When Auth0 was first asked for this email: who signs up after that isn't trusted with a password. */
  lookedAt: z.optional(moment),
  /** Users of others' making that we saw unverified: their password isn't trusted once the email is verified. */
  unverified: texts,
  /** Those of them whom Auth0 mailed; not again. */
  mailed: texts,
  /** What Auth0 was last told to take away, and when. Left out: nothing yet. */
  lost: z.optional(kept({ at: moment, roles: texts })),
  unsettled: z.nullable(unsettled),
  /** When the record wants to be looked at again: unsettled, or time alone changes what is due. */
  dueAt: z.nullable(moment),
});
/** Everything known about a buyer, by normalized email. Times are epoch milliseconds. */
export type BuyerRecord = Fixed<z.infer<typeof recordShape>>;

/** A buyer of whom nothing is known yet. */
export function newRecord(email: string): BuyerRecord {
  return { email, version: 0, spellings: [], sources: {}, gave: {}, held: {}, users: {}, invited: null, unverified: [],
    mailed: [], unsettled: null, dueAt: null };
}

/** The requests of others that nobody decided yet, of what is still this buyer's. */
export function openClaims(record: BuyerRecord): readonly Claim[] {
  return ownClaims(record, "asked").filter(({ by }) => by !== `email:${record.email}`);
}

/** What accounts of the self-built login have of this buyer's. */
export function linkedClaims(record: BuyerRecord): readonly Claim[] {
  return ownClaims(record, "granted").filter(({ by }) => by.startsWith("name:"));
}

function ownClaims({ claims = [], sources }: BuyerRecord, which: Claim["state"]): readonly Claim[] {
  return claims.filter(({ source, state }) => state === which && sources[source]?.act?.decision.kind !== "move");
}

/** DynamoDB's limit is 400 KB an item; the rest is room for refunds, ends and marks. */
const FULL_BYTES = 350_000;

/** Whether a record is too large for new sales. Refunds and ends still go in: they must never be lost to size. */
export function isFull(record: BuyerRecord): boolean {
  return Buffer.byteLength(JSON.stringify(record)) > FULL_BYTES;
}

/**
 * The summary written with a record; one from before there were any has none. `roles`: what the purchases give,
 * and what is held. `waits`: what keeps it from being settled, the code of `unsettled` or CHANGING; and HELD.
 */
export function summaryOf({ sources, gave, held, users, unsettled, lost }: BuyerRecord) {
  const isChanging = Object.values(users).some(({ roles }) => Object.values(roles).some((mark) => mark !== "has"));
  return { roles: distinct(Object.values(gave).flat()),
    products: distinct(Object.values(sources).map(({ productId }) => productId).filter((id) => id !== "")),
    waits: [...(unsettled !== null ? [unsettled.code] : isChanging ? ["CHANGING"] : []),
      ...(Object.keys(held).length > 0 ? ["HELD"] : [])], lost };
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort();
}

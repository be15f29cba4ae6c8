import type { BuyerRecord, RolesPlace } from "../../src/ledger/record.ts";
import type { Directory } from "../../src/auth0/directory.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { everyRecord } from "../ledger/records.ts";
import type { Stage } from "../stage/stage.ts";
import { assignedTo, findAll } from "./look.ts";
import type { Operating } from "./operating.ts";

/** One Auth0 user who lacks what the buyer's record says we gave. */
export interface Drift {
  readonly buyer: string;
  readonly userId: string;
  /** The user was deleted at Auth0. */
  readonly isGone: boolean;
  /** Roles that we gave and that aren't there. */
  readonly missing: readonly string[];
}

/** Which records are compared. */
export interface DriftRequest {
  /** At most so many buyers; null: all. */
  readonly most: number | null;
  /** How many records there are, where that is known: for the progress. */
  readonly records?: number | null;
}

/** What comparing works with. */
export interface Comparing extends Pick<Operating, "tell"> {
  readonly stage: Pick<Stage, "dynamo" | "ledger" | "access">;
  readonly directory: () => Promise<Pick<Directory, "rolesOf" | "find">>;
}

/** What came of comparing. */
export interface DriftReport {
  /** Buyers whose users were looked up. */
  readonly looked: number;
  readonly drifts: readonly Drift[];
}

/**
 * Compares buyers' records with Auth0: one call a user. Only roles that we gave count, so a role that somebody added
 * by hand is nobody's business, and what a record is just changing isn't there or gone yet.
 * @throws what the ledger and the directory throw
 */
export async function drifts({ most, records = null }: DriftRequest, operating: Comparing): Promise<DriftReport> {
  const { stage, tell } = operating;
  const total = most === null || records === null ? (most ?? records) : Math.min(most, records);
  const directory = await operating.directory();
  const found: Drift[] = [];
  let looked = 0;
  let passed = 0;
  for await (const page of everyRecord(ledgerTable(stage.dynamo, stage.ledger))) {
    for (const record of page.records) {
      if (looked === most) return { looked, drifts: found };
      if (givenIn(record).length > 0) {
        found.push(...(await driftOf(record, stage.access, directory)));
        looked += 1;
      }
      passed += 1;
      // Of so many buyers, those who have nothing of us are none.
      tell({ what: "buyers", done: most === null ? passed : looked, total });
    }
  }
  return { looked, drifts: found };
}

/** Compares one buyer's record with Auth0. Throws as the directory. */
export async function driftOf(record: BuyerRecord, place: RolesPlace,
  directory: Pick<Directory, "rolesOf" | "find">): Promise<readonly Drift[]> {
  const { email: buyer } = record;
  const found: Drift[] = [];
  for (const [userId, roles] of givenIn(record)) {
    const there = await rolesAt(userId, record, place, directory);
    const missing = there === null ? roles : roles.filter((role) => !there.includes(role));
    if (missing.length > 0) found.push({ buyer, userId, isGone: there === null, missing });
  }
  return found;
}

/** The users of a record with the roles that we gave them, where that is done. */
function givenIn({ users }: BuyerRecord): readonly (readonly [userId: string, roles: readonly string[]])[] {
  return Object.entries(users).flatMap(([userId, { roles }]) => {
    const given = Object.keys(roles).filter((role) => roles[role] === "has").sort();
    return given.length === 0 ? [] : [[userId, given] as const];
  });
}

/** Where roles are in `app_metadata`, only who is found by the email can be looked into: of others, all is there. */
async function rolesAt(userId: string, record: BuyerRecord, place: RolesPlace,
  directory: Pick<Directory, "rolesOf" | "find">): Promise<readonly string[] | null> {
  const roles = await assignedTo(userId, directory);
  if (place === "roles" || roles === null) return roles;
  return (await findAll(record, directory)).get(userId)?.metadataRoles ??
    Object.keys(record.users[userId]?.roles ?? {});
}

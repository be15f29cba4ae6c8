import { refusedWith } from "../../src/auth0/call.ts";
import type { Directory, DirectoryUser } from "../../src/auth0/directory.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import { CALL_MS, type Operating } from "./operating.ts";

/** An Auth0 user of a buyer, as Auth0 says now. */
export interface SeenUser {
  readonly id: string;
  /** False: deleted. */
  readonly isThere: boolean;
  /** Null where it can't be told: not found by the buyer's email, as the address was changed. */
  readonly verified: boolean | null;
  /** Where the service keeps roles: those assigned, or those in `app_metadata`. */
  readonly roles: readonly string[];
}

/** The users of a buyer at Auth0: those with the email, however spelt, and those of the record. Throws as it. */
export async function lookAt(record: Pick<BuyerRecord, "email" | "spellings" | "users">,
  { stage, ...operating }: Pick<Operating, "stage" | "directory">): Promise<readonly SeenUser[]> {
  const directory = await operating.directory();
  const found = await findAll(record, directory);
  const seen: SeenUser[] = [];
  // One after the other: Auth0's free plan takes two calls a second.
  for (const id of idsOf(record, found)) {
    const user = found.get(id);
    const roles = stage.access === "app_metadata" && user !== undefined
      ? user.metadataRoles
      : await assignedTo(id, directory);
    seen.push({ id, isThere: roles !== null, verified: roles === null ? null : (user?.verified ?? null),
      roles: roles ?? [] });
  }
  return seen;
}

/** The users at Auth0 with a buyer's email, however spelt, by id. Throws as the directory. */
export async function findAll({ email, spellings }: Pick<BuyerRecord, "email" | "spellings">,
  directory: Pick<Directory, "find">): Promise<ReadonlyMap<string, DirectoryUser>> {
  const found = new Map<string, DirectoryUser>();
  for (const spelling of [email, ...spellings]) {
    for (const user of await directory.find(email, spelling, AbortSignal.timeout(CALL_MS))) found.set(user.id, user);
  }
  return found;
}

/** The ids of a buyer's users: those of the record, then those found. */
export function idsOf({ users }: Pick<BuyerRecord, "users">,
  found: ReadonlyMap<string, DirectoryUser>): readonly string[] {
  return [...new Set([...Object.keys(users), ...found.keys()])];
}

/** The roles that are assigned to a user; null: there is no such user (any more). Throws as the directory. */
export async function assignedTo(userId: string,
  directory: Pick<Directory, "rolesOf">): Promise<readonly string[] | null> {
  try {
    return await directory.rolesOf(userId, AbortSignal.timeout(CALL_MS));
  } catch (error) {
    if (refusedWith(error) === 404) return null;
    throw error;
  }
}

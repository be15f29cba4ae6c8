import { statusOf } from "../../src/auth0/failures.ts";
import type { DirectoryUser } from "../../src/auth0/directory.ts";
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
export async function lookAt({ email, spellings, users }: Pick<BuyerRecord, "email" | "spellings" | "users">,
  { stage, ...operating }: Pick<Operating, "stage" | "directory">): Promise<readonly SeenUser[]> {
  const directory = await operating.directory();
  const found = new Map<string, DirectoryUser>();
  for (const spelling of [email, ...spellings]) {
    for (const user of await directory.find(email, spelling, AbortSignal.timeout(CALL_MS))) found.set(user.id, user);
  }
  const seen: SeenUser[] = [];
  // One after the other: Auth0's free plan takes two calls a second.
  for (const id of new Set([...Object.keys(users), ...found.keys()])) {
    const user = found.get(id);
    const verified = user?.verified ?? null;
    try {
      const roles = stage.access === "app_metadata" && user !== undefined
        ? user.metadataRoles
        : await directory.rolesOf(id, AbortSignal.timeout(CALL_MS));
      seen.push({ id, isThere: true, verified, roles });
    } catch (error) {
      if (!(error instanceof Error) || statusOf(error.cause) !== 404) throw error;
      seen.push({ id, isThere: false, verified: null, roles: [] });
    }
  }
  return seen;
}

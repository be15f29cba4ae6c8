import type { Policy } from "../access/policy.ts";
import type { BuyerRecord, RolesPlace } from "../ledger/record.ts";
import type { Directory } from "../auth0/directory.ts";
import { TemporaryError } from "../errors.ts";
import type { GumroadApi } from "../gumroad/api.ts";
import { dynamoGifts } from "../ledger/gifts.ts";
import { dynamoGivers } from "../ledger/givers.ts";
import type { ledgerTable } from "../ledger/keys.ts";
import { dynamoLedger } from "../ledger/ledger.ts";
import { dynamoLosses } from "../ledger/losses.ts";
import { dynamoPending } from "../ledger/pending.ts";
import { dynamoSweeps } from "../ledger/sweeps.ts";
import type { Tombstones } from "../ledger/tombstones.ts";
import type { WorkQueue } from "../queue/queue.ts";
import type { GettingIn } from "./invite.ts";

/** What is written down, and lasts. `tombstones` tells who was forgotten; left out: nobody was. */
export type Store = ReturnType<typeof storeOn> & { readonly tombstones?: Tombstones | undefined };

/** All of it in the ledger's table. */
export function storeOn(table: ReturnType<typeof ledgerTable>) {
  const { countChanged } = dynamoSweeps(table);
  return { ledger: dynamoLedger(table), gifts: dynamoGifts(table), losses: dynamoLosses(table),
    givers: dynamoGivers(table), pending: dynamoPending(table), sweeps: { countChanged } };
}

/** What provisioning works with. */
export interface Provisioning {
  readonly store: Store;
  readonly auth0: Directory;
  /** Gumroad's API, or null where the secret holds no token: pings are then taken at their word. */
  readonly gumroad: (signal: AbortSignal) => Promise<GumroadApi | null>;
  readonly queue: WorkQueue;
  readonly policy: Policy;
  readonly settings: { readonly place: RolesPlace; readonly gettingIn: GettingIn };
  /** Epoch ms. */
  readonly now: () => number;
  /** Ends the calls outside; the store's last longer, to write down that the time is up. */
  readonly signal: AbortSignal;
}

/** How often a note is tried on a record that others keep writing. */
const ROUNDS = 5;

/** Whether somebody else wrote the record first. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof TemporaryError && error.code === "RECORD_CHANGED";
}

/**
 * Writes a note on a buyer's record as it is by now, whoever else writes it, and gives it as written. `change` gives
 * null where there is nothing to note; then that is given.
 * @throws {TemporaryError} RECORD_CHANGED, LEDGER_UNREACHABLE
 */
export async function note(email: string, store: Pick<Store, "ledger">,
  change: (record: BuyerRecord) => BuyerRecord | null, rounds = ROUNDS): Promise<BuyerRecord | null> {
  const noted = change(await store.ledger.load(email));
  return noted && store.ledger.save(noted).catch((error: unknown) => {
    if (!isOvertaken(error) || rounds === 1) throw error;
    return note(email, store, change, rounds - 1);
  });
}

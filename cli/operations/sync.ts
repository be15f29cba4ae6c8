import { ConfigError } from "../../src/errors.ts";
import { lookAnew } from "./carry-out.ts";
import { type Drift, drifts } from "./drift.ts";
import type { Operating } from "./operating.ts";
import { type Came, cameOf, type Waiting } from "./outcome.ts";

/** Whom to make Auth0 match for, and whether who never was is invited. */
export interface SyncRequest {
  readonly buyers: readonly string[];
  readonly invite: boolean;
}

/** Somebody who waits, and for what. Times are epoch milliseconds. */
export interface WaitingBuyer {
  readonly buyer: string;
  readonly code: string;
  readonly since: number;
}

/** No wait of ours is longer. */
const AHEAD_MS = 24 * 60 * 60_000;

/**
 * Has the one writer look at Auth0 anew and make it match: users are found or made, roles given and taken, and what
 * waits is tried now. Throws as `cameOf`.
 * @throws {ConfigError} BUYER_UNKNOWN
 */
export async function synced({ buyers, invite }: SyncRequest, waiting: Waiting,
  operating: Operating): Promise<readonly Came[]> {
  const { ledger, queue, commandLine } = operating;
  for (const buyer of buyers) {
    if ((await ledger.load(buyer)).version > 0) continue;
    throw new ConfigError("BUYER_UNKNOWN",
      `nobody is known as ${buyer}, so there is nothing to match; is the sale in Gumroad? ${
        commandLine("reconcile")
      } looks for it`);
  }
  return cameOf(buyers, { isAbout: "all", send: async () => {
    for (const buyer of buyers) await queue.send(...lookAnew(buyer, invite));
  }, takenIn: async (record, before) => ({ state: record.version > before.version ? "yes" : "no" }) }, waiting,
    operating);
}

/** All whose records wait for something, longest first: refused by Auth0, for an option, for a verified email. */
export async function waitingBuyers({ ledger, now }: Operating): Promise<readonly WaitingBuyer[]> {
  const found = new Map<string, WaitingBuyer>();
  for await (const page of ledger.due(now() + AHEAD_MS)) {
    for (const { email } of page.filter((due) => !found.has(due.email))) {
      const { unsettled } = await ledger.load(email);
      if (unsettled !== null) found.set(email, { buyer: email, code: unsettled.code, since: unsettled.since });
    }
  }
  return [...found.values()].sort((a, b) => a.since - b.since);
}

/** All whose record and Auth0 differ. Throws as `drifts`. */
export async function driftedBuyers(operating: Operating): Promise<ReadonlyMap<string, readonly Drift[]>> {
  const { drifts: found } = await drifts({ most: null }, operating);
  return Map.groupBy(found, ({ buyer }) => buyer);
}

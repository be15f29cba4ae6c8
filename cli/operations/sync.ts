import { ConfigError } from "../../src/errors.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { everyUnread, hurryUnread, unreadBy, unreadWords, type Unread } from "../ledger/unread.ts";
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

/** Where Gumroad was away, the service asks again after five seconds at the soonest; others wait meanwhile. */
const PROBE_MS = 6_000;
/** What one turn of a buyer takes in of what waits unread. */
const MOST_A_TURN = 20;
/** No wait of ours is longer. */
const AHEAD_MS = 24 * 60 * 60_000;

/**
 * Has the one writer look at Auth0 anew and make it match: users are found or made, roles given and taken, and what
 * waits is tried now. Throws as `cameOf`.
 * @throws {ConfigError} BUYER_UNKNOWN
 */
export async function synced({ buyers, invite }: SyncRequest, waiting: Waiting,
  operating: Operating): Promise<readonly Came[]> {
  const { stage, ledger, queue, wait, commandLine } = operating;
  const table = ledgerTable(stage.dynamo, stage.ledger);
  for (const buyer of buyers) {
    if ((await ledger.load(buyer)).version > 0 || (await unreadBy(table, buyer)).length > 0) continue;
    throw new ConfigError("BUYER_UNKNOWN",
      `nobody is known as ${buyer}, so there is nothing to match; is the sale in Gumroad? ${
        commandLine("reconcile")
      } looks for it`);
  }
  const first = await tried(buyers);
  const left = first.filter(({ outcome }) => outcome.state === "waits" && outcome.code === "UNREAD");
  if (left.length === 0) return first;
  await wait(PROBE_MS);
  const again = new Map((await tried(left.map(({ buyer }) => buyer))).map((each) => [each.buyer, each]));
  return first.map((each) => ({ ...each, ...again.get(each.buyer), before: each.before }));

  async function tried(some: readonly string[]): Promise<readonly Came[]> {
    const hurried = new Map<string, readonly Unread[]>();
    const came = await cameOf(some, { isAbout: "all", send: async () => {
      for (const buyer of some) {
        hurried.set(buyer, await hurryUnread(table, buyer));
        await queue.send(...lookAnew(buyer, invite));
      }
    }, takenIn: async ({ email, version }, before) => {
      const unread = hurried.get(email) ?? [];
      const isShown = version > before.version || (unread.length > 0 && before.version === 0);
      return { state: isShown && (await isLookedAt(email, unread)) ? "yes" : "no" };
    } }, waiting, operating);
    return waiting.withinMs === null ? came : Promise.all(came.map(withUnread));
  }

  /** A turn reads no more than so many: the rest has its own. */
  async function isLookedAt(buyer: string, unread: readonly Unread[]): Promise<boolean> {
    if (unread.length === 0) return true;
    const left = (await unreadBy(table, buyer)).filter(({ next, since, code }) =>
      code !== "MESSAGE_INVALID" && next <= since
    );
    return left.length <= Math.max(0, unread.length - MOST_A_TURN);
  }

  /** What Auth0 was seen to match says nothing of what waits unread still. */
  async function withUnread(each: Came): Promise<Came> {
    const [unread] = each.outcome.state === "applied" ? await unreadBy(table, each.buyer) : [];
    return unread === undefined
      ? each
      : { ...each, outcome: { state: "waits", code: unread.code, message: `${unreadWords(unread)}.` } };
  }
}

/** All who wait for something, longest first: refused by Auth0, for an option, for a verified email, to be read. */
export async function waitingBuyers({ stage, ledger, now }: Operating): Promise<readonly WaitingBuyer[]> {
  const unread = await everyUnread(ledgerTable(stage.dynamo, stage.ledger));
  const found = new Map<string, WaitingBuyer>(
    unread.toReversed().map(({ buyer, code, since }) => [buyer, { buyer, code, since }]),
  );
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

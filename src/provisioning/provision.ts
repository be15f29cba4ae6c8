import { isDeepStrictEqual } from "node:util";

import { entitlements, type Access } from "../access/entitlements.ts";
import { mergeSources } from "../access/merge.ts";
import type { Policy } from "../access/policy.ts";
import type { RolesPlace } from "../access/roles-place.ts";
import type { Directory } from "../auth0/directory.ts";
import { NeedsPersonError, TemporaryError } from "../errors.ts";
import type { GumroadApi } from "../gumroad/api.ts";
import type { Gifts } from "../ledger/gifts.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Losses } from "../ledger/losses.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag, causesOf, log } from "../log.ts";
import { count } from "../metrics.ts";
import type { BuyerMessage } from "../queue/message.ts";
import type { WorkQueue } from "../queue/queue.ts";
import { applyMarks } from "./apply.ts";
import { bindUsers } from "./bind.ts";
import type { Remembrance } from "./forgotten.ts";
import { withHolds, type Decided } from "./hold.ts";
import { takeIn } from "./intake.ts";
import { announced, announces, laterInvitation, sendInvitation, withInvitation, type GettingIn } from "./invite.ts";
import { changesOf, doubted, marked, settled, withoutUsers, type RoleChanges } from "./marks.ts";
import { allIn, mustMove, onTheMove } from "./places.ts";
import { gumroadReader } from "./read-back.ts";
import { tellFailure, tellSettled, tellUnread, tellUnsettled } from "./telling.ts";
import { dueAfterFailure, dueWhileUnverified, READING_MS, UNSETTLED_MS } from "./timing.ts";
import { atRest } from "./unlisted.ts";

/** What provisioning works with. `now` gives epoch milliseconds. */
export interface Provisioning {
  readonly ledger: Ledger;
  /** The same ledger with a later deadline, to write down that the time is up. */
  readonly closing: Ledger;
  readonly gifts: Gifts;
  readonly losses: Losses;
  /** Tells who was forgotten; left out: nobody was. */
  readonly forgotten?: Remembrance["forgotten"];
  /** Counts a change that was made because a sweep found something. */
  readonly countChanged: (sweep: string) => Promise<void>;
  readonly directory: Directory;
  /** Gumroad's API, or null where the secret holds no token: pings are then taken at their word. */
  readonly gumroad: (signal: AbortSignal) => Promise<GumroadApi | null>;
  readonly queue: WorkQueue;
  readonly policy: Policy;
  /** Where roles are kept at Auth0. */
  readonly place: RolesPlace;
  readonly gettingIn: GettingIn;
  readonly now: () => number;
}

/** One buyer's turn: `done` is told of messages that need not be delivered again even if the rest fails. */
export interface Turn extends Provisioning {
  readonly signal: AbortSignal;
  readonly done: (message: BuyerMessage) => void;
}

/** Rounds that one call makes when others write the same record, or when users turn out to be gone. */
const ROUNDS = 5;
/** The code of a write that somebody else came before. */
const CHANGED = "RECORD_CHANGED";
/** The code of a record that waits for its buyer to verify an email. */
const UNVERIFIED = "EMAIL_UNVERIFIED";

/** What became of one buyer's messages so far. */
interface Progress {
  /** The facts are in the record: it comes back by itself, whatever becomes of the messages. */
  factsStored: boolean;
  /** What was changed at Auth0. */
  changes: readonly RoleChanges[];
}

/**
 * The one writer of buyers and roles: read back → merge → derive → mark → apply → settle.
 *
 * The facts of all messages are merged into the buyer's record, the desired roles derived from facts, policy and time,
 * and one conditional write stores the facts with a mark on every role about to change. Then Auth0 is called; one more
 * conditional write settles the marks. A crash anywhere leaves marks that whoever comes next repeats, towards what is
 * desired then. An unsettled record has a due time, so `reconcile` comes back to it even if every message is lost.
 *
 * Returning means that the messages can be deleted: all is done, or the record will see to the rest.
 * @throws {Error} the messages must be delivered again, but for those that `done` was told of
 */
export async function provisionBuyer(email: string, messages: readonly BuyerMessage[], turn: Turn): Promise<void> {
  const elsewhere = new Set<BuyerMessage>();
  const told = {
    ...turn,
    done: (message: BuyerMessage) => {
      elsewhere.add(message);
      turn.done(message);
    },
  };
  for (let round = 1;; round += 1) {
    const left = messages.filter((message) => !elsewhere.has(message));
    const failed = await provisionOnce(email, left, told, round === ROUNDS);
    if (failed === "again") continue;
    for (const message of messages) if (!failed.has(message)) turn.done(message);
    const [failure] = failed.values();
    if (failure !== undefined) throw failure;
    return;
  }
}

/**
 * One reading of the record and all that follows. `again`: somebody else wrote it before our facts were in, so what
 * was read back may be stale.
 */
async function provisionOnce(email: string, messages: readonly BuyerMessage[], turn: Turn,
  isLast: boolean): Promise<ReadonlyMap<BuyerMessage, Error> | "again"> {
  const progress: Progress = { factsStored: false, changes: [] };
  let failed: ReadonlyMap<BuyerMessage, Error> = new Map();
  try {
    const stored = await turn.ledger.load(email);
    const gumroad = messages.some(({ kind }) => kind === "ping" || kind === "hint")
      ? await turn.gumroad(turn.signal)
      : null;
    const reader = gumroad === null
      ? null
      : gumroadReader(gumroad, turn.now, AbortSignal.any([turn.signal, AbortSignal.timeout(READING_MS)]));
    const intake = await takeIn(stored, messages, { ...turn, reader });
    failed = intake.failed;
    for (const [message, error] of failed) tellUnread(email, message, error);
    const record = withInvitation(intake.record, messages.filter((message) => !failed.has(message)), turn);
    if (record !== stored || isLogin(messages) || !waitsToBeVerified(stored, turn.now())) {
      const invited = await settle(stored, record, messages, progress, turn);
      if (invited !== null) await sendInvitation(invited, { ...turn, ledger: turn.closing });
    }
    if (progress.changes.length > 0) await countFindings(messages.filter((message) => !failed.has(message)), turn);
    return failed;
  } catch (error) {
    if (error instanceof TemporaryError && error.code === CHANGED && !progress.factsStored && !isLast) return "again";
    await noteFailure(email, messages.filter((message) => !failed.has(message)), error, progress, turn);
    return failed;
  }
}

async function countFindings(messages: readonly BuyerMessage[], { countChanged }: Turn): Promise<void> {
  const sweeps = new Set(messages.flatMap((message) => (message.kind === "hint" ? [message.sweep] : [])));
  // A report's count is no reason to do all of it again.
  for (const sweep of sweeps) {
    await countChanged(sweep).catch((error: unknown) =>
      log.warn("a change was not counted", { causes: causesOf(error) })
    );
  }
}

/**
 * Makes Auth0 match the record's facts, and the record say so. After a login by a user that the record doesn't know,
 * users are looked up again. Gives the record if it announces an invitation.
 */
async function settle(stored: BuyerRecord, merged: BuyerRecord, messages: readonly BuyerMessage[], progress: Progress,
  turn: Turn): Promise<BuyerRecord | null> {
  let last = stored;
  let record = merged;
  let touched: readonly RoleChanges[] = [];
  for (let round = 1;; round += 1) {
    try {
      const access = entitlements(record.sources, turn.policy, turn.now());
      const decided = await withHolds(record, access, turn);
      last = await mark(last, decided, access, turn);
      progress.factsStored = true;
      const lookUp = needsUsers(last, decided) || last.creating === true ||
        (isLogin(messages) && decided.roles.length > 0);
      if (isSettled(last, decided, turn) && !lookUp) {
        const announcing = announced(last, turn);
        return announcing === last ? null : announcement(last, await turn.ledger.save(announcing));
      }
      if (lookUp) {
        const bound = await bind(last, decided, turn);
        if (bound === null) return null;
        last = bound;
      }
      if (mustMove(last, turn.place)) {
        last = await turn.ledger.save(
          marked(await onTheMove(last, turn.place, turn.directory, turn.signal), decided.roles),
        );
      }
      touched = changesOf(last);
      const gone = await applyMarks(last, turn);
      if (gone.length === 0) {
        const written = await turn.ledger.save(
          announced({ ...allIn(settled(last), turn.place), ...atRest(last, access, turn) }, turn),
        );
        progress.changes = touched;
        tellSettled(last, decided.roles, touched, messages, turn.now());
        return announcement(last, written);
      }
      record = withoutUsers(last, gone);
    } catch (error) {
      if (!(error instanceof TemporaryError) || error.code !== CHANGED || !progress.factsStored || round === ROUNDS) {
        throw error;
      }
      // Perhaps we had created a user just now whom the others didn't see.
      const ours = last.creating === true ? { ...record, creating: last.creating } : record;
      last = await turn.ledger.load(record.email);
      record = doubted(together(last, ours), touched);
    }
    if (round === ROUNDS) throw new TemporaryError("AUTH0_USERS_VANISH", "The buyer's Auth0 users keep disappearing.");
  }
}

/** One conditional write: the facts, and a mark on every role about to change. None where nothing changed. */
async function mark(stored: BuyerRecord, decided: Decided, access: Access, turn: Turn): Promise<BuyerRecord> {
  const before = marked(decided.record, decided.roles);
  const next: BuyerRecord = turn.place === "app_metadata" && needsUsers(before, decided)
    ? { ...before, creating: true }
    : before;
  const written = isSettled(next, decided, turn)
    ? { ...next, ...atRest(stored, access, turn) }
    // A record that is worked on already keeps its due time: a new one alone is not worth a write.
    : { ...next, dueAt: sameWork(next, stored) && stored.dueAt !== null ? stored.dueAt : turn.now() + UNSETTLED_MS };
  return isDeepStrictEqual(written, stored) ? stored : turn.ledger.save(written);
}

/**
 * Finds or creates the buyer's users and writes them down, marked, before any role is given. Null: all must verify
 * first.
 */
async function bind(record: BuyerRecord, { roles }: Decided, turn: Turn): Promise<BuyerRecord | null> {
  const { record: bound, anybody } = await bindUsers(record, { ...turn, roles });
  if (anybody) return turn.ledger.save(marked(bound, roles));
  await awaitVerification(bound, turn);
  return null;
}

/**
 * Leaves the record to wait. Who was seen unverified is written down before anybody is mailed: once they follow the
 * mail's link, nothing else tells that their password is not to be trusted.
 */
async function awaitVerification(record: BuyerRecord, { ledger, directory, now, signal }: Turn): Promise<void> {
  const waited = record.unsettled?.code === UNVERIFIED ? record.unsettled : null;
  const attempts = (waited?.attempts ?? 0) + 1;
  let written = await ledger.save({
    ...record,
    unsettled: { code: UNVERIFIED,
      message: "An Auth0 user with this email exists that nobody verified: the roles wait for that.",
      since: waited?.since ?? now(), attempts },
    dueAt: now() + dueWhileUnverified(attempts),
  });
  count("Waiting");
  log.warn("waits for a verified email", { buyer: buyerTag(record.email), attempts });
  for (const userId of record.unverified.filter((id) => !record.mailed.includes(id))) {
    await directory.mailVerification(userId, signal);
    written = await ledger.save({ ...written, mailed: [...written.mailed, userId] });
  }
}

/**
 * Writes a failure on the record, with the time to try again. Once the facts are stored, what needs a person, and what
 * `reconcile` asked for, is left to the record. Everything else is delivered again, which is sooner, and keeps what
 * isn't stored.
 */
async function noteFailure(email: string, messages: readonly BuyerMessage[], error: unknown, { factsStored }: Progress,
  { closing, now }: Turn): Promise<void> {
  const failure = error instanceof NeedsPersonError || error instanceof TemporaryError
    ? error
    : new NeedsPersonError("UNEXPECTED", "This is a bug: the log line has its causes.", { cause: error });
  tellFailure(email, messages, failure);
  const record = await closing.load(email);
  if (record.version === 0) throw failure;
  const attempts = record.unsettled?.code === failure.code ? record.unsettled.attempts + 1 : 1;
  const since = record.unsettled?.since ?? now();
  tellUnsettled(since, now());
  await closing.save({ ...record, unsettled: { code: failure.code, message: failure.message, since, attempts },
    dueAt: now() + dueAfterFailure(failure.code, attempts) });
  const leftToRecord = messages.every(({ kind }) => kind === "due") ||
    (factsStored && failure instanceof NeedsPersonError);
  if (!leftToRecord) throw failure;
}

/** What two writers know of one buyer: nothing of either is lost. */
function together(theirs: BuyerRecord, ours: BuyerRecord): BuyerRecord {
  const both = (a: readonly string[], b: readonly string[]) => [...new Set([...a, ...b])];
  return {
    ...theirs,
    sources: mergeSources(theirs.sources, ours.sources),
    spellings: both(theirs.spellings, ours.spellings),
    unverified: both(theirs.unverified, ours.unverified),
    mailed: both(theirs.mailed, ours.mailed),
    ...(ours.creating === true ? { creating: ours.creating } : {}),
    invited: laterInvitation(theirs.invited, ours.invited),
  };
}

function isLogin(messages: readonly BuyerMessage[]): boolean {
  return messages.some(({ kind }) => kind === "bind");
}

function sameWork(a: BuyerRecord, b: BuyerRecord): boolean {
  return isDeepStrictEqual({ ...a, dueAt: null }, { ...b, dueAt: null });
}

function isSettled(record: BuyerRecord, decided: Decided, { place }: Pick<Turn, "place">): boolean {
  return changesOf(record).length === 0 && !needsUsers(record, decided) && record.creating !== true &&
    !mustMove(record, place);
}

function announcement(before: BuyerRecord, written: BuyerRecord): BuyerRecord | null {
  return announces(before, written) ? written : null;
}

function needsUsers(record: BuyerRecord, { roles }: Decided): boolean {
  return roles.length > 0 && Object.keys(record.users).length === 0;
}

function waitsToBeVerified(record: BuyerRecord, now: number): boolean {
  return record.unsettled?.code === UNVERIFIED && record.dueAt !== null && record.dueAt > now;
}

import { isDeepStrictEqual } from "node:util";

import { entitlements, type Access } from "../access/entitlements.ts";
import { mergeSources } from "../access/merge.ts";
import type { Policy } from "../access/policy.ts";
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
import type { Queue } from "../queue/queue.ts";
import { bindUsers } from "./bind.ts";
import { withHolds, type Decided } from "./hold.ts";
import { takeIn } from "./intake.ts";
import { changesOf, doubted, marked, settled, withoutUsers, type RoleChanges } from "./marks.ts";
import { gumroadReader } from "./read-back.ts";
import { dueAfterFailure, dueWhileUnverified, UNSETTLED_MS } from "./timing.ts";
import { atRest } from "./unlisted.ts";

/** What provisioning works with. `now` gives epoch milliseconds. */
export interface Provisioning {
  readonly ledger: Ledger;
  /** The same ledger with a later deadline, to write down that the time is up. */
  readonly closing: Ledger;
  readonly gifts: Gifts;
  readonly losses: Losses;
  /** Counts a change that was made because a sweep found something. */
  readonly countChanged: (sweep: string) => Promise<void>;
  readonly directory: Directory;
  /** Gumroad's API, or null where the secret holds no token: pings are then taken at their word. */
  readonly gumroad: (signal: AbortSignal) => Promise<GumroadApi | null>;
  readonly queue: Queue;
  readonly policy: Policy;
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
  for (let round = 1; ; round += 1) {
    const left = messages.filter((message) => !elsewhere.has(message));
    const failed = await provisionOnce(email, left, told, round === ROUNDS);
    if (failed === "again") continue;
    for (const message of messages) if (!failed.has(message)) turn.done(message);
    const [failure] = failed.values();
    if (failure !== undefined) throw failure;
    return;
  }
}

/** One reading of the record and all that follows. `again`: somebody else wrote it before our facts were in, so what was read back may be stale. */
async function provisionOnce(email: string, messages: readonly BuyerMessage[], turn: Turn, isLast: boolean): Promise<ReadonlyMap<BuyerMessage, Error> | "again"> {
  const progress: Progress = { factsStored: false, changes: [] };
  let failed: ReadonlyMap<BuyerMessage, Error> = new Map();
  try {
    const stored = await turn.ledger.load(email);
    const gumroad = messages.some(({ kind }) => kind === "ping" || kind === "hint") ? await turn.gumroad(turn.signal) : null;
    const reader = gumroad === null ? null : gumroadReader(gumroad, turn.now, turn.signal);
    const intake = await takeIn(stored, messages, { ...turn, reader });
    failed = intake.failed;
    for (const [message, error] of failed) noteUnread(email, message, error);
    const { record } = intake;
    const loggedIn = messages.some(({ kind }) => kind === "bind");
    if (record !== stored || loggedIn || !waitsToBeVerified(stored, turn.now())) await settle(stored, record, loggedIn, progress, turn);
    if (progress.changes.length > 0) await countFindings(messages.filter((message) => !failed.has(message)), turn);
    return failed;
  } catch (error) {
    if (error instanceof TemporaryError && error.code === CHANGED && !progress.factsStored && !isLast) return "again";
    await noteFailure(email, messages.filter((message) => !failed.has(message)), error, progress, turn);
    return failed;
  }
}

/** Somebody has to see this at once: nothing is granted or taken away until it is mended. */
function noteUnread(email: string, { requestId }: BuyerMessage, error: unknown): void {
  const told = { buyer: buyerTag(email), requestId, causes: causesOf(error) };
  if (error instanceof TemporaryError) {
    log.warn("will be tried again", told);
    return;
  }
  count("NeedsPerson");
  log.error("needs a person", { ...told, mend: error instanceof NeedsPersonError ? error.message : "This is a bug: the log line has its causes." });
}

async function countFindings(messages: readonly BuyerMessage[], { countChanged }: Turn): Promise<void> {
  const sweeps = new Set(messages.flatMap((message) => (message.kind === "hint" ? [message.sweep] : [])));
  // A report's count is no reason to do all of it again.
  for (const sweep of sweeps) await countChanged(sweep).catch((error: unknown) => log.warn("a change was not counted", { causes: causesOf(error) }));
}

/** Makes Auth0 match the record's facts, and the record say so. `loggedIn`: by a user that the record doesn't know, so they are looked up again. */
async function settle(stored: BuyerRecord, merged: BuyerRecord, loggedIn: boolean, progress: Progress, turn: Turn): Promise<void> {
  let last = stored;
  let record = merged;
  let touched: readonly RoleChanges[] = [];
  for (let round = 1; ; round += 1) {
    try {
      const access = entitlements(record.sources, turn.policy, turn.now());
      const decided = await withHolds(record, access, turn);
      last = await mark(last, decided, access, turn);
      progress.factsStored = true;
      const lookUp = needsUsers(last, decided) || (loggedIn && decided.roles.length > 0);
      if (isSettled(last, decided) && !lookUp) return;
      if (lookUp) {
        const bound = await bind(last, decided, turn);
        if (bound === null) return;
        last = bound;
      }
      touched = changesOf(last);
      const gone = await apply(touched, turn);
      if (gone.length === 0) {
        await turn.ledger.save({ ...settled(last), ...atRest(last, access, turn) });
        progress.changes = touched;
        report(last, decided, touched);
        return;
      }
      record = withoutUsers(last, gone);
    } catch (error) {
      if (!(error instanceof TemporaryError) || error.code !== CHANGED || !progress.factsStored || round === ROUNDS) throw error;
      last = await turn.ledger.load(record.email);
      record = doubted(together(last, record), touched);
    }
    if (round === ROUNDS) throw new TemporaryError("AUTH0_USERS_VANISH", "The buyer's Auth0 users keep disappearing.");
  }
}

/** One conditional write: the facts, and a mark on every role about to change. None where nothing changed. */
async function mark(stored: BuyerRecord, decided: Decided, access: Access, turn: Turn): Promise<BuyerRecord> {
  const next = marked(decided.record, decided.roles);
  const written = isSettled(next, decided)
    ? { ...next, ...atRest(stored, access, turn) }
    : // A record that is worked on already keeps its due time: a new one alone is not worth a write.
      { ...next, dueAt: sameWork(next, stored) && stored.dueAt !== null ? stored.dueAt : turn.now() + UNSETTLED_MS };
  return isDeepStrictEqual(written, stored) ? stored : turn.ledger.save(written);
}

/** Finds or creates the buyer's users and writes them down, marked, before any role is given. Null: all must verify first. */
async function bind(record: BuyerRecord, { roles }: Decided, turn: Turn): Promise<BuyerRecord | null> {
  const { record: bound, anybody } = await bindUsers(record, turn.directory, turn.signal);
  if (anybody) return turn.ledger.save(marked(bound, roles));
  await awaitVerification(bound, turn);
  return null;
}

/**
 * Leaves the record to wait. Who was seen unverified is written down before anybody is mailed: once they follow the mail's
 * link, nothing else tells that their password is not to be trusted.
 */
async function awaitVerification(record: BuyerRecord, { ledger, directory, now, signal }: Turn): Promise<void> {
  const waited = record.unsettled?.code === UNVERIFIED ? record.unsettled : null;
  const attempts = (waited?.attempts ?? 0) + 1;
  let written = await ledger.save({
    ...record,
    unsettled: { code: UNVERIFIED, message: "An Auth0 user with this email exists that nobody verified: the roles wait for that.", since: waited?.since ?? now(), attempts },
    dueAt: now() + dueWhileUnverified(attempts),
  });
  log.warn("waits for a verified email", { buyer: buyerTag(record.email), attempts });
  for (const userId of record.unverified.filter((id) => !record.mailed.includes(id))) {
    await directory.mailVerification(userId, signal);
    written = await ledger.save({ ...written, mailed: [...written.mailed, userId] });
  }
}

/**
 * Calls Auth0 for every marked role, and tells which users are gone. Gives before it takes, so that a change of tier never
 * leaves a gap. Whatever can be done is done, for every user; only then the first failure is thrown: a role that can't be
 * given must not keep another from being taken.
 */
async function apply(changes: readonly RoleChanges[], { directory, signal }: Turn): Promise<readonly string[]> {
  const gone = new Set<string>();
  const failures: unknown[] = [];
  for (const { userId, add, remove } of changes) {
    for (const [roles, change] of [[add, directory.assign], [remove, directory.remove]] as const) {
      if (roles.length === 0 || gone.has(userId)) continue;
      try {
        if (!(await change(userId, roles, signal))) gone.add(userId);
      } catch (error) {
        failures.push(error);
      }
    }
  }
  if (failures.length > 0) throw failures[0];
  return [...gone];
}

/**
 * Writes a failure on the record, with the time to try again. Once the facts are stored, what needs a person, and what
 * `reconcile` asked for, is left to the record. Everything else is delivered again, which is sooner, and keeps what isn't stored.
 */
async function noteFailure(email: string, messages: readonly BuyerMessage[], error: unknown, { factsStored }: Progress, { closing, now }: Turn): Promise<void> {
  const failure = error instanceof NeedsPersonError || error instanceof TemporaryError ? error : new NeedsPersonError("UNEXPECTED", "This is a bug: the log line has its causes.", { cause: error });
  const told = { buyer: buyerTag(email), requestId: messages[0]?.requestId, mend: failure.message, causes: causesOf(failure) };
  if (failure instanceof NeedsPersonError) {
    count("NeedsPerson");
    log.error("needs a person", told);
  } else {
    log.warn("will be tried again", told);
  }
  const record = await closing.load(email);
  if (record.version === 0) throw failure;
  const attempts = record.unsettled?.code === failure.code ? record.unsettled.attempts + 1 : 1;
  const since = record.unsettled?.since ?? now();
  await closing.save({ ...record, unsettled: { code: failure.code, message: failure.message, since, attempts }, dueAt: now() + dueAfterFailure(failure.code, attempts) });
  const leftToRecord = messages.every(({ kind }) => kind === "due") || (factsStored && failure instanceof NeedsPersonError);
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
  };
}

function sameWork(a: BuyerRecord, b: BuyerRecord): boolean {
  return isDeepStrictEqual({ ...a, dueAt: null }, { ...b, dueAt: null });
}

function isSettled(record: BuyerRecord, decided: Decided): boolean {
  return changesOf(record).length === 0 && !needsUsers(record, decided);
}

function needsUsers(record: BuyerRecord, { roles }: Decided): boolean {
  return roles.length > 0 && Object.keys(record.users).length === 0;
}

function waitsToBeVerified(record: BuyerRecord, now: number): boolean {
  return record.unsettled?.code === UNVERIFIED && record.dueAt !== null && record.dueAt > now;
}

function report(record: BuyerRecord, { roles }: Decided, changes: readonly RoleChanges[]): void {
  log.info("settled", {
    buyer: buyerTag(record.email),
    roles,
    users: Object.keys(record.users).length,
    added: [...new Set(changes.flatMap(({ add }) => add))],
    removed: [...new Set(changes.flatMap(({ remove }) => remove))],
  });
}

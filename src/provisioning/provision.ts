import { isDeepStrictEqual } from "node:util";

import { entitlements, type Access } from "../access/entitlements.ts";
import { mergeSources } from "../access/merge.ts";
import type { Policy } from "../access/policy.ts";
import type { Directory } from "../auth0/directory.ts";
import { NeedsPersonError, TemporaryError } from "../errors.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag, log } from "../log.ts";
import { count } from "../metrics.ts";
import { bindUsers } from "./bind.ts";
import { takeIn } from "./intake.ts";
import { changesOf, doubted, marked, settled, withoutUsers, type RoleChanges } from "./marks.ts";
import type { Message, PingMessage } from "./message.ts";
import type { Queue } from "./queue.ts";
import { dueAfterFailure, dueWhileUnverified, UNSETTLED_MS } from "./timing.ts";

/** What provisioning works with. `now` gives epoch milliseconds. */
export interface Provisioning {
  readonly ledger: Ledger;
  readonly directory: Directory;
  readonly queue: Queue;
  readonly policy: Policy;
  readonly now: () => number;
}

/** Rounds that one call makes when others write the same record, or when users turn out to be gone. */
const ROUNDS = 5;
/** The code of a record that waits for its buyer to verify an email. */
const UNVERIFIED = "EMAIL_UNVERIFIED";

/**
 * The one writer of buyers and roles: merge → derive → mark → apply → settle.
 *
 * The facts of all messages are merged into the buyer's record, the desired roles derived from facts, policy and time,
 * and one conditional write stores the facts with a mark on every role about to change. Then Auth0 is called; one more
 * conditional write settles the marks. A crash anywhere leaves marks that whoever comes next repeats, towards what is
 * desired then. An unsettled record has a due time, so `reconcile` comes back to it even if every message is lost.
 *
 * Returning means that the messages can be deleted: all is done, or the record will see to the rest.
 * @throws {TemporaryError} the messages must be delivered again
 */
export async function provisionBuyer(email: string, messages: readonly Message[], work: Provisioning, signal: AbortSignal): Promise<void> {
  const stored = await work.ledger.load(email);
  const pings = messages.filter((message) => message.kind === "ping");
  const merged = await takeIn(stored, pings, work);
  if (merged === stored && waitsFor(UNVERIFIED, stored, work.now())) return;
  try {
    await settle(stored, merged, work, signal);
  } catch (error) {
    await noteFailure(email, pings, error, work);
  }
}

/** Makes Auth0 match the record's facts, and the record say so. */
async function settle(stored: BuyerRecord, merged: BuyerRecord, work: Provisioning, signal: AbortSignal): Promise<void> {
  let last = stored;
  let record = merged;
  let touched: readonly RoleChanges[] = [];
  for (let round = 1; ; round += 1) {
    try {
      const access = entitlements(record.sources, work.policy, work.now());
      last = await mark(last, record, access, work);
      if (isSettled(last, access)) return;
      if (needsUsers(last, access)) {
        const bound = await bind(last, access, work, signal);
        if (bound === null) return;
        last = bound;
      }
      touched = changesOf(last);
      const gone = await apply(touched, work.directory, signal);
      if (gone.length === 0) {
        await work.ledger.save({ ...settled(last), unsettled: null, dueAt: access.changesAt });
        report(last, access, touched);
        return;
      }
      record = withoutUsers(last, gone);
    } catch (error) {
      if (!(error instanceof TemporaryError) || error.code !== "RECORD_CHANGED" || round === ROUNDS) throw error;
      last = await work.ledger.load(record.email);
      record = doubted({ ...last, sources: mergeSources(last.sources, record.sources) }, touched);
    }
    if (round === ROUNDS) throw new TemporaryError("AUTH0_USERS_VANISH", "The buyer's Auth0 users keep disappearing.");
  }
}

/** One conditional write: the facts, and a mark on every role about to change. None where nothing changed. */
async function mark(stored: BuyerRecord, record: BuyerRecord, access: Access, { ledger, now }: Provisioning): Promise<BuyerRecord> {
  const next = marked(record, access.roles);
  const due = isSettled(next, access) ? { dueAt: access.changesAt, unsettled: null } : { dueAt: now() + UNSETTLED_MS };
  const written = { ...next, ...due };
  // A record that was being worked on already keeps its due time: writing that alone would be a write for nothing.
  const sameButDue = isDeepStrictEqual({ ...written, dueAt: null }, { ...stored, dueAt: null }) && stored.dueAt !== null && !isSettled(next, access);
  return sameButDue || isDeepStrictEqual(written, stored) ? stored : ledger.save(written);
}

/** Finds or creates the buyer's users and writes them down, marked, before any role is given. Null: all must verify first. */
async function bind(record: BuyerRecord, access: Access, work: Provisioning, signal: AbortSignal): Promise<BuyerRecord | null> {
  const { record: bound, unverified } = await bindUsers(record, work.directory, signal);
  if (unverified.length === 0) return work.ledger.save(marked(bound, access.roles));
  await awaitVerification(record, unverified, work, signal);
  return null;
}

async function awaitVerification(record: BuyerRecord, unverified: readonly string[], { ledger, directory, now }: Provisioning, signal: AbortSignal): Promise<void> {
  const attempts = record.unsettled?.code === UNVERIFIED ? record.unsettled.attempts + 1 : 1;
  const since = record.unsettled?.code === UNVERIFIED ? record.unsettled.since : now();
  const toMail = unverified.filter((userId) => !record.mailed.includes(userId));
  await ledger.save({
    ...record,
    mailed: [...record.mailed, ...toMail],
    unsettled: { code: UNVERIFIED, message: "An Auth0 user with this email exists that nobody verified: the roles wait for that.", since, attempts },
    dueAt: now() + dueWhileUnverified(attempts),
  });
  log.warn("waits for a verified email", { buyer: buyerTag(record.email), roles: "pending", attempts });
  // Written down first: a buyer is better mailed never than twice. The wait itself goes on without the mail.
  for (const userId of toMail) {
    await directory.mailVerification(userId, signal).catch((error: unknown) => {
      log.warn("could not have a verification mailed", { buyer: buyerTag(record.email), cause: error instanceof Error ? error.message : "unknown" });
    });
  }
}

/** Calls Auth0 for every marked role; gives before it takes, so that a change of tier never leaves a gap. Tells which users are gone. */
async function apply(changes: readonly RoleChanges[], directory: Directory, signal: AbortSignal): Promise<readonly string[]> {
  const gone: string[] = [];
  for (const { userId, add, remove } of changes) {
    const there = (add.length === 0 || (await directory.assign(userId, add, signal))) && (remove.length === 0 || (await directory.remove(userId, remove, signal)));
    if (!there) gone.push(userId);
  }
  return gone;
}

/**
 * Writes a failure on the record, with the time to try again. What needs a person, and what `reconcile` asked for, is
 * then left to the record; a ping is delivered again, which is sooner.
 */
async function noteFailure(email: string, pings: readonly PingMessage[], error: unknown, { ledger, now }: Provisioning): Promise<void> {
  const known = error instanceof NeedsPersonError || error instanceof TemporaryError;
  if (!known) throw error;
  const record = await ledger.load(email);
  if (record.version === 0) throw error;
  const attempts = record.unsettled?.code === error.code ? record.unsettled.attempts + 1 : 1;
  const since = record.unsettled?.since ?? now();
  await ledger.save({ ...record, unsettled: { code: error.code, message: error.message, since, attempts }, dueAt: now() + dueAfterFailure(attempts) });
  const told = { buyer: buyerTag(email), requestId: pings[0]?.requestId, code: error.code, attempts, mend: error.message };
  if (error instanceof NeedsPersonError) {
    count("NeedsPerson");
    log.error("needs a person", told);
    return;
  }
  log.warn("will be tried again", told);
  if (pings.length > 0) throw error;
}

function isSettled(record: BuyerRecord, access: Access): boolean {
  return changesOf(record).length === 0 && !needsUsers(record, access);
}

function needsUsers(record: BuyerRecord, access: Access): boolean {
  return access.roles.length > 0 && Object.keys(record.users).length === 0;
}

function waitsFor(code: string, record: BuyerRecord, now: number): boolean {
  return record.unsettled?.code === code && record.dueAt !== null && record.dueAt > now;
}

function report(record: BuyerRecord, access: Access, changes: readonly RoleChanges[]): void {
  log.info("settled", {
    buyer: buyerTag(record.email),
    roles: access.roles,
    users: Object.keys(record.users).length,
    added: [...new Set(changes.flatMap(({ add }) => add))],
    removed: [...new Set(changes.flatMap(({ remove }) => remove))],
  });
  for (const { source, productId, variant, access: has, variantListed } of access.verdicts) {
    if (has && !variantListed) log.warn("the policy does not list this option", { source, productId, variant });
  }
}

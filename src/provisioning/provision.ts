import { isDeepStrictEqual } from "node:util";

import { entitlements, type Access } from "../access/entitlements.ts";
import { mergeSources } from "../access/merge.ts";
import type { Policy } from "../access/policy.ts";
import type { Directory } from "../auth0/directory.ts";
import { NeedsPersonError, TemporaryError } from "../errors.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag, causesOf, log } from "../log.ts";
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
  /** The same ledger with a later deadline, to write down that the time is up. */
  readonly closing: Ledger;
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
  if (merged !== stored) warnOfUnlisted(stored, merged, work);
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
  const written = isSettled(next, access)
    ? { ...next, dueAt: access.changesAt, unsettled: null }
    : // A record that is worked on already keeps its due time: a new one alone is not worth a write.
      { ...next, dueAt: sameWork(next, stored) && stored.dueAt !== null ? stored.dueAt : now() + UNSETTLED_MS };
  return isDeepStrictEqual(written, stored) ? stored : ledger.save(written);
}

/** Finds or creates the buyer's users and writes them down, marked, before any role is given. Null: all must verify first. */
async function bind(record: BuyerRecord, access: Access, work: Provisioning, signal: AbortSignal): Promise<BuyerRecord | null> {
  const { record: bound, unverified } = await bindUsers(record, work.directory, signal);
  if (unverified.length === 0) return work.ledger.save(marked(bound, access.roles));
  await awaitVerification(record, unverified, work, signal);
  return null;
}

async function awaitVerification(record: BuyerRecord, unverified: readonly string[], { ledger, directory, now }: Provisioning, signal: AbortSignal): Promise<void> {
  const waited = record.unsettled?.code === UNVERIFIED ? record.unsettled : null;
  const mailed = [...record.mailed];
  for (const userId of unverified.filter((id) => !mailed.includes(id))) {
    await directory.mailVerification(userId, signal);
    mailed.push(userId);
  }
  const attempts = (waited?.attempts ?? 0) + 1;
  await ledger.save({
    ...record,
    mailed,
    unsettled: { code: UNVERIFIED, message: "An Auth0 user with this email exists that nobody verified: the roles wait for that.", since: waited?.since ?? now(), attempts },
    dueAt: now() + dueWhileUnverified(attempts),
  });
  log.warn("waits for a verified email", { buyer: buyerTag(record.email), attempts });
}

/**
 * Calls Auth0 for every marked role, and tells which users are gone. Gives before it takes, so that a change of tier never
 * leaves a gap. Whatever can be done is done, for every user; only then the first failure is thrown: a role that can't be
 * given must not keep another from being taken.
 */
async function apply(changes: readonly RoleChanges[], directory: Directory, signal: AbortSignal): Promise<readonly string[]> {
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
 * Writes a failure on the record, with the time to try again. What needs a person, and what `reconcile` asked for, is
 * then left to the record; a ping is delivered again, which is sooner. So is whatever nobody expected: its facts may not be
 * stored yet.
 */
async function noteFailure(email: string, pings: readonly PingMessage[], error: unknown, { closing, now }: Provisioning): Promise<void> {
  const failure = error instanceof NeedsPersonError || error instanceof TemporaryError ? error : new NeedsPersonError("UNEXPECTED", "This is a bug: the log has its cause.", { cause: error });
  const record = await closing.load(email);
  if (record.version === 0) throw failure;
  const attempts = record.unsettled?.code === failure.code ? record.unsettled.attempts + 1 : 1;
  const since = record.unsettled?.since ?? now();
  await closing.save({ ...record, unsettled: { code: failure.code, message: failure.message, since, attempts }, dueAt: now() + dueAfterFailure(failure.code, attempts) });
  const told = { buyer: buyerTag(email), requestId: pings[0]?.requestId, attempts, mend: failure.message, causes: causesOf(failure) };
  if (failure instanceof NeedsPersonError) {
    count("NeedsPerson");
    log.error("needs a person", told);
    if (failure.code !== "UNEXPECTED" || pings.length === 0) return;
  } else {
    log.warn("will be tried again", told);
  }
  if (pings.length > 0) throw failure;
}

/**
 * Says, once a purchase, that the policy doesn't list its option: a seller who renames a tier would else lose every new
 * buyer without a word. Where the policy has an `otherwise`, that was meant.
 */
function warnOfUnlisted(stored: BuyerRecord, merged: BuyerRecord, { policy, now }: Provisioning): void {
  const unlisted = (record: BuyerRecord) => entitlements(record.sources, policy, now()).verdicts.filter((verdict) => verdict.access && !verdict.variantListed);
  const known = unlisted(stored).map(({ source, variant }) => `${source} ${String(variant)}`);
  for (const { source, productId, variant } of unlisted(merged)) {
    if (known.includes(`${source} ${String(variant)}`)) continue;
    log.warn("the policy does not list this option: add it to src/products.ts", { buyer: buyerTag(merged.email), source, productId, variant });
    const product = policy.get(productId);
    if (product !== undefined && "variant" in product && product.otherwise === undefined) count("NeedsPerson");
  }
}

function sameWork(a: BuyerRecord, b: BuyerRecord): boolean {
  return isDeepStrictEqual({ ...a, dueAt: null }, { ...b, dueAt: null });
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
}

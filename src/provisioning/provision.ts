import { isDeepStrictEqual } from "node:util";

import { entitlements } from "../access/entitlements.ts";
import { NeedsPersonError } from "../errors.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { count } from "../metrics.ts";
import type { Message } from "../queue/message.ts";
import { applyMarks, isTold } from "./apply.ts";
import { bindUsers, lookUp } from "./bind.ts";
import { isOvertaken, note, type Provisioning } from "./context.ts";
import { withHolds, type Decided } from "./hold.ts";
import { announced, invitedAnew, sendInvitation, withInvitation } from "./invite.ts";
import { changesOf, doubted, marked, needsUsers, pastDoubts, settled, withDoubts, withoutUsers,
  type RoleChanges } from "./marks.ts";
import { mergeMessages } from "./merge.ts";
import { allIn, mustMove, onTheMove } from "./places.ts";
import { readBack } from "./read-back.ts";
import { atRest, awaitVerification, isAwaitingVerification } from "./rest.ts";
import { loggedAs, tellFailure, tellSettled } from "./telling.ts";
import { dueAfter, LEFT_TO_RECORD, UNSETTLED_LONG_MS, UNSETTLED_MS } from "./timing.ts";
import { dueMessages, waitingInstead } from "./waiting.ts";

interface Turn {
  readonly stored: BuyerRecord;
  /** With all that the messages brought. */
  readonly record: BuyerRecord;
  readonly messages: readonly Message[];
  /** Once its facts are stored, a failure is left to the record: sooner than that, it would be in the queue again. */
  readonly isPatient: boolean;
}

/**
 * The one writer of buyers and roles: read back → merge → derive → mark → apply → settle.
 * The facts of all messages are merged into the buyer's record, the desired roles derived from facts, policy and time,
 * and one conditional write stores the facts with a mark on every role about to change. Then Auth0 is called; one more
 * conditional write settles the marks. A crash anywhere leaves marks that whoever comes next repeats, towards what is
 * desired then. An unsettled record has a due time, so `reconcile` comes back to it even if every message is lost.
 * Gives the messages that must be delivered again: of the others all is done, or the record will see to the rest.
 * `receives`: how often they were delivered.
 * @throws {Error} nothing was done: all of them must
 */
export async function provisionBuyer(email: string, delivered: readonly Message[], work: Provisioning,
  receives = 1): Promise<readonly Message[]> {
  const isDue = delivered.every(({ kind }) => kind === "due");
  const isPatient = isDue || receives >= LEFT_TO_RECORD;
  const waited = delivered.some(({ kind }) => kind === "due") ? await dueMessages(email, work) : [];
  const messages = [...waited.map(({ message }) => message), ...delivered];

  const stored = await work.store.ledger.load(email);
  const readings = await readBack(messages, stored, work);
  const { record, failed, elsewhere } = await mergeMessages(stored, messages, readings, work);
  const taken = messages.filter((message) => !failed.has(message));
  const brought = taken.filter((message) => !elsewhere.has(message));
  const turn = { stored, record: withInvitation(record, brought, work), messages: taken, isPatient };
  // Nothing is new, and its time hasn't come: a look would only make the wait for a verified email longer.
  const isAtRest = turn.record === stored && !isToLookAnew(taken) && isAwaitingVerification(stored, work.now());
  const isDone = isAtRest || (await isBroughtInLine(turn, work));

  for (const { id, message } of waited) {
    if (!failed.has(message) && (isDone || elsewhere.has(message))) await work.store.pending.remove(email, id);
  }
  const hasWaited = (message: Message) => waited.some((each) => each.message === message);
  const unread = await waitingInstead(email, failed, (message) => isPatient || hasWaited(message), work);
  // The record's own due time, or that of what waits, brings word again.
  return delivered.filter((message) =>
    message.kind !== "due" && (failed.has(message) ? unread.has(message) : !isDone && !elsewhere.has(message))
  );
}

/** Makes Auth0 match the record's facts, and the record say so. False: the messages must be delivered again. */
async function isBroughtInLine(turn: Turn, work: Provisioning): Promise<boolean> {
  const { ledger } = work.store;
  const { place } = work.settings;
  let ours: BuyerRecord | null = null;
  try {
    const access = entitlements(turn.record.sources, work.policy, work.now());
    const desired = await withHolds(turn.record, access, { losses: work.store.losses, now: work.now });
    ours = await mark(turn, desired, work);
    let isToLookUp = needsUsers(ours, desired.roles) || ours.creating === true ||
      (isToLookAnew(turn.messages) && desired.roles.length > 0);
    let changes: readonly RoleChanges[] = [];
    while (isToLookUp || !isInLine(ours, desired, work)) {
      if (isToLookUp) {
        const seen = await lookUp(ours, work);
        ours = seen.record;
        const { record, anybody } = await bindUsers(seen, desired.roles, work);
        if (!anybody) {
          await awaitVerification(record, turn.stored.creating === true, work);
          return true;
        }
        ours = await ledger.save(marked(record, desired.roles));
      }
      if (mustMove(ours, place)) ours = await ledger.save(marked(await onTheMove(ours, work), desired.roles));
      changes = [...changes, ...changesOf(ours)];
      const applied = await applyMarks(ours, desired.roles, work);
      if (applied.gone.length === 0) {
        ours = applied.record;
        break;
      }
      // Looked up anew, with the roles that the others need.
      ours = await ledger.save(creating(invitedAnew(withoutUsers(ours, applied.gone), work), desired, work));
      isToLookUp = needsUsers(ours, desired.roles);
    }
    await settle(ours, desired, { ...turn, changes }, work);
    return true;
  } catch (error) {
    return isLeftToRecord(error, ours, turn, work);
  }
}

/** One conditional write: the facts, and a mark on every role about to change; none if all is so and nobody asked. */
async function mark({ stored, messages }: Turn, desired: Decided, work: Provisioning): Promise<BuyerRecord> {
  const next = creating(marked(pastDoubts(desired.record, work.now()), desired.roles), desired, work);
  const written = isInLine(next, desired, work)
    ? { ...next, ...atRest(next, desired.access, work) }
    // A record that is worked on already keeps its due time: a new one alone is not worth a write.
    : { ...next,
      dueAt: isDeepStrictEqual({ ...next, dueAt: null }, { ...stored, dueAt: null }) && stored.dueAt !== null
        ? stored.dueAt
        : work.now() + UNSETTLED_MS };
  const isShown = stored.version > 0 && messages.some(isAskedAnew);
  return isDeepStrictEqual(written, stored) && !isShown ? stored : work.store.ledger.save(written);
}

/** One conditional write: what was marked is so. Then the mail with which the buyer gets in, if that is wanted now. */
async function settle(ours: BuyerRecord, { access, roles }: Decided,
  turn: Turn & { readonly changes: readonly RoleChanges[] }, work: Provisioning): Promise<void> {
  const lost = [...new Set(turn.changes.flatMap(({ remove }) => remove))];
  const done = allIn(withDoubts(settled(ours), turn.stored, work.now()), work.settings.place);
  const atLast = announced({ ...done, ...atRest(done, access, work),
    ...(lost.length > 0 ? { lost: { at: work.now(), roles: lost } } : {}) }, work);
  const written = isDeepStrictEqual(atLast, ours) ? ours : await work.store.ledger.save(atLast);
  if (written !== turn.stored) tellSettled(written, roles, turn.changes, turn.messages, work.now());
  const hints = turn.changes.length === 0 ? [] : turn.messages.filter((message) => message.kind === "hint");
  for (const sweep of new Set(hints.map((hint) => hint.sweep))) {
    // A report's count is no reason to do all of it again.
    await work.store.sweeps.countChanged(sweep).catch(loggedAs("a change was not counted"));
  }
  // Whoever announced it, nobody else, sends it.
  if (ours.invited?.outcome === "wanted" && written.invited?.outcome === "sending") {
    await sendInvitation(written, work);
  }
}

/**
 * Writes a failure on the record, with the time to try again. Once the facts are stored, what needs a person or goes
 * on for long is left to that. Everything else is delivered again, which is sooner, and keeps what isn't stored. Had
 * somebody else written the record meanwhile, their call may have been Auth0's last: what we touched is made unknown.
 */
async function isLeftToRecord(error: unknown, ours: BuyerRecord | null, turn: Turn, work: Provisioning) {
  const { email } = turn.stored;
  const { now } = work;
  const isRace = isOvertaken(error);
  if (isRace && ours === null) return false;
  const failure = tellFailure(email, turn.messages, error);
  const noted = await note(email, work.store, (theirs) => {
    if (theirs.version === 0) return null;
    const record = isRace && ours !== null ? doubted(theirs, ours) : theirs;
    const attempts = theirs.unsettled?.code === failure.code ? theirs.unsettled.attempts + 1 : 1;
    const since = theirs.unsettled?.since ?? now();
    // Whom this turn saw at Auth0 counts, whatever it came to.
    return { ...record, lookedAt: theirs.lookedAt ?? ours?.lookedAt,
      unverified: [...new Set([...theirs.unverified, ...(ours?.unverified ?? [])])],
      unsettled: { code: failure.code, message: failure.message, since, attempts },
      dueAt: now() + dueAfter(failure.code, attempts) };
  }).catch(loggedAs("a failure was not written down"));
  if (now() - (noted?.unsettled?.since ?? now()) > UNSETTLED_LONG_MS) count("UnsettledLong");
  const isLeft = turn.isPatient || failure instanceof NeedsPersonError || failure.code === "AUTH0_AWAY";
  return noted !== null && ours !== null && !isRace && isLeft;
}

/** Marks that a user is about to be created who has the roles from the start. */
function creating(record: BuyerRecord, desired: Decided, { settings }: Provisioning): BuyerRecord {
  const isCreating = settings.place === "app_metadata" && needsUsers(record, desired.roles);
  return isCreating ? { ...record, creating: true } : record;
}

/** Somebody logged in whom the record may not know, or an operator wants to be sure. */
function isToLookAnew(messages: readonly Message[]): boolean {
  return messages.some((message) => message.kind === "bind" || isAskedAnew(message));
}

function isAskedAnew(message: Message): boolean {
  return message.kind === "due" && message.anew === true;
}

function isInLine(record: BuyerRecord, desired: Decided, { settings }: Provisioning): boolean {
  return changesOf(record).length === 0 && !needsUsers(record, desired.roles) && record.creating !== true &&
    !mustMove(record, settings.place) && Object.values(record.users).every((user) => isTold(user, desired.roles));
}

import { without } from "../access/facts.ts";
import type { BoundUser, BuyerRecord, Mark } from "../ledger/record.ts";
import { LATE_MS } from "./timing.ts";

/**
 * Marks every role that must change, on every user of the buyer: `adding` what is desired and not there, `removing`
 * what we gave and is no longer desired, whatever mark a crash left. Roles that the user had before we came are
 * neither given nor taken; where the record adopts, those of them that are desired become ours.
 */
export function marked(record: BuyerRecord, desired: readonly string[]): BuyerRecord {
  return mapUsers(record.adopts === true ? adopted(record, desired) : record, (user) => {
    const roles: Record<string, Mark> = {};
    for (const role of Object.keys(user.roles)) if (!desired.includes(role)) roles[role] = "removing";
    for (const role of desired) {
      if (user.roles[role] === "has") roles[role] = "has";
      else if (!user.foreign.includes(role)) roles[role] = "adding";
    }
    return { ...user, roles };
  });
}

/** Due roles that users had before we came become ours, so that the purchase's end takes them. */
function adopted(record: BuyerRecord, desired: readonly string[]): BuyerRecord {
  return mapUsers(record, (user) => {
    const ours = user.foreign.filter((role) => desired.includes(role));
    return withMarks({ ...user, foreign: user.foreign.filter((role) => !ours.includes(role)) }, ours, "has");
  });
}

/** What a user's marks ask for. */
export function marksOf({ roles }: BoundUser) {
  const marked = (mark: Mark) => Object.keys(roles).filter((role) => roles[role] === mark).sort();
  return { add: marked("adding"), remove: marked("removing") };
}

/** Whether roles are due, and there is no user yet to have them. */
export function needsUsers({ users }: BuyerRecord, desired: readonly string[]): boolean {
  return desired.length > 0 && Object.keys(users).length === 0;
}

/** The changes that a record's marks ask for; users without any are left out. */
export function changesOf(record: BuyerRecord) {
  return Object.entries(record.users)
    .map(([userId, user]) => ({ userId, ...marksOf(user) }))
    .filter(({ add, remove }) => add.length + remove.length > 0);
}

/** What is to be done at Auth0 for one user. */
export type RoleChanges = Readonly<ReturnType<typeof changesOf>[number]>;

/** The record once its changes were made: what was being added is there, what was being removed is gone. */
export function settled(record: BuyerRecord): BuyerRecord {
  const { creating: _, ...known } = record;
  return mapUsers(known, (user) => {
    const roles: Record<string, Mark> = {};
    for (const [role, mark] of Object.entries(user.roles)) if (mark !== "removing") roles[role] = "has";
    return { ...user, roles };
  });
}

/** The record without users that no longer exist at Auth0. */
export function withoutUsers(record: BuyerRecord, gone: readonly string[]): BuyerRecord {
  return { ...record, users: without(record.users, gone) };
}

/**
 * A record that somebody else wrote while we were changing roles by `ours`. Nobody knows whose call reached Auth0
 * last, so every role that we touched is marked anew, as unknown; a user whom we may have created is looked for.
 */
export function doubted(theirs: BuyerRecord, ours: BuyerRecord): BuyerRecord {
  const record = mapUsers(theirs, (user, userId) => withMarks(user, touchedBy(ours, userId), "adding"));
  return ours.creating === true ? { ...record, creating: true } : record;
}

function touchedBy({ users }: BuyerRecord, userId: string): readonly string[] {
  return Object.entries(users[userId]?.roles ?? {}).flatMap(([role, mark]) => mark === "has" ? [] : [role]);
}

/** The record with every role of ours marked as unknown, so that it is made sure of. */
export function unknown(record: BuyerRecord): BuyerRecord {
  return mapUsers(record, (user) => withMarks(user, Object.keys(user.roles), "adding"));
}

/**
 * The settled record with a doubt on all that `stored` was changing (or creating) when this turn began: an earlier
 * turn didn't end, and what it called for may still be carried out until a minute from `now` (epoch ms).
 */
export function withDoubts(record: BuyerRecord, stored: BuyerRecord, now: number): BuyerRecord {
  const isAwaited = stored.creating === true && (stored.dueAt ?? 0) > now &&
    !Object.values(record.users).some(({ origin }) => origin === "created");
  return { ...(isAwaited ? { creating: true } : {}), ...mapUsers(record, (user, userId) => {
    const touched = touchedBy(stored, userId).map((role) => [role, now + LATE_MS]);
    return touched.length === 0 ? user : { ...user, doubted: { ...user.doubted, ...Object.fromEntries(touched) } };
  }) };
}

/** The record with every role whose doubt is over (`now` in epoch ms) marked as unknown, to be set again. */
export function pastDoubts(record: BuyerRecord, now: number): BuyerRecord {
  return mapUsers(record, ({ doubted: noted = {}, ...user }) => {
    const doubts = Object.entries(noted);
    const left = doubts.filter(([, until]) => until > now);
    const over = doubts.filter(([, until]) => until <= now).map(([role]) => role);
    return { ...withMarks(user, over, "adding"), ...(left.length === 0 ? {} : { doubted: Object.fromEntries(left) }) };
  });
}

/** When the first doubt is over (epoch ms); null: there is none. */
export function doubtedUntil({ users, creating }: BuyerRecord, now: number): number | null {
  const moments = Object.values(users).flatMap(({ doubted = {} }) => Object.values(doubted));
  if (creating === true) moments.push(now + LATE_MS);
  return moments.length === 0 ? null : Math.min(...moments);
}

/** The user with these roles marked so. */
export function withMarks(user: BoundUser, roles: readonly string[], mark: Mark): BoundUser {
  return { ...user, roles: { ...user.roles, ...Object.fromEntries(roles.map((role) => [role, mark])) } };
}

/** The record with each of its users changed. */
export function mapUsers(record: BuyerRecord, change: (user: BoundUser, userId: string) => BoundUser): BuyerRecord {
  return { ...record,
    users: Object.fromEntries(Object.entries(record.users).map(([userId, user]) => [userId, change(user, userId)])) };
}

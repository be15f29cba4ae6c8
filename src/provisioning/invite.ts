import { entriesOf } from "../access/facts.ts";
import { earlier } from "../access/merge.ts";
import { SURELY_UNSENT } from "../auth0/invite.ts";
import { RefusedError, TemporaryError } from "../errors.ts";
import type { BuyerRecord, Invitation } from "../ledger/record.ts";
import { buyerTag, causesOf, log } from "../log.ts";
import { count, needsPerson } from "../metrics.ts";
import type { MessageOf, Message } from "../queue/message.ts";
import { note, type Provisioning } from "./context.ts";
import { isAwaitingVerification } from "./rest.ts";
import { asFailure, loggedAs } from "./telling.ts";
import { INVITE_AGAIN_MS } from "./timing.ts";

/**
 * How buyers get in for whom a user was created:
 * - `invite`: Auth0 mails them a link for choosing a password
 * - `passwordless`: they need none, the login mails a code
 * - `none`: somebody else sees to it
 */
export type GettingIn = "invite" | "passwordless" | "none";

const NOBODY =
  "None of the buyer's users has a password to choose: they log in another way, or nothing gives them a role.";

/**
 * Notes on a buyer's record who is to be invited: somebody of whom nothing was known until these messages. Noted with
 * the facts it lasts: the user may be created later, when something is mended.
 */
export function withInvitation(record: BuyerRecord, messages: readonly Message[], work: Provisioning): BuyerRecord {
  const isNew = record.invited === null &&
    (Object.keys(record.users).length === 0 || messages.some(({ kind }) => kind === "due"));
  return isNew && messages.some(bringsSomebody) ? wanting(record, work) : record;
}

/** The record of somebody who lost their last user at Auth0: the mail from before leads nowhere. */
export function invitedAnew(record: BuyerRecord, work: Provisioning): BuyerRecord {
  return Object.keys(record.users).length === 0 ? wanting(record, work) : record;
}

function wanting(record: BuyerRecord, { settings: { gettingIn }, now }: Provisioning): BuyerRecord {
  if (gettingIn !== "invite") return record;
  return { ...record, invited: { outcome: "wanted", at: now(), message: null, asked: null } };
}

/** What a sweep or a backfill found may have been bought long ago: a mail is expected only where it says so. */
function bringsSomebody(message: Message): boolean {
  return ["ping", "act", "moved"].includes(message.kind) || ("invite" in message && message.invite === true);
}

/** Merges an operator's wish to invite a buyer (again): twice the same is one mail. Throws BUYER_UNKNOWN. */
export async function mergeInvite(record: BuyerRecord, { requestId, by, why }: MessageOf<"invite">,
  { store, now }: Provisioning): Promise<BuyerRecord> {
  if (record.invited?.asked?.requestId === requestId) return record;
  const [first] = entriesOf(record.sources);
  if (first === undefined) {
    throw new RefusedError("BUYER_UNKNOWN", "Nobody with this email bought anything, so there is nobody to invite.");
  }
  // It is about the person, but each line of history has a source: the first will do.
  await store.ledger.remember(`buyer#${record.email}`, { id: `invite ${requestId}`, receivedAt: now(), requestId,
    source: first[0], detail: { event: "invite", by, why } });
  // Nobody is there to invite yet: what lets them in is the mail with which to verify.
  if (isAwaitingVerification(record)) return { ...record, mailed: [] };
  return { ...record, invited: { outcome: "wanted", at: now(), message: null, asked: { requestId, by, why } } };
}

/**
 * A settled record as it is to be written: an invitation whose time has come is `sending`, and whoever wrote that,
 * nobody else, calls `sendInvitation`. So a crash can lose a mail, which shows, and never sends it twice.
 */
export function announced(record: BuyerRecord, { settings: { gettingIn }, now }: Provisioning): BuyerRecord {
  const { invited, users } = record;
  if (invited?.outcome !== "wanted") return record;
  const sending: BuyerRecord = { ...record, invited: { ...invited, outcome: "sending", at: now(), message: null } };
  if (invited.asked !== null) return sending;
  const created = Object.values(users).filter(({ origin }) => origin === "created");
  const isMeaningless = gettingIn !== "invite" || (Object.keys(users).length > 0 && created.length === 0);
  // Somebody who was there before us knows how to log in.
  if (isMeaningless) return { ...record, invited: null };
  return created.some(({ roles }) => Object.values(roles).includes("has")) ? sending : record;
}

/** Has Auth0 mail the announced invitation, and writes down what came of it. Never throws: the roles are given. */
export async function sendInvitation(record: BuyerRecord, work: Provisioning): Promise<void> {
  const { invited } = record;
  if (invited === null) return;
  const came = { ...(await send(record, work)), at: work.now() };
  const again = came.outcome === "wanted" ? came.at + INVITE_AGAIN_MS : null;
  // Whoever else writes the record: a mail that went out must not stand there as uncertain.
  await note(record.email, work.store, (known) => {
    // Another was asked for meanwhile.
    if (known.invited?.outcome !== "sending" || known.invited.asked?.requestId !== invited.asked?.requestId) {
      return null;
    }
    return { ...known, invited: { ...invited, ...came }, dueAt: earlier(known.dueAt, again) };
  }).catch(
    loggedAs("what came of an invitation was not written down", { buyer: buyerTag(record.email),
      outcome: came.outcome }),
  );
}

async function send(record: BuyerRecord, work: Provisioning): Promise<Pick<Invitation, "outcome" | "message">> {
  const about = { buyer: buyerTag(record.email), again: record.invited?.asked !== null };
  let mailing = false;
  try {
    const database = record.invited?.asked === null ? null : await databaseOf(record, work);
    if (database === undefined) return { outcome: "failed", message: NOBODY };
    mailing = true;
    await work.auth0.invite(record.email, database, work.signal);
    log.info("invited", about);
    return { outcome: "sent", message: null };
  } catch (error) {
    const { code, message } = asFailure(error);
    const told = { ...about, causes: causesOf(error) };
    if (!(error instanceof TemporaryError)) {
      needsPerson(message, told);
      return { outcome: "failed", message };
    }
    const surelyNot = !mailing || SURELY_UNSENT.includes(code);
    // The buyer has the role, and perhaps no way to log in.
    if (!surelyNot) count("NeedsPerson");
    log.warn(surelyNot ? "the invitation will be tried again" : "nobody knows whether the invitation was sent", told);
    return { outcome: surelyNot ? "wanted" : "failed", message };
  }
}

/** The database connection in which one of the buyer's users has a password, if any has. */
async function databaseOf({ email, users }: BuyerRecord,
  { auth0, signal }: Provisioning): Promise<string | undefined> {
  const found = await auth0.find(email, email, signal);
  return found.filter(({ id }) => Object.hasOwn(users, id)).flatMap((user) => user.database ?? [])[0];
}

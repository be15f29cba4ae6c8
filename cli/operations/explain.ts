import * as z from "zod";

import { entitlements, type Verdict } from "../../src/access/entitlements.ts";
import { entriesOf, grantedRole, isSubscription, type Source, type SourceId } from "../../src/access/facts.ts";
import { type Policy, type Product, rolesOf } from "../../src/access/policy.ts";
import { tierInForce } from "../../src/access/tiers.ts";
import type { Directory, DirectoryUser } from "../../src/auth0/directory.ts";
import type { HistoryEvent } from "../../src/ledger/ledger.ts";
import { openClaims, type BuyerRecord } from "../../src/ledger/record.ts";
import { underHold } from "../../src/provisioning/hold.ts";
import { changesOf, marked } from "../../src/provisioning/marks.ts";
import type { ShopAdmin } from "../admin/shop-admin.ts";
import type { Logins } from "../admin/tenant-admin.ts";
import { failureOf } from "../failures.ts";
import { unreadWords, type Unread } from "../ledger/unread.ts";
import { assignedTo, findAll, idsOf } from "./look.ts";
import { CALL_MS } from "./operating.ts";
import { REASONS } from "./reasons.ts";
import { findingsIn, type RecordFinding } from "./record-findings.ts";
import type { ExplainedRole, ExplainedSource, ExplainedUser, Explanation, GiftMade, GumroadNow, NextStep,
  Wait } from "./explanation.ts";

/** What explaining reads. */
export interface Known {
  readonly record: BuyerRecord;
  readonly events: readonly HistoryEvent[];
  /** What waits beside the record until it can be read back. */
  readonly unread: readonly Unread[];
  readonly policy: Policy;
  /** Gifts that this buyer made. */
  readonly gave: readonly GiftMade[];
  /** Throws what keeps Auth0 from being asked. */
  readonly directory: () => Promise<Directory>;
  readonly logins: (userId: string) => Promise<Logins | null>;
  /** Null where no token is configured. */
  readonly shop: () => Promise<Pick<ShopAdmin, "sale" | "subscription"> | null>;
  readonly now: number;
}

/** Purchases of which Gumroad is asked: each takes a call or two. */
const MOST_ASKED = 10;

/**
 * Works out why a buyer has what they have. Reads Auth0 and Gumroad, changes nothing; where one of them can't be
 * asked, says so and goes on.
 */
export async function explained(
  { record, events, unread, policy, gave, directory, logins, shop, now }: Known,
): Promise<Explanation> {
  const access = entitlements(record.sources, policy, now);
  const { verdicts, changesAt } = access;
  const plain = verdicts.flatMap((verdict) => {
    const source = record.sources[verdict.source];
    return source === undefined ? [] : [explainedSource(verdict, source, record, policy, now)];
  });
  const { says, failure: gumroadFailure } = await askedOf(record, shop);
  const sources = plain.map((source) => {
    const from = source.act?.decision.kind === "follow" ? movedFrom(source.act.id, events) : null;
    // Where it came from, or went to, is told with the decision.
    const emails = source.reason === "moved" ? [] : source.emails.filter((email) => email !== from);
    return { ...source, emails, movedFrom: from, gumroad: says.get(source.id) ?? null };
  });
  const { users, failure } = await explainedUsers(record, directory, logins);
  // What others lose in the same hour is left out; an option that the policy doesn't list is held all the same.
  const { roles: entitled } = await underHold(record, access, now, async () => true);
  const wouldChange = { findsUsers: entitled.length > 0 && Object.keys(record.users).length === 0,
    users: changesOf(marked(record, entitled)) };
  return { buyer: record.email, at: now, spellings: record.spellings, roles: explainedRoles(sources, users), sources,
    users, gave, gumroadFailure, auth0Failure: failure, waits: waitsOf(record, unread, changesAt),
    invited: record.invited, wouldChange,
    next: [...readAgain(sources, events),
      ...nextSteps(record, unread, findingsIn(record, policy, now), users, wouldChange)], events };
}

/** Reasons that a look at Gumroad can overturn. */
const OF_GUMROAD: ReadonlySet<string> = new Set<Verdict["reason"]>(["paid", "running", "cancelled-running",
  "restarted", "refunded", "disputed", "ended", "revoked"]);
const SECOND_MS = 1_000;

/** What Gumroad says otherwise of than the record, and no ping told, is read back by what was told of it last. */
function readAgain(sources: readonly ExplainedSource[], events: readonly HistoryEvent[]): readonly NextStep[] {
  return sources.flatMap(({ id, access, reason, gumroad }) => {
    const told = events.findLast(({ source }) => source === id);
    const stands = gumroad?.stands ?? null;
    if (stands === null || stands === access || !OF_GUMROAD.has(reason) || told === undefined) return [];
    const [from, to] = [0, 1].map((more) =>
      new Date((Math.floor(told.receivedAt / SECOND_MS) + more) * SECOND_MS).toISOString().replace(".000", "")
    );
    return [{ command: `replay --since ${from ?? ""} --until ${to ?? ""}`,
      why: `has ${id} read back: Gumroad says otherwise by now than is known here` }];
  });
}

/** What somebody should do about a buyer: what findings ask for, and what makes Auth0 match. */
function nextSteps(record: BuyerRecord, unread: readonly Unread[], findings: readonly RecordFinding[],
  users: readonly ExplainedUser[], { findsUsers, users: changes }: Explanation["wouldChange"]): readonly NextStep[] {
  const { email, unsettled } = record;
  const isGone = users.some(({ origin, auth0 }) => origin !== null && auth0?.exists === false);
  const lacks = users.some(({ origin, roles, auth0 }) =>
    origin !== null && auth0?.exists === true &&
    Object.keys(roles).some((role) =>
      roles[role] === "has" && ![...auth0.roles, ...auth0.metadataRoles].includes(role)
    )
  );
  const isUnverified = unsettled?.code === "EMAIL_UNVERIFIED";
  // What is only noted is most often right: nobody should run what takes it.
  const steps: NextStep[] = findings.filter(({ mend, isNote }) => isNote !== true && mend !== `explain ${email}`)
    .map(({ mend, what }) => ({ command: mend, why: what }));
  if (isUnverified) steps.push({ command: `invite ${email}`, why: "mails them again how to verify their email" });
  else if (isGone || lacks || findsUsers || changes.length > 0 || unsettled !== null) {
    steps.push({ command: `sync ${email}`, why: "makes Auth0 match now" });
  } else if (unread.length > 0) {
    steps.push({ command: `sync ${email}`, why: "has what waits read back now; doctor says whether Gumroad answers" });
  }
  return [...new Map(steps.map((step) => [step.command, step])).values()];
}

/** From whom the act that is known by this id moved a purchase here. */
function movedFrom(id: string, events: readonly HistoryEvent[]): string | null {
  const line = events.find((event) => event.id === `act ${id}`);
  return movedShape.safeParse(line?.detail).data?.from ?? null;
}

const movedShape = z.object({ from: z.string() });

/** What Gumroad says of the buyer's purchases now. */
async function askedOf({ sources }: BuyerRecord,
  open: Known["shop"]
): Promise<{ readonly says: ReadonlyMap<SourceId, GumroadNow>; readonly failure: Explanation["gumroadFailure"] }> {
  const says = new Map<SourceId, GumroadNow>();
  try {
    const shop = await open();
    for (const [id, source] of shop === null ? [] : entriesOf(sources).slice(0, MOST_ASKED)) {
      const said = shop === null || grantedRole(id) !== null ? null : await askedOfOne(id, source, shop);
      if (said !== null) says.set(id, said);
    }
    return { says, failure: null };
  } catch (error) {
    const { code, message } = failureOf(error);
    return { says, failure: { code, message } };
  }
}

async function askedOfOne(id: SourceId, { charges }: Source,
  shop: Pick<ShopAdmin, "sale" | "subscription">): Promise<GumroadNow> {
  const newest = [...charges].sort((a, b) => b.soldAt - a.soldAt)[0];
  const sale = newest === undefined ? null : await shop.sale(newest.saleId, AbortSignal.timeout(CALL_MS));
  const subscription = isSubscription(id)
    ? await shop.subscription(id.slice("subscription:".length), AbortSignal.timeout(CALL_MS))
    : null;
  const runs = subscription === null
    ? []
    : [subscription.endedAt === null
      ? `the subscription is ${subscription.status.replaceAll("_", " ")}`
      : `the subscription ended ${subscription.endedAt}`];
  const paid = sale === null ? "it doesn't know this sale" : sale.flags.length === 0 ? "paid" : sale.flags.join(", ");
  const runsOn = ["alive", "pending_cancellation", "pending_failure"].includes(subscription?.status ?? "");
  const isOver = ["cancelled", "failed_payment"].includes(subscription?.status ?? "");
  const stands = isSubscription(id) ? (runsOn ? true : isOver ? false : null) : (sale?.stands ?? null);
  return { stands, says: [...runs, isSubscription(id) ? `the last charge: ${paid}` : paid].join("; "),
    orderNumber: sale?.orderNumber ?? null, quantity: sale?.quantity ?? null };
}

function explainedSource({ source: id, productId, access, reason, roles, ...verdict }: Verdict, source: Source,
  record: BuyerRecord, policy: Policy, now: number): Omit<ExplainedSource, "movedFrom" | "gumroad"> {
  const heldSince = record.held[id] ?? null;
  const product = policy.get(productId);
  const { variant } = product === undefined ? { variant: null } : tierInForce(source, product, now);
  const granted = grantedRole(id);
  return { id, productId, product: product?.name ?? null, access, reason, because: becauseOf(reason, source), variant,
    variantListed: verdict.variantListed, unlisted: verdict.unlisted, test: verdict.test,
    emails: source.emails.filter((email) => email !== record.email), unconfirmed: verdict.unconfirmed,
    plansAhead: access ? plansAhead(source, product, now) : [],
    gives: heldSince === null ? roles : [...new Set([...roles, ...(record.gave[id] ?? [])])].sort(),
    couldGive: granted !== null ? [granted] : product === undefined ? [] : rolesOf(product, variant).roles, heldSince,
    act: source.act };
}

/** When changes of plan that only pings told of come into force yet (epoch ms), the first one first. */
function plansAhead(source: Source, product: Product | undefined, now: number): readonly number[] {
  const moments: number[] = [];
  const after = (moment: number) => product === undefined ? null : tierInForce(source, product, moment).changesAt;
  for (let next = after(now); next !== null; next = after(next)) moments.push(next);
  return moments;
}

/** In the receiver's record lie both sides of a gift. */
function becauseOf(reason: Verdict["reason"], { charges }: Source): string {
  const isGivers = reason === "gift" && charges.every(({ gift }) => gift === "given");
  return isGivers ? "it is what the giver of their gift paid" : REASONS[reason];
}

function explainedRoles(sources: readonly ExplainedSource[],
  users: readonly ExplainedUser[]): readonly ExplainedRole[] {
  const has = ({ origin, roles, foreign, auth0 }: ExplainedUser, role: string): boolean =>
    origin !== null &&
    (auth0 === null
      ? roles[role] === "has" || foreign.includes(role)
      : [...auth0.roles, ...auth0.metadataRoles].includes(role));
  const names = [...new Set(sources.flatMap(({ gives, couldGive }) => [...gives, ...couldGive]))].sort();
  return names.map((role) => {
    const givers = sources.filter(({ gives }) => gives.includes(role));
    const could = sources.filter(({ couldGive }) => couldGive.includes(role));
    return { role, entitled: givers.length > 0, isThere: users.some((user) => has(user, role)),
      sources: (givers.length > 0 ? givers : could).map(({ id }) => id) };
  });
}

async function explainedUsers(record: BuyerRecord, open: Known["directory"],
  logins: Known["logins"]
): Promise<{ readonly users: readonly ExplainedUser[]; readonly failure: Explanation["auth0Failure"] }> {
  try {
    const directory = await open();
    const found = await findAll(record, directory);
    const users: ExplainedUser[] = [];
    // One after the other: Auth0's free plan takes two calls a second.
    for (const id of idsOf(record, found)) {
      const auth0 = await atAuth0(id, found.get(id), directory);
      users.push({ ...byRecord(record, id), auth0, logins: auth0?.exists === true ? await logins(id) : null });
    }
    return { users, failure: null };
  } catch (error) {
    const { code, message } = failureOf(error);
    return { users: Object.keys(record.users).map((id) => ({ ...byRecord(record, id), auth0: null, logins: null })),
      failure: { code, message } };
  }
}

function byRecord({ users }: BuyerRecord, id: string): Omit<ExplainedUser, "auth0" | "logins"> {
  const bound = Object.hasOwn(users, id) ? users[id] : undefined;
  return { id, origin: bound?.origin ?? null, roles: bound?.roles ?? {}, foreign: bound?.foreign ?? [] };
}

async function atAuth0(id: string, found: DirectoryUser | undefined,
  directory: Directory): Promise<ExplainedUser["auth0"]> {
  const roles = await assignedTo(id, directory);
  return roles === null
    ? { exists: false, verified: null, roles: [], metadataRoles: [] }
    : { exists: true, verified: found?.verified ?? null, roles, metadataRoles: found?.metadataRoles ?? [] };
}

function waitsOf(record: BuyerRecord, unread: readonly Unread[], changesAt: number | null): readonly Wait[] {
  const { unsettled, dueAt } = record;
  const waits: Wait[] = unread.map((each) => ({ code: each.code, what: unreadWords(each), since: each.since,
    next: each.next })
  );
  if (unsettled !== null) {
    waits.push({ code: unsettled.code, what: unsettled.message, since: unsettled.since, next: dueAt });
  }
  for (const [id] of entriesOf(record.sources)) {
    const since = record.held[id];
    if (since !== undefined) {
      waits.push({ code: "HELD",
        what:
          `the loss of ${id} is held: too many lost that product within an hour, so a person has to say release or ` +
          "keep", since, next: null });
    }
  }
  for (const { source, by, at } of openClaims(record)) {
    waits.push({ code: "CLAIMED",
      what: `${by} shows the licence key of ${source}: a person has to say claims confirm or refuse`, since: at,
      next: null });
  }
  for (const { userId, add, remove } of changesOf(record)) {
    const what = [add.length > 0 ? `giving ${add.join(", ")}` : "",
      remove.length > 0 ? `taking ${remove.join(", ")}` : ""].filter((part) => part !== "");
    waits.push({ code: "CHANGING", what: `${what.join(" and ")}: user ${userId}`, since: null, next: dueAt });
  }
  if (changesAt !== null) {
    waits.push({ code: "CHANGES_BY_TIME",
      what: "a day of grace, a grant or a paid period is over then: the roles may change", since: null,
      next: changesAt });
  }
  return waits;
}

import { entitlements, type Verdict } from "../../src/access/entitlements.ts";
import { entriesOf, grantedRole, type Source } from "../../src/access/facts.ts";
import { type Policy, rolesOf } from "../../src/access/policy.ts";
import { tierInForce } from "../../src/access/tiers.ts";
import type { Directory, DirectoryUser } from "../../src/auth0/directory.ts";
import { statusOf } from "../../src/auth0/failures.ts";
import type { HistoryEvent } from "../../src/ledger/ledger.ts";
import { openClaims, type BuyerRecord } from "../../src/ledger/record.ts";
import { changesOf, marked } from "../../src/provisioning/marks.ts";
import { failureOf } from "../failures.ts";
import { REASONS } from "./reasons.ts";

import type { ExplainedRole, ExplainedSource, ExplainedUser, Explanation, Wait } from "./explanation.ts";

/** What explaining reads. `directory` throws what keeps Auth0 from being asked. */
export interface Known {
  readonly record: BuyerRecord;
  readonly events: readonly HistoryEvent[];
  readonly policy: Policy;
  readonly directory: () => Promise<Directory>;
  readonly now: number;
}

const CALL_MS = 30_000;

/**
 * Works out why a buyer has what they have. Reads Auth0, changes nothing; where Auth0 can't be asked, says so and goes
 * on.
 */
export async function explained({ record, events, policy, directory, now }: Known): Promise<Explanation> {
  const { verdicts, changesAt } = entitlements(record.sources, policy, now);
  const sources = verdicts.flatMap((verdict) => {
    const source = record.sources[verdict.source];
    return source === undefined ? [] : [explainedSource(verdict, source, record, policy, now)];
  });
  const { users, failure } = await explainedUsers(record, directory);
  const entitled = rolesOfSources(sources);
  return { buyer: record.email, at: now, spellings: record.spellings, roles: explainedRoles(sources), sources, users,
    auth0Failure: failure, waits: waitsOf(record, changesAt), invited: record.invited,
    wouldChange: { findsUsers: entitled.length > 0 && Object.keys(record.users).length === 0,
      users: changesOf(marked(record, entitled)) }, events };
}

/** The roles that sources give together, sorted, without doubles. */
export function rolesOfSources(sources: readonly Pick<ExplainedSource, "gives">[]): readonly string[] {
  return [...new Set(sources.flatMap(({ gives }) => gives))].sort();
}

function explainedSource({ source: id, productId, access, reason, roles, ...verdict }: Verdict, source: Source,
  record: BuyerRecord, policy: Policy, now: number): ExplainedSource {
  const heldSince = record.held[id] ?? null;
  const product = policy.get(productId);
  const { variant } = product === undefined ? { variant: null } : tierInForce(source, product, now);
  const granted = grantedRole(id);
  return { id, productId, product: product?.name ?? null, access, reason, because: REASONS[reason], variant,
    variantListed: verdict.variantListed, unlisted: verdict.unlisted, test: verdict.test,
    emails: source.emails.filter((email) => email !== record.email), unconfirmed: verdict.unconfirmed,
    gives: heldSince === null ? roles : [...new Set([...roles, ...(record.gave[id] ?? [])])].sort(),
    couldGive: granted !== null ? [granted] : product === undefined ? [] : rolesOf(product, variant).roles, heldSince,
    act: source.act };
}

function explainedRoles(sources: readonly ExplainedSource[]): readonly ExplainedRole[] {
  const names = [...new Set(sources.flatMap(({ gives, couldGive }) => [...gives, ...couldGive]))].sort();
  return names.map((role) => {
    const givers = sources.filter(({ gives }) => gives.includes(role));
    const could = sources.filter(({ couldGive }) => couldGive.includes(role));
    return { role, entitled: givers.length > 0, sources: (givers.length > 0 ? givers : could).map(({ id }) => id) };
  });
}

async function explainedUsers(record: BuyerRecord,
  open: Known["directory"]
): Promise<{ readonly users: readonly ExplainedUser[]; readonly failure: Explanation["auth0Failure"] }> {
  const known = Object.keys(record.users);
  try {
    const directory = await open();
    const found = await findAll(record, directory);
    const ids = [...new Set([...known, ...found.map(({ id }) => id)])];
    const users: ExplainedUser[] = [];
    // One after the other: Auth0's free plan takes two calls a second.
    for (const id of ids) {
      users.push({ ...byRecord(record, id), auth0: await atAuth0(id, found.find((user) =>
        user.id === id
      ), directory) });
    }
    return { users, failure: null };
  } catch (error) {
    const { code, message } = failureOf(error);
    return { users: known.map((id) => ({ ...byRecord(record, id), auth0: null })), failure: { code, message } };
  }
}

async function findAll({ email, spellings }: BuyerRecord, directory: Directory): Promise<readonly DirectoryUser[]> {
  const found: DirectoryUser[] = [];
  for (const spelling of [email, ...spellings]) {
    for (const user of await directory.find(email, spelling, AbortSignal.timeout(CALL_MS))) {
      if (!found.some(({ id }) => id === user.id)) found.push(user);
    }
  }
  return found;
}

function byRecord({ users }: BuyerRecord, id: string): Omit<ExplainedUser, "auth0"> {
  const bound = Object.hasOwn(users, id) ? users[id] : undefined;
  return { id, origin: bound?.origin ?? null, roles: bound?.roles ?? {}, foreign: bound?.foreign ?? [] };
}

async function atAuth0(id: string, found: DirectoryUser | undefined,
  directory: Directory): Promise<ExplainedUser["auth0"]> {
  try {
    return { exists: true, verified: found?.verified ?? null,
      roles: await directory.rolesOf(id, AbortSignal.timeout(CALL_MS)), metadataRoles: found?.metadataRoles ?? [] };
  } catch (error) {
    // A user of the record that was deleted at Auth0.
    if (error instanceof Error && statusOf(error.cause) === 404) {
      return { exists: false, verified: null, roles: [], metadataRoles: [] };
    }
    throw error;
  }
}

function waitsOf(record: BuyerRecord, changesAt: number | null): readonly Wait[] {
  const { unsettled, dueAt } = record;
  const waits: Wait[] = [];
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
    waits.push({ code: "CHANGES_BY_TIME", what: "time alone may change the roles then", since: null,
      next: changesAt });
  }
  return waits;
}

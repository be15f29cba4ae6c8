import { ServiceError } from "../../src/errors.ts";
import { dynamoGivers } from "../../src/ledger/givers.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import { changesOf } from "../../src/provisioning/marks.ts";
import { lookAt, type SeenUser } from "./look.ts";
import type { Operating } from "./operating.ts";

/** How long to wait for what was sent; null: not at all. */
export interface Waiting {
  readonly withinMs: number | null;
}

/** Whether a record holds what was sent; or somebody's newer act stands in its place. */
export type Taken = { readonly state: "no" } | { readonly state: "yes" } | Overruled;

/** A newer act of somebody else counts. `at` is epoch ms. */
export interface Overruled {
  readonly state: "overruled";
  readonly by: string;
  readonly why: string;
  readonly at: number;
}

/** A role that a user has and shouldn't have, or the other way round. */
export interface Difference {
  readonly userId: string;
  readonly role: string;
  readonly is: "missing" | "still there";
}

/**
 * What became of something sent to a buyer's record:
 * - `applied`: it is in the record, and Auth0 was seen to match
 * - `queued`: nobody waited for it
 * - `waits`: it is in the record, and something keeps it from Auth0
 * - `differs`: the record says done, and Auth0 says otherwise
 * - `not seen`: it isn't in the record yet
 * - `unasked`: the record says done, and Auth0 could not be asked
 */
export type Outcome =
  | { readonly state: "applied" | "queued" | "not seen" }
  | { readonly state: "waits" | "unasked"; readonly code: string; readonly message: string }
  | { readonly state: "differs"; readonly differences: readonly Difference[] }
  | Overruled;

/** What came of something for one buyer. */
export interface Came {
  readonly buyer: string;
  readonly outcome: Outcome;
  /** The users at Auth0; null where they could not be asked for, or nobody waited. */
  readonly before: readonly SeenUser[] | null;
  readonly after: readonly SeenUser[] | null;
  /** The record as it was read last. */
  readonly record: BuyerRecord;
}

/** What is sent, and what tells that it is in a record. */
export interface Sent {
  readonly send: () => Promise<void>;
  readonly takenIn: (record: BuyerRecord, before: BuyerRecord) => Promise<Taken>;
  /** A sync is about all that waits; an act is done though another purchase of the buyer waits for the policy. */
  readonly isAbout: "act" | "all";
  /** One part of many buyers: nobody looks at what was there before. */
  readonly isOfMany?: boolean;
}

/** A record that nobody has written for so long (ms) waits for something. */
const CALM_MS = 1_500;
/** Between two looks at a record (ms). */
export const LOCAL_POLL_MS = 100;
/** Likewise on AWS. */
export const POLL_MS = 1_000;

/** Auth0 takes two calls a second on its free plan: of more buyers, nobody looks at what was there before. */
const FEW = 10;

/** Looks at Auth0, sends, waits for the turns of the buyers, and looks again. Throws as the queue and the ledger. */
export async function cameOf(buyers: readonly string[], sent: Sent, { withinMs }: Waiting,
  operating: Operating): Promise<readonly Came[]> {
  const { ledger } = operating;
  const before: { record: BuyerRecord; first: readonly SeenUser[] | null }[] = [];
  for (const buyer of buyers) {
    const record = await ledger.load(buyer);
    before.push({ record,
      first: sent.isOfMany === true || buyers.length > FEW ? null : await told(record, operating) });
  }
  await sent.send();
  const came: Came[] = [];
  for (const { record, first } of before) {
    came.push(
      withinMs === null
        ? { buyer: record.email, outcome: { state: "queued" }, before: first, after: null, record }
        : { ...(await awaited(record, sent, withinMs, operating)), before: first },
    );
  }
  return came;
}

/** Why Auth0 could not be asked. */
interface Unasked {
  readonly state: "unasked";
  readonly code: string;
  readonly message: string;
}

async function seenOf(record: BuyerRecord, operating: Operating): Promise<readonly SeenUser[] | Unasked> {
  try {
    return await lookAt(record, operating);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return { state: "unasked", code: error.code, message: error.message };
  }
}

async function awaited(before: BuyerRecord, sent: Sent, withinMs: number,
  operating: Operating): Promise<Omit<Came, "before">> {
  const { ledger, stage, tell, wait } = operating;
  const buyer = before.email;
  const began = performance.now();
  let seen = { version: -1, since: began };
  let lookedAt = -1;
  let last: Outcome = { state: "not seen" };
  for (;;) {
    const record = await ledger.load(buyer);
    const now = performance.now();
    tell({ what: `seconds, until ${buyer} has it`, done: Math.floor(Math.min(withinMs, now - began) / 1000),
      total: withinMs / 1000 });
    if (record.version !== seen.version) seen = { version: record.version, since: now };
    const isOver = now - began >= withinMs;
    const isCalm = isOver || now - seen.since >= CALM_MS;
    const taken = await sent.takenIn(record, before);
    if (taken.state !== "no") {
      if (isDone(record) && (lookedAt !== record.version || isCalm)) {
        lookedAt = record.version;
        const after = await seenOf(record, operating);
        const outcome = await judged(before, record, after, operating);
        last = outcome.state !== "applied" ? outcome : taken.state === "overruled" ? taken : standing(record, sent);
        if (last.state !== "differs" || isCalm) {
          return { buyer, outcome: last, after: "code" in after ? null : after, record };
        }
      } else if (record.unsettled !== null && isCalm) {
        const { code, message } = record.unsettled;
        return { buyer, outcome: { state: "waits", code, message }, after: await told(record, operating), record };
      }
      if (last.state === "not seen") last = { state: "waits", code: "CHANGING", message: "Auth0 isn't changed yet." };
    }
    if (isOver) return { buyer, outcome: last, after: await told(record, operating), record };
    await wait(stage.emulators === null ? POLL_MS : LOCAL_POLL_MS);
  }
}

async function told(record: BuyerRecord, operating: Operating): Promise<readonly SeenUser[] | null> {
  const seen = await seenOf(record, operating);
  return "code" in seen ? null : seen;
}

/** A purchase whose option the policy lacks is no change under way. */
function isDone(record: BuyerRecord): boolean {
  const isWithoutUser = Object.keys(record.users).length === 0 &&
    Object.values(record.gave).some((roles) => (roles ?? []).length > 0);
  return (record.unsettled === null || record.unsettled.code === "OPTION_UNLISTED") &&
    changesOf(record).length === 0 && !isWithoutUser;
}

function standing({ unsettled }: BuyerRecord, { isAbout }: Sent): Outcome {
  return unsettled === null || isAbout === "act"
    ? { state: "applied" }
    : { state: "waits", code: unsettled.code, message: unsettled.message };
}

/** What Auth0 says of a record that says it is done: what it gave is there, and what it took is not. */
async function judged(before: BuyerRecord, record: BuyerRecord, seen: readonly SeenUser[] | Unasked,
  { stage }: Operating): Promise<Outcome> {
  if ("code" in seen) return seen;
  const givers = dynamoGivers(ledgerTable(stage.dynamo, stage.ledger));
  const differences: Difference[] = [];
  for (const { id: userId, roles } of seen) {
    const bound = record.users[userId];
    const ours = Object.keys(bound?.roles ?? {});
    for (const role of ours) if (!roles.includes(role)) differences.push({ userId, role, is: "missing" });
    const taken = Object.keys(before.users[userId]?.roles ?? {}).filter((role) =>
      !ours.includes(role) && roles.includes(role) && bound?.foreign.includes(role) !== true
    );
    if (taken.length === 0) continue;
    // What another buyer's purchases give the same user stays.
    const others = [...(await givers.of(userId)).givers.values()].flatMap((given) => given.roles);
    for (const role of taken) if (!others.includes(role)) differences.push({ userId, role, is: "still there" });
  }
  return differences.length === 0 ? { state: "applied" } : { state: "differs", differences };
}

import * as z from "zod";

import { entriesOf, grantedRole, type SourceId } from "../../src/access/facts.ts";
import type { Directory } from "../../src/auth0/directory.ts";
import { dynamoGivers, type Givers } from "../../src/ledger/givers.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import type { HistoryEvent } from "../../src/ledger/ledger.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import type { Subject } from "../../src/ledger/tombstones.ts";
import { isMine } from "../../src/provisioning/owners.ts";
import { type BuyerTraces, dynamoHistory } from "../ledger/history.ts";
import { buryAll } from "../forget/bury.ts";
import { makeKey, storedKey } from "../forget/key.ts";
import { forgetUsers } from "../forget/users.ts";
import { serviceCredentials } from "../stage/directory.ts";
import { operatorAdmin, type OperatorApplication } from "../stage/operator.ts";
import { findAll, idsOf } from "./look.ts";
import type { Operating } from "./operating.ts";
import { makeSteps, type Step, type Steps } from "./steps.ts";

/** Who are a buyer's Auth0 users, and what of ours is there. */
export interface UserToForget {
  readonly id: string;
  readonly createdByUs: boolean;
  /** The roles that we gave, or were about to, and that no other buyer's purchases give. */
  readonly roles: readonly string[];
  /** What other buyers' purchases give this user, who is theirs too. Left out: there are none. */
  readonly kept?: readonly string[];
}

/** All that there is of a buyer. */
export interface Forgettable {
  readonly record: BuyerRecord;
  /** How many events their history has. */
  readonly events: number;
  readonly users: readonly UserToForget[];
  readonly traces: BuyerTraces;
  /** Whom and which purchases the tombstones are for. */
  readonly subjects: readonly Subject[];
  /** Purchases outside the record: nobody has told their sale, or the policy doesn't name them. */
  readonly others: readonly SourceId[];
}

/** How a person is to be forgotten. */
export interface ForgetRequest {
  /** Delete the users at Auth0, too: those that we made, with `force` all. */
  readonly user: boolean;
  readonly force: boolean;
  /** Whose right to delete users it goes by. */
  readonly operator: OperatorApplication;
  readonly dryRun: boolean;
}

/** What was done about a person. */
export interface Forgotten {
  readonly steps: readonly Step[];
  readonly erasedItems: number;
}

const NOTICED_MS = 61_000;
/** Whoever worked on the buyer while they were erased has written by then. */
const RECHECK_MS = 1_000;
const ROUNDS = 5;

/** Looks what there is of a buyer. Throws what the ledger and Auth0 throw. */
export async function forgettable(email: string, { stage, ledger, directory }: Operating): Promise<Forgettable> {
  const history = dynamoHistory(stage.dynamo, stage.ledger);
  const record = await ledger.load(email);
  const events = await history.of(email);
  const apart = entriesOf(await history.apartFrom(record, events)).map(([id]) => id);
  const others = [...(await history.unsoldOf(email)).map(({ source }) => source), ...apart];
  const users = await usersToForget(record, await directory(), dynamoGivers(ledgerTable(stage.dynamo, stage.ledger)));
  const traces = tracesOf(record, events, others);
  return { record, events: events.length, users, traces, subjects: [`buyer:${email}`, ...traces.sources], others };
}

/**
 * Erases a person: tombstones first, then what of ours is at Auth0, then the ledger, each told as it is done. Again,
 * it goes on where it stopped.
 * @throws {NeedsPersonError} SECRET_INVALID, SECRET_ABSENT
 */
export async function forgotten(found: Forgettable, { user, force, operator, dryRun }: ForgetRequest,
  told: (step: Step) => void, operating: Operating): Promise<Forgotten> {
  const { stage, directory } = operating;
  const { record, users, subjects } = found;
  const credentials = await serviceCredentials(operating);
  const steps = makeSteps(told, dryRun);
  const key = (await storedKey(stage)) ?? (await madeKey(steps, operating));
  await steps.change("tombstones", `${String(subjects.length)} written: what was bought before now can't come back`,
    () => buryAll(ledgerTable(stage.dynamo, stage.ledger), key, subjects, operating.now()));
  // Before the record goes: it alone knows which roles are ours, should this stop half-way and be run again.
  await forgetUsers(users, { directory: await directory(), bound: Object.entries(record.users), credentials,
    admin: user ? operatorAdmin(operator, stage, credentials) : null, steps, deletes: { ours: user, others: force } });
  let erasedItems = 0;
  await steps.change("ledger", "record, history, owners of purchases and notes of gifts erased", async () => {
    erasedItems = await erase(found, operating);
  });
  return { steps: steps.all, erasedItems };
}

/** The first to be forgotten on a stage: functions that found no key ask again after a minute. */
async function madeKey(steps: Steps, { stage, wait }: Operating): Promise<string> {
  let key = "";
  await steps.change("key", "made, as nobody was forgotten on this stage yet; a minute until the functions know it",
    async () => {
      key = await makeKey(stage);
    });
  if (key !== "") await wait(NOTICED_MS);
  return key;
}

/** Erases a buyer from the ledger, and gives how many items went. Throws what the ledger throws. */
async function erase({ record: { email }, users, traces, others }: Forgettable,
  { stage, ledger, wait }: Operating): Promise<number> {
  const givers = dynamoGivers(ledgerTable(stage.dynamo, stage.ledger));
  const history = dynamoHistory(stage.dynamo, stage.ledger);
  for (const { id } of users) await givers.leave(id, email);
  let erased = 0;
  for (let round = 1, left = traces;; round += 1) {
    erased += await history.erase(left);
    // A worker that had read the record before may have written it since.
    await wait(RECHECK_MS);
    const back = await ledger.load(email);
    if (back.version === 0 || round === ROUNDS) return erased;
    left = tracesOf(back, await history.of(email), others);
  }
}

/** The users of a buyer: those of the record, and all with the email. */
async function usersToForget(record: BuyerRecord, directory: Directory,
  givers: Pick<Givers, "of">): Promise<readonly UserToForget[]> {
  const { email, users } = record;
  const found = await findAll(record, directory);
  return Promise.all(idsOf(record, found).map(async (id): Promise<UserToForget> => {
    const others = [...(await givers.of(id)).givers].filter(([giver]) => giver !== email);
    const kept = [...new Set(others.flatMap(([, given]) => given.roles))].sort();
    const ours = Object.keys((Object.hasOwn(users, id) ? users[id]?.roles : undefined) ?? {});
    return { id, createdByUs: found.get(id)?.createdByUs ?? false,
      roles: ours.filter((role) => !kept.includes(role)).sort(), ...(others.length === 0 ? {} : { kept }) };
  }));
}

const receivedShape = z.object({ event: z.literal("sale"), saleId: z.string(), gifter: z.string() });

/** Purchases that were moved away are somebody else's by now. */
function tracesOf(record: BuyerRecord, events: readonly HistoryEvent[], others: readonly SourceId[]): BuyerTraces {
  return { email: record.email, sources: [
    ...new Set([
      ...entriesOf(record.sources).flatMap(([id]) => (grantedRole(id) === null && isMine(record, id) ? [id] : [])),
      ...others,
    ]),
  ], products: [...new Set(Object.values(record.sources).map(({ productId }) => productId))],
    received: events.flatMap(({ detail }) => {
      const gift = receivedShape.safeParse(detail);
      return gift.success ? [{ giver: gift.data.gifter, saleId: gift.data.saleId }] : [];
    }) };
}

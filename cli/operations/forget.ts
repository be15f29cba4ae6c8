import * as z from "zod";

import { entriesOf, grantedRole, type SourceId } from "../../src/access/facts.ts";
import type { Directory, DirectoryUser } from "../../src/auth0/directory.ts";
import { dynamoGivers, type Givers } from "../../src/ledger/givers.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import type { HistoryEvent } from "../../src/ledger/ledger.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import { dynamoTombstones, type Subject } from "../../src/ledger/tombstones.ts";
import { isMine } from "../../src/provisioning/owners.ts";
import { type BuyerTraces, dynamoHistory } from "../ledger/history.ts";
import { CALL_MS, type Operating } from "./operating.ts";

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

/** Writes the tombstones: what was bought before now can't come back. Throws what the ledger throws. */
export async function bury({ subjects }: Forgettable, key: string, { stage, now }: Operating): Promise<void> {
  const at = now();
  const tombstones = dynamoTombstones(ledgerTable(stage.dynamo, stage.ledger), key);
  for (const subject of subjects) await tombstones.bury(subject, at);
}

/** Erases a buyer from the ledger, and gives how many items went. Throws what the ledger throws. */
export async function erase({ record: { email }, users, traces, others }: Forgettable,
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
async function usersToForget({ email, spellings, users }: BuyerRecord, directory: Directory,
  givers: Pick<Givers, "of">): Promise<readonly UserToForget[]> {
  const found = new Map<string, DirectoryUser>();
  for (const spelling of [email, ...spellings]) {
    for (const user of await directory.find(email, spelling, AbortSignal.timeout(CALL_MS))) found.set(user.id, user);
  }
  const ids = [...new Set([...Object.keys(users), ...found.keys()])];
  return Promise.all(ids.map(async (id): Promise<UserToForget> => {
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

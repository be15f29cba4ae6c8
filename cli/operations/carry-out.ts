import { randomUUID } from "node:crypto";

import { type Act, type Decision, emptySource, type Source, type SourceId } from "../../src/access/facts.ts";
import { dueRoles } from "../../src/access/entitlements.ts";
import { addFacts } from "../../src/access/merge.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import type { MessageOf } from "../../src/queue/message.ts";
import { dynamoHistory } from "../ledger/history.ts";
import { actId } from "../../src/provisioning/acts.ts";
import type { Operating } from "./operating.ts";
import { type Came, cameOf, type Taken, type Waiting } from "./outcome.ts";

/** Who acts, and why: both are kept with the act, and shown by `explain`. */
export interface Signature {
  readonly by: string;
  readonly why: string;
}

/** A decision about a source of a buyer. */
export interface PlannedAct {
  readonly buyer: string;
  readonly source: SourceId;
  readonly decision: Decision;
  /** Changes of plan that no charge has confirmed until then count no more. Left out: they do. */
  readonly dropsChanges?: true;
  /** Epoch ms: later than any act that the record knows, whatever this machine's clock says. */
  readonly at: number;
}

/** What acts come to for one buyer, by the facts and the policy here. */
export interface RoleDifference {
  readonly buyer: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Acts that are not sent yet, and what they come to. */
export interface ActPlan {
  readonly acts: readonly PlannedAct[];
  readonly changes: readonly RoleDifference[];
}

/** An act about a source in a record, as it would be made now. */
export function planned({ email, sources }: BuyerRecord, source: SourceId, decision: Decision,
  now: number): PlannedAct {
  return { buyer: email, source, decision, at: Math.max(now, (sources[source]?.act?.at ?? 0) + 1) };
}

/** A record as it would be with an act on one of its sources. */
export function withPlanned(record: BuyerRecord, { source, ...act }: PlannedAct): BuyerRecord {
  return { ...record,
    sources: addFacts(record.sources, source, factsOf(act, record.sources[source]?.productId ?? "")) };
}

/** What an act would add to a source's facts. */
export function factsOf({ decision, at, dropsChanges }: Omit<PlannedAct, "buyer" | "source">,
  productId: string): Source {
  return { ...emptySource(productId), changesDroppedAt: dropsChanges === true ? at : null,
    act: { at, id: "planned", by: "", why: "", decision } };
}

/** What an act on the buyer's own source comes to. */
export async function ownChange(record: BuyerRecord, act: PlannedAct,
  { policy, now }: Pick<Operating, "policy" | "now">): Promise<RoleDifference> {
  const after = withPlanned(record, act);
  const products = await policy();
  return { buyer: record.email, before: dueRoles(record, products, now()), after: dueRoles(after, products, now()) };
}

/**
 * Carries acts out: has Auth0 looked at anew, sends them to the one writer, waits for the turns of all whom they
 * change, and looks at Auth0 again. What came of it is told for each buyer in the plan's order.
 * @throws {TemporaryError} QUEUE_UNREACHABLE, LEDGER_UNREACHABLE
 */
export async function carryOut({ acts, changes }: ActPlan, signature: Signature, waiting: Waiting,
  operating: Operating): Promise<readonly Came[]> {
  // The first of several moves may take the others along, and then they are done.
  const moves = randomUUID();
  const signed = acts.map(({ buyer, source, decision, at, dropsChanges }) => {
    const id = decision.kind === "move" ? actId(moves, source) : randomUUID();
    return { buyer, source,
      act: { at: Math.max(at, operating.now()), id, ...signature, decision, dropsChanges } satisfies Act };
  });
  const { stage, ledger, queue } = operating;
  const history = dynamoHistory(stage.dynamo, stage.ledger);

  async function takenIn(record: BuyerRecord): Promise<Taken> {
    for (const { buyer, source, act } of signed) {
      if (buyer !== record.email && act.decision.kind !== "move") continue;
      const last = record.sources[source]?.act ?? null;
      if (last?.id === act.id) continue;
      const isLost = last !== null && last.at >= act.at &&
        (await history.of(record.email)).some(({ id }) => id === `act ${act.id}`);
      return isLost ? { state: "overruled", by: last.by, why: last.why, at: last.at } : { state: "no" };
    }
    return { state: "yes" };
  }

  return cameOf(changes.map(({ buyer }) => buyer), { takenIn, isAbout: "act", send: async () => {
    // First the look: when an act is in the record, Auth0 was looked at before.
    for (const { buyer } of changes) await queue.send(...lookAnew(buyer));
    for (const { buyer, source, act } of signed) {
      await queue.send({ v: 1, kind: "act", requestId: act.id, buyer, hops: 0, source, act }, `act ${act.id}`);
    }
  } }, waiting, { ...operating, ledger });
}

/** A message that has the one writer look at a buyer's users at Auth0 anew, with its id for the queue. */
export function lookAnew(buyer: string, invite = false): [message: MessageOf<"due">, id: string] {
  const requestId = randomUUID();
  return [{ v: 1, kind: "due", requestId, buyer, anew: true, ...(invite ? { invite } : {}) }, `look ${requestId}`];
}

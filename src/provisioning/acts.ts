import { emptySource, entriesOf, grantedRole, type Act, type Source, type SourceId } from "../access/facts.ts";
import { addFacts } from "../access/merge.ts";
import { RefusedError } from "../errors.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Losses } from "../ledger/losses.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag, log } from "../log.ts";
import type { ActMessage, HeldMessage, MovedMessage } from "../queue/message.ts";
import type { Queue } from "../queue/queue.ts";
import { keep, release } from "./hold.ts";
import { forward, isMine } from "./owners.ts";

/** What carrying out an operator's act needs. */
export interface Acting {
  readonly ledger: Ledger;
  readonly queue: Queue;
  readonly signal: AbortSignal;
  readonly done: (message: ActMessage) => void;
}

/**
 * Takes an operator's act into the record. Moving a source changes its owner first and tells the new one, so that a crash
 * in between leaves nobody without it; the record it leaves keeps its facts, which the new owner's takes from there.
 * @throws {RefusedError} SOURCE_UNKNOWN, MOVE_TO_SELF
 */
export async function takeAct(record: BuyerRecord, message: ActMessage, outside: Acting): Promise<BuyerRecord> {
  const { source, act } = message;
  if (grantedRole(source) === null && !isMine(record, source)) {
    const owner = await outside.ledger.owner(source);
    // Done before, by the message that is here again.
    if (record.sources[source]?.act?.id === act.id) return record;
    if (owner === null || owner === record.email) throw new RefusedError("SOURCE_UNKNOWN", `Nobody bought ${source}: see explain for a buyer's sources.`);
    await forward(message, source, owner, outside.queue, outside.signal);
    outside.done(message);
    return record;
  }
  if (act.decision.kind === "move") await move(record, source, act, act.decision.to, message, outside);
  return withAct(record, source, act, message.requestId, outside.ledger);
}

async function move(record: BuyerRecord, source: SourceId, act: Act, to: string, { requestId }: ActMessage, { ledger, queue, signal }: Acting): Promise<void> {
  if (to === record.email || grantedRole(source) !== null) throw new RefusedError("MOVE_TO_SELF", `${source} can't be moved there: it is there already, or was given to this buyer alone.`);
  await ledger.move(source, record.email, to);
  await queue.send({ v: 1, kind: "moved", requestId, buyer: to, from: record.email, source, act }, `moved ${act.id}`, signal);
}

/**
 * Takes a source in that an operator moved here. The act counts here too, as the last word: had the source been moved away
 * from here before, it is back.
 * @throws {RefusedError} SOURCE_UNKNOWN
 */
export async function takeMoved(record: BuyerRecord, { from, source, act, requestId }: MovedMessage, { ledger }: Acting): Promise<BuyerRecord> {
  const facts = (await ledger.load(from)).sources[source];
  if (facts === undefined) throw new RefusedError("SOURCE_UNKNOWN", `${source} is in nobody's record.`);
  return withAct({ ...record, sources: addFacts(record.sources, source, { ...facts, act: null }) }, source, { ...act, decision: { kind: "follow" } }, requestId, ledger);
}

/** Takes in what an operator decided about held removals: `release` lets them go, `keep` gives what is held for good. */
export async function takeHeld(record: BuyerRecord, { productId, decision, at, by, why, requestId }: HeldMessage, { ledger, losses }: { readonly ledger: Ledger; readonly losses: Pick<Losses, "noteReleased"> }): Promise<BuyerRecord> {
  const decided = decision === "release" ? release(record, productId) : keep(record, productId, { at, id: requestId, by, why });
  for (const [source] of entriesOf(record.sources).filter(([id]) => record.held[id] !== undefined && record.sources[id]?.productId === productId)) {
    await ledger.remember(`buyer#${record.email}`, { id: `${decision} ${requestId} ${source}`, receivedAt: at, requestId, source, detail: { event: decision, by, why } });
  }
  // What is kept is taken off the list with the next look at the record; what is released isn't seen as held any more.
  if (decision === "release") await losses.noteReleased(productId, record.email);
  return decided;
}

async function withAct(record: BuyerRecord, source: SourceId, act: Act, requestId: string, ledger: Ledger): Promise<BuyerRecord> {
  const facts: Source = { ...emptySource(record.sources[source]?.productId ?? ""), act };
  await ledger.remember(`buyer#${record.email}`, { id: `act ${act.id}`, receivedAt: act.at, requestId, source, detail: { event: act.decision.kind, by: act.by, why: act.why, decision: act.decision } });
  log.info("an operator's act", { requestId, buyer: buyerTag(record.email), decision: act.decision.kind, source });
  return { ...record, sources: addFacts(record.sources, source, facts) };
}

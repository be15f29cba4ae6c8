import { emptySource, entriesOf, grantedRole, type Act, type Source, type SourceId } from "../access/facts.ts";
import { addFacts, lastAct } from "../access/merge.ts";
import { boughtTogether } from "../access/together.ts";
import { RefusedError, TemporaryError } from "../errors.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag, log } from "../log.ts";
import type { Message, MessageOf } from "../queue/message.ts";
import { mergeClaims } from "./claim-merge.ts";
import type { Provisioning } from "./context.ts";
import { heldSources, keep, release } from "./hold.ts";
import { forward, isMine, moveSource } from "./owners.ts";

/**
 * Merges an operator's act into the record; null if it went to the buyer whose source it is about. The record that a
 * source is moved from keeps its facts, which the new owner's takes from there.
 * @throws {RefusedError} SOURCE_UNKNOWN, SOURCE_NOT_OWNED
 * @throws {TemporaryError} SOURCE_ON_ITS_WAY
 */
export async function mergeAct(record: BuyerRecord, told: MessageOf<"act">,
  work: Provisioning): Promise<BuyerRecord | null> {
  const { ledger } = work.store;
  const { source } = told;
  const known = record.sources[source]?.act ?? null;
  // Decided on a machine whose clock is ahead, it would count for longer than it should.
  const act = { ...told.act, at: Math.min(told.act.at, Math.max(work.now(), (known?.at ?? 0) + 1)) };
  const message = { ...told, act };
  // Done before, by the message that is here again.
  if (known?.id === act.id) return record;
  if (grantedRole(source) === null && !isMine(record, source)) {
    const owner = await ledger.owner(source);
    if (owner === null) {
      throw new RefusedError("SOURCE_UNKNOWN", `Nobody bought ${source}: see explain for a buyer's sources.`);
    }
    if (owner === record.email) {
      // What an operator decided about has its place in the record, whatever the policy names.
      return mergeAct(await withApart(record, source, message, work), message, work);
    }
    await forward(message, source, owner, work);
    return null;
  }
  // One that was decided before the last act moves nothing any more, however late it comes.
  if (act.decision.kind === "move" && lastAct(known, act) === act) {
    // It is here already, perhaps with what it was bought together with: it stays, whatever older act still comes.
    if (act.decision.to === record.email && grantedRole(source) === null) {
      return withAct(record, { ...message, act: { ...act, decision: { kind: "follow" } } }, ledger);
    }
    await moveSource(source, act, act.decision.to, message, work);
  }
  return withAct(record, message, ledger);
}

/** The id of one of several acts that are made together: the same whichever of them brought it along. */
export function actId(id: string, source: SourceId): string {
  return `${id} ${source}`;
}

/**
 * The record with a source of its own that is kept apart. What was moved here comes with its move, which knows more
 * than what was kept; only an act, which may be that move again after a crash, takes what was kept.
 * @throws {TemporaryError} SOURCE_ON_ITS_WAY: there is none yet
 */
export async function withApart(record: BuyerRecord, source: SourceId, { kind }: Pick<Message, "kind">,
  { store: { ledger } }: Provisioning): Promise<BuyerRecord> {
  const { waiting, wasMoved } = await ledger.claim(source, record.email);
  if (waiting !== null && record.sources[source] === undefined && (wasMoved !== true || kind === "act")) {
    return { ...record, sources: addFacts(record.sources, source, waiting) };
  }
  // The message that brings them comes right behind, or again.
  throw new TemporaryError("SOURCE_ON_ITS_WAY", "The source is this buyer's, and its facts aren't here yet.");
}

/**
 * Merges a source that an operator moved here. The act counts here too: had the source been moved away from here
 * before, it is back. Facts and claims are taken once the other record says that they moved, so that a refund that it
 * took in just before comes along.
 * @throws {TemporaryError} MOVE_UNWRITTEN
 */
export async function mergeMoved(record: BuyerRecord, { from, source, act, requestId }: MessageOf<"moved">,
  { store: { ledger }, policy }: Provisioning): Promise<BuyerRecord> {
  const left = await ledger.load(from);
  const facts = left.sources[source];
  if (facts === undefined || facts.act === null || (facts.act.id !== act.id && lastAct(facts.act, act) === act)) {
    throw new TemporaryError("MOVE_UNWRITTEN", "The record that the source is moved from doesn't say so yet.");
  }
  const sources = addFacts(record.sources, source, { ...facts, act: null });
  const claims = mergeClaims(record.claims ?? [], (left.claims ?? []).filter((claim) => claim.source === source),
    boughtTogether(sources, policy)(source));
  const moved = { ...record, sources, ...(claims.length === 0 ? {} : { claims }) };
  return withAct(moved, { source, act: { ...act, decision: { kind: "follow" } }, requestId }, ledger, from);
}

/**
 * The record, where what was bought together with a source follows that source's move: all that a new move finds, and
 * what comes in later. What an operator took, or decided about since, stays.
 */
export async function movedAlong(record: BuyerRecord, since: BuyerRecord, requestId: string,
  work: Provisioning): Promise<BuyerRecord> {
  const fresh = new Set(Object.keys(record.sources).filter((id) => !Object.hasOwn(since.sources, id)));
  let together: ReturnType<typeof boughtTogether> | undefined;
  const acts = entriesOf(record.sources).flatMap(([moved, { act }]) => {
    if (act?.decision.kind !== "move" || act.decision.only === true) return [];
    const isMovedSince = since.sources[moved]?.act?.id !== act.id;
    if (!isMovedSince && fresh.size === 0) return [];
    together ??= boughtTogether(record.sources, work.policy);
    return together(moved).filter((id) => {
      const known = record.sources[id]?.act;
      return (isMovedSince || fresh.has(id)) && known?.decision.kind !== "take" && (known?.at ?? 0) < act.at;
    }).map((source) => [source, { ...act, id: actId(act.id.replace(` ${moved}`, ""), source) }] as const);
  });
  return withActs(record, new Map(acts), requestId, work);
}

/** The record with acts about its own sources. Throws as {@link mergeAct} does. */
export async function withActs(record: BuyerRecord, acts: ReadonlyMap<SourceId, Act>, requestId: string,
  work: Provisioning): Promise<BuyerRecord> {
  let left = record;
  for (const [source, act] of acts) {
    left = (await mergeAct(left, { v: 1, kind: "act", requestId, buyer: left.email, hops: 0, source, act }, work)) ??
      left;
  }
  return left;
}

/** Merges what an operator decided about held removals: `release` lets them go, `keep` gives them for good. */
export async function mergeHeld(record: BuyerRecord,
  { productId, decision, by, why, requestId, ...told }: MessageOf<"held">,
  { store: { ledger, losses }, now }: Provisioning): Promise<BuyerRecord> {
  const at = Math.min(told.at, now());
  const decided = decision === "release"
    ? release(record, productId)
    : keep(record, productId, { at, id: requestId, by, why });
  for (const source of heldSources(record, productId).keys()) {
    await ledger.remember(`buyer#${record.email}`, { id: `${decision} ${requestId} ${source}`, receivedAt: at,
      requestId, source, detail: { event: decision, by, why } });
  }
  // What is kept is taken off the list with the next look at the record; what is released isn't seen as held any more.
  if (decision === "release") await losses.noteReleased(productId, record.email);
  return decided;
}

async function withAct(record: BuyerRecord,
  { source, act, requestId }: Pick<MessageOf<"act">, "source" | "act" | "requestId">, ledger: Ledger,
  from?: string): Promise<BuyerRecord> {
  const facts: Source = { ...emptySource(record.sources[source]?.productId ?? ""), act,
    changesDroppedAt: act.dropsChanges === true ? act.at : null };
  await ledger.remember(`buyer#${record.email}`, { id: `act ${act.id}`, receivedAt: act.at, requestId, source,
    detail: { event: act.decision.kind, by: act.by, why: act.why, decision: act.decision, from } });
  log.info("an operator's act", { requestId, buyer: buyerTag(record.email), decision: act.decision.kind, source });
  return { ...record, sources: addFacts(record.sources, source, facts) };
}

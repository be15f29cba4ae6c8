import { dueRoles } from "../../src/access/entitlements.ts";
import { emptySource, entriesOf, grantedRole, isSourceId, type SourceId } from "../../src/access/facts.ts";
import { addFacts, mergeSource } from "../../src/access/merge.ts";
import { boughtTogether } from "../../src/access/together.ts";
import { ConfigError } from "../../src/errors.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import { isMine } from "../../src/provisioning/owners.ts";
import { dynamoHistory } from "../ledger/history.ts";
import { unreadBy } from "../ledger/unread.ts";
import { type ActPlan, factsOf, planned, type PlannedAct, withPlanned } from "./carry-out.ts";
import type { Operating } from "./operating.ts";

/** A purchase that moves, with its product's name; null: not in the policy, or a role given for nothing. */
export interface Moving {
  readonly id: SourceId;
  readonly product: string | null;
}

/** What moves, and what that comes to. */
export interface TransferPlan extends ActPlan {
  readonly from: string;
  readonly to: string;
  readonly sources: readonly Moving[];
  /** What was bought together with it, and stays; with everything: what an operator took away. */
  readonly leftBehind: readonly SourceId[];
  /** With everything: how many messages wait to be read back. What they tell stays with the old address. */
  readonly unread: number;
}

/** A purchase by its id, and who gets it; `only` leaves what was bought together with it. */
export interface TransferRequest {
  readonly named: string;
  readonly to: string;
  readonly only: boolean;
}

/**
 * Plans to move a purchase to another buyer.
 * @throws {ConfigError} SOURCE_UNKNOWN, MOVE_GRANT, MOVE_TO_SELF
 */
export async function plannedTransfer({ named, to, only }: TransferRequest,
  operating: Operating): Promise<TransferPlan> {
  const { source, owner } = await owned(named, operating);
  if (owner === to) throw new ConfigError("MOVE_TO_SELF", `${source} is ${to}'s already`);
  const from = await operating.ledger.load(owner);
  const together = boughtTogether(from.sources, await operating.policy())(source);
  const sources = only ? [source] : together;
  const plan = await planOf(from, to, sources, together.filter((id) => !sources.includes(id)), operating);
  return only ? { ...plan, acts: plan.acts.map((act) => ({ ...act, decision: { kind: "move", to, only } })) } : plan;
}

/**
 * Plans to move everything of an old address; roles given for nothing too. What an operator took away stays taken, and
 * there.
 * @throws {ConfigError} BUYER_UNKNOWN, MOVE_TO_SELF
 */
export async function plannedTransferOfAll({ from, to }: { readonly from: string; readonly to: string },
  operating: Operating): Promise<TransferPlan> {
  if (from === to) throw new ConfigError("MOVE_TO_SELF", `that is ${to}'s already`);
  const { stage, ledger, commandLine } = operating;
  const stored = await ledger.load(from);
  const history = dynamoHistory(stage.dynamo, stage.ledger);
  const apart = await history.apartFrom(stored, await history.of(from));
  const record: BuyerRecord = { ...stored, sources: { ...apart, ...stored.sources } };
  const unread = (await unreadBy(ledgerTable(stage.dynamo, stage.ledger), from)).length;
  const own = entriesOf(record.sources).filter(([id]) => isMine(record, id));
  const sources = own.filter(([id, { act }]) =>
    act?.decision.kind !== "take" && (grantedRole(id) === null || act?.decision.kind === "give")
  ).map(([id]) => id);
  if (sources.length === 0) {
    throw new ConfigError("BUYER_UNKNOWN",
      `${from} has nothing to move${unread === 0 ? "" : " yet"}: ${
        commandLine(`explain ${from}`)
      } shows what is known of them`);
  }
  const leftBehind = own.map(([id]) => id).filter((id) => !sources.includes(id) && grantedRole(id) === null);
  return { ...(await planOf(record, to, sources, leftBehind, operating)), unread };
}

async function planOf(from: BuyerRecord, to: string, sources: readonly SourceId[], leftBehind: readonly SourceId[],
  { ledger, policy, now }: Operating): Promise<TransferPlan> {
  const [target, products] = await Promise.all([ledger.load(to), policy()]);
  const acts = sources.flatMap((id) => actsFor(id, from, target, now()));
  const left = acts.filter(({ buyer }) => buyer === from.email).reduce(withPlanned, from);
  const got = acts.reduce(
    (record, act) =>
      act.decision.kind === "move"
        ? withMoved(record, act, from)
        : act.buyer === to
        ? withPlanned(record, act)
        : record,
    target,
  );
  return { from: from.email, to, leftBehind, unread: 0, acts,
    sources: sources.map((id) => ({ id, product: products.get(from.sources[id]?.productId ?? "")?.name ?? null })),
    changes: [
      { buyer: from.email, before: dueRoles(from, products, now()), after: dueRoles(left, products, now()) },
      { buyer: to, before: dueRoles(target, products, now()), after: dueRoles(got, products, now()) },
    ] };
}

/** What is given to one person for nothing is given to the other, and then taken. */
function actsFor(id: SourceId, from: BuyerRecord, target: BuyerRecord, now: number): readonly PlannedAct[] {
  const decision = from.sources[id]?.act?.decision;
  return grantedRole(id) !== null && decision?.kind === "give"
    ? [planned(target, id, decision, now), planned(from, id, { kind: "take" }, now)]
    : [planned(from, id, { kind: "move", to: target.email }, now)];
}

/** The new buyer's record as it would be: the facts come over, and count there by themselves. */
function withMoved(record: BuyerRecord, { source, at }: PlannedAct, from: BuyerRecord): BuyerRecord {
  const facts = from.sources[source] ?? emptySource("");
  const moved = mergeSource({ ...facts, act: null }, factsOf({ at, decision: { kind: "follow" } }, facts.productId));
  return { ...record, sources: addFacts(record.sources, source, moved) };
}

/** The purchase that was named, and whose it is. */
async function owned(named: string,
  { ledger, commandLine }: Operating): Promise<{ readonly source: SourceId; readonly owner: string }> {
  if (isSourceId(named) && grantedRole(named) !== null) {
    throw new ConfigError("MOVE_GRANT",
      `${named} was given to one person: take it back with revoke, and give it to the other with grant`);
  }
  const candidates: readonly SourceId[] = isSourceId(named) ? [named] : [`sale:${named}`, `subscription:${named}`];
  for (const source of candidates) {
    const owner = await ledger.owner(source);
    if (owner !== null) return { source, owner };
  }
  throw new ConfigError("SOURCE_UNKNOWN",
    named.includes("@")
      ? `${named} is an email, and no purchase: did you mean transfer --all ${named}?`
      : `nobody bought ${named}, as far as is known: ${
        commandLine("explain EMAIL")
      } shows a buyer's purchases; a membership's is subscription:ID, whichever of its charges you look at`);
}

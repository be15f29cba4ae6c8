import { randomUUID } from "node:crypto";

import { entitlements } from "../../src/access/entitlements.ts";
import type { SourceId } from "../../src/access/facts.ts";
import { endOf } from "../../src/access/known.ts";
import type { Policy } from "../../src/access/policy.ts";
import { ConfigError } from "../../src/errors.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { tagOf } from "../../src/ledger/losses.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import { heldSources, isMeant } from "../../src/provisioning/hold.ts";
import type { MessageOf } from "../../src/queue/message.ts";
import { heldBuyers } from "../ledger/held-buyers.ts";
import { lostInHour } from "../ledger/lost.ts";
import { everyRecord } from "../ledger/records.ts";
import { carryOut, lookAnew, ownChange, planned, type ActPlan, type PlannedAct, type RoleDifference,
  type Signature } from "./carry-out.ts";
import { type NamedProduct, type Operating, productNamed } from "./operating.ts";
import { type Came, cameOf, type Waiting } from "./outcome.ts";

/** Held removals of a product, of all buyers or of one. */
export interface HoldRequest {
  readonly decision: MessageOf<"held">["decision"];
  /** The product's id or name. */
  readonly named: string;
  readonly only: string | null;
}

/** About whom is decided. */
export interface HoldPlan {
  readonly decision: MessageOf<"held">["decision"];
  readonly product: NamedProduct;
  /** Emails of those with held removals. */
  readonly buyers: readonly string[];
  /** `keep` only: what brings back who lost the product in the hour before, when nothing was held yet. */
  readonly back: ActPlan;
}

const HOUR_MS = 60 * 60_000;
/** A membership that ended so long before the hold is no part of the mass. */
const LATELY_MS = 24 * HOUR_MS;

/**
 * Plans a decision about held removals. Nothing held is an empty plan.
 * @throws {ConfigError} PRODUCT_UNKNOWN
 */
export async function plannedHold({ decision, named, only }: HoldRequest, operating: Operating): Promise<HoldPlan> {
  const { stage, ledger } = operating;
  const policy = await operating.policy();
  const product = productNamed(named, policy);
  const held = await heldBuyers(ledgerTable(stage.dynamo, stage.ledger), product.id);
  const buyers = held.filter((buyer) => only === null || buyer === only);
  if (buyers.length === 0 && !policy.has(product.id)) {
    throw new ConfigError("PRODUCT_UNKNOWN",
      `the policy has no product ${named}, and nothing is held of one with this id. It has: ${
        [...policy.values()].map(({ name }) => name).join(", ")
      }`);
  }
  const plan = { decision, product, buyers, back: { acts: [], changes: [] } };
  if (decision === "release" || buyers.length === 0 || only !== null) return plan;
  const since: number[] = [];
  for (const buyer of buyers) since.push(...heldSources(await ledger.load(buyer), product.id).values());
  return { ...plan, back: await broughtBack(product.id, Math.min(operating.now(), ...since), policy, operating) };
}

/** Decides: each buyer with held removals is told, and waited for; then who comes back. Throws as `cameOf`. */
export async function decideHeld({ decision, product, buyers, back }: HoldPlan, signature: Signature, waiting: Waiting,
  operating: Operating): Promise<readonly Came[]> {
  const { queue, now } = operating;
  const came = await cameOf(buyers, { isAbout: "act", send: async () => {
    for (const buyer of buyers) {
      const requestId = randomUUID();
      await queue.send(...lookAnew(buyer));
      await queue.send({ v: 1, kind: "held", requestId, buyer, productId: product.id, decision, at: now(),
        ...signature }, `${decision} ${requestId}`);
    }
  }, takenIn: async (record) => ({ state: heldSources(record, product.id).size > 0 ? "no" : "yes" }) }, waiting,
    operating);
  return back.acts.length === 0 ? came : [...came, ...(await carryOut(back, signature, waiting, operating))];
}

/**
 * The acts that give a product again to those who lost it in the hour before the hold, and in its own: they are
 * counted by tag there. What somebody meant for one buyer, a refund say, stays lost.
 */
async function broughtBack(productId: string, heldSinceAt: number, policy: Policy,
  operating: Operating): Promise<ActPlan> {
  const { dynamo, ledger: table } = operating.stage;
  const hours = await Promise.all(
    [heldSinceAt - HOUR_MS, heldSinceAt].map((at) => lostInHour(dynamo, table, productId, at)),
  );
  const tags = new Set(hours.flatMap((hour) => [...hour]));
  const acts: PlannedAct[] = [];
  const changes: RoleDifference[] = [];
  if (tags.size === 0) return { acts, changes };
  for await (const { records } of everyRecord(ledgerTable(dynamo, table))) {
    for (const record of records.filter(({ email }) => tags.has(tagOf(email)))) {
      const lost = lostOf(record, productId, heldSinceAt - LATELY_MS, policy, operating.now());
      const own = lost.map((id) => planned(record, id, { kind: "give", until: null }, operating.now()));
      for (const act of own) changes.push(await ownChange(record, act, operating));
      acts.push(...own);
    }
  }
  return { acts, changes };
}

function lostOf(record: BuyerRecord, productId: string, after: number, policy: Policy,
  now: number): readonly SourceId[] {
  return entitlements(record.sources, policy, now).verdicts.flatMap((verdict) => {
    const source = record.sources[verdict.source];
    if (source?.productId !== productId || verdict.access || record.held[verdict.source] !== undefined) return [];
    const end = endOf(source);
    return isMeant(verdict, record) || (end !== null && end.at < after) ? [] : [verdict.source];
  });
}

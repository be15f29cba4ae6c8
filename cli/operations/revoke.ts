import { entitlements } from "../../src/access/entitlements.ts";
import { grantedRole, isSourceId, type SourceId } from "../../src/access/facts.ts";
import { ConfigError } from "../../src/errors.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import { isMine } from "../../src/provisioning/owners.ts";
import { type ActPlan, ownChange, planned, type PlannedAct, withPlanned } from "./carry-out.ts";
import type { Operating } from "./operating.ts";

/**
 * What to take back: a role that grant gave, or what a purchase gives, which `undo` leaves to the facts again; or with
 * `changes` what only those of its plan give that no charge has confirmed.
 */
export interface RevokeRequest {
  readonly buyer: string;
  readonly role: string | undefined;
  readonly source: string | undefined;
  readonly undo: boolean;
  readonly changes: boolean;
}

/** What taking comes to. */
export interface RevokePlan extends ActPlan {
  readonly source: SourceId;
  /** The sources that give the role all the same. */
  readonly stillFrom: readonly SourceId[];
}

/**
 * Plans to take back what was given for nothing, or what a purchase gives.
 * @throws {ConfigError} REVOKE_WHAT, SOURCE_UNKNOWN, NOT_GRANTED
 */
export async function plannedRevoke(request: RevokeRequest, operating: Operating): Promise<RevokePlan> {
  const record = await operating.ledger.load(request.buyer);
  const source = sourceToTake(record, request, operating);
  // What was decided besides stands.
  const decision = request.changes
    ? (record.sources[source]?.act?.decision ?? { kind: "follow" as const })
    : { kind: request.undo ? "follow" as const : "take" as const };
  const act: PlannedAct = { ...planned(record, source, decision, operating.now()),
    ...(request.changes ? { dropsChanges: true } : {}) };
  return { acts: [act], changes: [await ownChange(record, act, operating)], source,
    stillFrom: await stillGiving(record, act, operating) };
}

function sourceToTake(record: BuyerRecord, { role, source, undo, changes }: RevokeRequest,
  { commandLine }: Operating): SourceId {
  if ((role === undefined) === (source === undefined)) {
    throw new ConfigError("REVOKE_WHAT", "name either a role that grant gave, or a purchase with --source");
  }
  if (changes && (undo || source === undefined)) {
    throw new ConfigError("REVOKE_WHAT", "--changes is for --source, without --undo");
  }
  if (undo && source === undefined) {
    throw new ConfigError("REVOKE_WHAT", "--undo is for --source: a role given for nothing comes back with grant");
  }
  if (source !== undefined) {
    if (isSourceId(source) && isMine(record, source)) return source;
    throw new ConfigError("SOURCE_UNKNOWN",
      `${source} is no purchase of ${record.email}: ${commandLine(`explain ${record.email}`)} shows theirs`);
  }
  const granted: SourceId = `grant:${role ?? ""}`;
  if (record.sources[granted]?.act?.decision.kind === "give") return granted;
  const known = Object.keys(record.sources).flatMap((
    id,
  ) => (isSourceId(id) && record.sources[id]?.act?.decision.kind === "give" ? (grantedRole(id) ?? []) : []));
  throw new ConfigError("NOT_GRANTED",
    `nobody gave ${record.email} ${role ?? ""} for nothing${
      known.length === 0 ? "" : ` (they were given ${known.join(", ")})`
    }: if a purchase gives it, name that with --source; ${commandLine(`explain ${record.email}`)} shows which`);
}

async function stillGiving(record: BuyerRecord, act: PlannedAct,
  { policy, now }: Operating): Promise<readonly SourceId[]> {
  const role = grantedRole(act.source);
  if (role === null) return [];
  const { verdicts } = entitlements(withPlanned(record, act).sources, await policy(), now());
  return verdicts.flatMap(({ source: id, roles }) => (roles.includes(role) ? [id] : []));
}

import { randomUUID } from "node:crypto";

import { dueRoles, entitlements } from "../../src/access/entitlements.ts";
import { emptySource, grantedRole, isSourceId, type Act, type SourceId } from "../../src/access/facts.ts";
import { addFacts } from "../../src/access/merge.ts";
import type { Policy } from "../../src/access/policy.ts";
import { ConfigError } from "../../src/errors.ts";
import { dynamoLedger } from "../../src/ledger/ledger.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import { isMine } from "../../src/provisioning/owners.ts";
import type { ActFlags } from "../commands/options.ts";
import { carryOut, differenceWords, signatureOf } from "./acting.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../failures.ts";

/** The flags of `revoke`, as commander gives them. */
export interface RevokeFlags extends ActFlags {
  readonly source?: string;
  readonly undo?: true;
}

/** Takes back what was given for nothing, or what a purchase gives. */
export async function revoke(buyer: string, role: string | undefined, flags: RevokeFlags,
  context: Context): Promise<ExitCode> {
  const { output, now } = context;
  const policy = await context.policy();
  const stage = await context.stage();
  const record = await dynamoLedger(stage.dynamo, stage.ledger).load(buyer);
  const source = sourceToTake(record, role, flags, context);
  const dryRun = flags.dryRun === true;
  const signature = dryRun ? { by: "", why: "" } : await signatureOf(flags, context);

  const act: Act = { at: now(), id: randomUUID(), ...signature,
    decision: { kind: flags.undo === true ? "follow" : "take" } };
  const taken = { ...record,
    sources: addFacts(record.sources, source, { ...emptySource(record.sources[source]?.productId ?? ""), act }) };
  const difference = { before: dueRoles(record, policy, now()), after: dueRoles(taken, policy, now()) };
  const stillFrom = stillGiving(taken, grantedRole(source), policy, now());
  const about = { buyer, source, ...difference, stillFrom, dryRun };
  output.say(
    `${dryRun ? "would take" : "takes"} ${
      flags.undo === true ? "nothing any more from" : "away"
    } ${source}: ${buyer} ${differenceWords(difference)}`,
  );
  for (const id of stillFrom) {
    output.say(
      output.tone("warning",
        `${grantedRole(source) ?? ""} also comes from ${id}: that stays, unless you take it with --source ${id}`),
    );
  }
  return carryOut({ buyer, source, act }, about, flags, context);
}

/**
 * What the act is about.
 * @throws {ConfigError} REVOKE_WHAT, SOURCE_UNKNOWN, NOT_GRANTED
 */
function sourceToTake(record: BuyerRecord, role: string | undefined, { source, undo }: RevokeFlags,
  { commandLine }: Context): SourceId {
  if ((role === undefined) === (source === undefined)) {
    throw new ConfigError("REVOKE_WHAT", "name either a role that grant gave, or a purchase with --source");
  }
  if (undo === true && source === undefined) {
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

/** The sources that give a role all the same. */
function stillGiving(record: BuyerRecord, role: string | null, policy: Policy, now: number): readonly SourceId[] {
  if (role === null) return [];
  return entitlements(record.sources, policy, now).verdicts.flatMap((
    { source, roles },
  ) => (roles.includes(role) ? [source] : []));
}

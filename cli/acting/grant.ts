import { randomUUID } from "node:crypto";

import { dueRoles } from "../../src/access/entitlements.ts";
import { emptySource, type Act, type SourceId } from "../../src/access/facts.ts";
import { addFacts } from "../../src/access/merge.ts";
import { dynamoLedger } from "../../src/ledger/ledger.ts";
import type { ActFlags } from "../commands/options.ts";
import { carryOut, differenceWords, knownRole, signatureOf } from "./acting.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../failures.ts";
import { isoOf, momentOf, untilOf } from "../terminal/moments.ts";

/** The flags of `grant`, as commander gives them. */
export interface GrantFlags extends ActFlags {
  readonly until?: string;
}

/** Gives somebody a role without a purchase. */
export async function grant(buyer: string, role: string, flags: GrantFlags, context: Context): Promise<ExitCode> {
  const { output, now } = context;
  const policy = await context.policy();
  await knownRole(role, policy, context);
  const stage = await context.stage();
  const until = flags.until === undefined ? null : untilOf(flags.until, now());
  const record = await dynamoLedger(stage.dynamo, stage.ledger).load(buyer);
  const dryRun = flags.dryRun === true;
  const signature = dryRun ? { by: "", why: "" } : await signatureOf(flags, context);

  const source: SourceId = `grant:${role}`;
  const act: Act = { at: now(), id: randomUUID(), ...signature, decision: { kind: "give", until } };
  const given = { ...record, sources: addFacts(record.sources, source, { ...emptySource(""), act }) };
  const difference = { before: dueRoles(record, policy, now()), after: dueRoles(given, policy, now()) };
  const about = { buyer, role, until: isoOf(until), ...difference, dryRun };
  output.say(
    `${dryRun ? "would give" : "gives"} ${role} ${
      until === null ? "for good" : `until ${momentOf(until)} UTC`
    }: ${buyer} ${differenceWords(difference)}`,
  );
  return carryOut({ buyer, source, act }, about, flags, context);
}

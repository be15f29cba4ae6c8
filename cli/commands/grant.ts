import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { dueRoles } from "../../src/access/due-roles.ts";
import { emptySource, grantOf, type Act } from "../../src/access/facts.ts";
import { addFacts } from "../../src/access/merge.ts";
import { dynamoLedger } from "../../src/ledger/ledger.ts";
import { type ActFlags, actOptions, carryOut, differenceWords, knownRole, signatureOf } from "../acting.ts";
import { buyerEmail } from "../buyer-email.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../failures.ts";
import { examples } from "../help.ts";
import { isoOf, momentOf, untilOf } from "../moments.ts";

interface Flags extends ActFlags {
  readonly until?: string;
}

/** Adds `grant`. */
export function register(program: Command, context: Context): void {
  const command = program
    .command("grant")
    .summary("gives somebody a role for nothing")
    .description(
      "Gives a role without a purchase, for good or until a day. It stands until revoke takes it back or its time " +
        "is over; purchases neither need it nor end it. Again, it replaces the one before.",
    )
    .argument("<email>", "the buyer; need not be known yet")
    .argument("<role>", "a role of src/products.ts, or any at Auth0")
    .option("--until <day>", "the last day (2026-12-31, in UTC), or a moment (2026-12-31T18:00:00Z)")
    .addHelpText("after", examples(['grant ann@example.com club --why "won our raffle"', "for good"], [
      "grant ann@example.com club --until 2026-12-31 --why trial",
      "until the end of that day",
    ]));
  actOptions(command).action(
    context.action((email: string, role: string, flags: Flags) => grant(buyerEmail(email), role, flags, context)),
  );
}

async function grant(buyer: string, role: string, flags: Flags, context: Context): Promise<ExitCode> {
  const { output, now } = context;
  const until = flags.until === undefined ? null : untilOf(flags.until, now());
  const policy = await context.policy();
  await knownRole(role, policy, context);
  const stage = await context.stage();
  const record = await dynamoLedger(stage.dynamo, stage.ledger).load(buyer);
  const dryRun = flags.dryRun === true;
  const signature = dryRun ? { by: "", why: "" } : await signatureOf(flags, context);

  const source = grantOf(role);
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

import { randomUUID } from "node:crypto";

import { dueRoles } from "../../src/access/entitlements.ts";
import { ConfigError } from "../../src/errors.ts";
import { dynamoLedger } from "../../src/ledger/ledger.ts";
import type { ActFlags } from "../commands/options.ts";
import { queueOf, signatureOf } from "./acting.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";

/** What becomes of the mail is Auth0's affair, so there is nothing to wait for: `explain` shows it. */
export async function invite(buyer: string, flags: ActFlags, context: Context): Promise<ExitCode> {
  const { output, commandLine, now } = context;
  const stage = await context.stage();
  const record = await dynamoLedger(stage.dynamo, stage.ledger).load(buyer);
  const roles = dueRoles(record, await context.policy(), now());
  if (roles.length === 0) {
    throw new ConfigError("NOTHING_TO_INVITE_TO",
      `${buyer} has no role, so there is nothing to invite them to: ${commandLine(`explain ${buyer}`)} says why`);
  }
  const dryRun = flags.dryRun === true;
  if (!dryRun) {
    const requestId = randomUUID();
    await queueOf(stage).send({ v: 1, kind: "invite", requestId, buyer, ...(await signatureOf(flags, context)) },
      `invite ${requestId}`);
  }
  output.say(`${dryRun ? "would invite" : "invites"} ${buyer}, who has ${roles.join(", ")}`);
  if (!dryRun) output.say(`whether the mail went out: ${commandLine(`explain ${buyer}`)}`);
  output.result({ buyer, roles, dryRun });
  return EXIT.ok;
}

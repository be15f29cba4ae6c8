import { ConfigError } from "../../src/errors.ts";
import { confirmed } from "../acting/telling.ts";
import { type OperatorFlags, operatorOf } from "../commands/options.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { forgettable, forgotten } from "../operations/forget.ts";
import { counted } from "../terminal/progress.ts";
import { stepSaid } from "../terminal/steps.ts";

/** The flags of `forget`, as commander gives them. */
export interface ForgetFlags extends OperatorFlags {
  readonly user?: true;
  readonly force?: true;
  readonly yes?: true;
  readonly dryRun?: true;
}

/** What forgetting doesn't reach. */
const REMAINS: readonly { readonly where: string; readonly what: string; readonly howLong: string }[] = [
  { where: "Gumroad", what: "the purchases themselves", howLong: "until you have them deleted there" },
  { where: "the ledger's table", what: "tombstones: keyed hashes of the email and of the purchases' ids, and when",
    howLong: "for good, so that nothing brings them back" },
  { where: "the ledger's backups (point in time)", what: "all of it", howLong: "35 days" },
  { where: "the queue and the dead-letter queue", what: "messages that wait there, with the email",
    howLong: "14 days at most" },
  { where: "other buyers' records",
    what:
      "the email, where they got a gift from this person, a purchase was moved between them, a charge of theirs was " +
      "paid under this email, or this person claimed a purchase of theirs", howLong: "until those are forgotten" },
  { where: "CloudWatch logs", what: "no email: the start of its hash, ids of purchases", howLong: "30 days" },
  { where: "Auth0", what: "its own logs; users that were not deleted, without our roles and marks",
    howLong: "the logs 1 to 30 days, by your plan" },
  { where: "the self-built login", what: "an account of its own, if this person made one there",
    howLong: "until it is deleted there" },
];

/**
 * Erases a person.
 * @throws {ConfigError} FORGET_UNCONFIRMED
 */
export async function forget(email: string, flags: ForgetFlags, context: Context): Promise<ExitCode> {
  const { output, env } = context;
  if (flags.force === true && flags.user !== true) throw new ConfigError("FORCE_WHAT", "--force is for --user");
  const dryRun = flags.dryRun === true;
  const found = await operate(context, (operating) => forgettable(email, operating));
  const { record, users, traces } = found;
  output.say(
    `${email}: ${counted(traces.sources.length, "purchase")}, ${counted(found.events, "event")}, ${
      counted(users.length, "user")
    } at Auth0`,
  );
  if (!dryRun) {
    await confirmed(`Erase ${email}? This can't be undone`, false, flags, { code: "FORGET_UNCONFIRMED",
      unasked: "this can't be undone: say --yes", refused: "nothing was erased" }, context);
  }
  const request = { user: flags.user === true, force: flags.force === true, operator: operatorOf(flags, env), dryRun };
  const { steps, erasedItems } = await operate(context,
    (operating) => forgotten(found, request, stepSaid(output), operating));
  if (!dryRun) output.say(`erased ${counted(erasedItems, "item")}`);
  output.say("\nwhat remains:");
  for (const { where, what, howLong } of REMAINS) output.say(`  ${where}: ${what}; ${howLong}`);
  output.result({ buyer: email, dryRun, known: record.version > 0, purchases: traces.sources, users, steps,
    erasedItems, remains: REMAINS });
  return steps.some(({ outcome }) => outcome === "by hand") ? EXIT.failed : EXIT.ok;
}

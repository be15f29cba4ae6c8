import { ConfigError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { makeKey, storedKey } from "./key.ts";
import { forgetUsers } from "./users.ts";
import { operate } from "../operating.ts";
import { bury, erase, forgettable } from "../operations/forget.ts";
import type { OperatorFlags } from "../commands/options.ts";
import { operatorAdmin } from "../stage/operator.ts";
import type { Stage } from "../stage/stage.ts";
import { serviceCredentials, serviceDirectory } from "../stage/directory.ts";
import { makeSteps } from "../terminal/steps.ts";

/** The flags of `forget`, as commander gives them. */
export interface ForgetFlags extends OperatorFlags {
  readonly user?: true;
  readonly force?: true;
  readonly yes?: true;
  readonly dryRun?: true;
}

/** Functions that found no key ask again after a minute. */
const NOTICED_MS = 61_000;

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
      "the email, where they got a gift from this person, a purchase was moved between them, or a charge of theirs " +
      "was paid under this email", howLong: "until those are forgotten" },
  { where: "CloudWatch logs", what: "no email: the start of its hash, ids of purchases", howLong: "30 days" },
  { where: "Auth0", what: "its own logs; users that were not deleted, without our roles and marks",
    howLong: "the logs 1 to 30 days, by your plan" },
  { where: "the self-built login", what: "an account of its own, if this person made one there",
    howLong: "until it is deleted there" },
];

/** Erases a person. */
export async function forget(email: string, flags: ForgetFlags, context: Context): Promise<ExitCode> {
  const { output } = context;
  if (flags.force === true && flags.user !== true) throw new ConfigError("FORCE_WHAT", "--force is for --user");
  const dryRun = flags.dryRun === true;
  const stage = await context.stage();
  const credentials = await serviceCredentials(context);
  const found = await operate(context, (operating) => forgettable(email, operating));
  const { record, users, traces, subjects } = found;
  output.say(
    `${email}: ${String(traces.sources.length)} purchases, ${String(found.events)} events, ${
      String(users.length)
    } users at Auth0`,
  );
  if (!dryRun) await confirmed(email, flags, context);

  const steps = makeSteps(output, dryRun);
  await steps.change("tombstones", `${String(subjects.length)} written: what was bought before now can't come back`,
    async () => {
      const key = await keyFor(stage, context);
      await operate(context, (operating) => bury(found, key, operating));
    });
  // Before the record goes: it alone knows which roles are ours, should this stop half-way and be run again.
  await forgetUsers(users, { directory: await serviceDirectory(context), bound: Object.entries(record.users),
    credentials, admin: flags.user === true ? operatorAdmin(flags, stage, context.env, credentials) : null, steps,
    deletes: { ours: flags.user === true, others: flags.force === true } });
  let erased = 0;
  await steps.change("ledger", "record, history, owners of purchases and notes of gifts erased", async () => {
    erased = await operate(context, (operating) => erase(found, operating));
  });
  if (!dryRun) output.say(`erased ${String(erased)} items`);
  output.say("\nwhat remains:");
  for (const { where, what, howLong } of REMAINS) output.say(`  ${where}: ${what}; ${howLong}`);
  output.result({ buyer: email, dryRun, known: record.version > 0, purchases: traces.sources, users, steps: steps.all,
    erasedItems: erased, remains: REMAINS });
  return steps.all.some(({ outcome }) => outcome === "by hand") ? EXIT.failed : EXIT.ok;
}

/** @throws {ConfigError} FORGET_UNCONFIRMED */
async function confirmed(email: string, { yes }: ForgetFlags, { questions }: Context): Promise<void> {
  if (yes === true) return;
  if (questions === null) throw new ConfigError("FORGET_UNCONFIRMED", "this can't be undone: say --yes");
  if (!(await questions.confirm(`Erase ${email}? This can't be undone`, false))) {
    throw new ConfigError("FORGET_UNCONFIRMED", "nothing was erased");
  }
}

async function keyFor(stage: Stage, { output, wait }: Context): Promise<string> {
  const known = await storedKey(stage);
  if (known !== null) return known;
  const made = await makeKey(stage);
  output.say("the first to be forgotten on this stage: a key was made; a minute until the functions know it …");
  await wait(NOTICED_MS);
  return made;
}

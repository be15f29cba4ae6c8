import type { ActFlags } from "../commands/options.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { carryOutFile, plannedFile, type FilePlan } from "../operations/grant-file.ts";
import { customersIn } from "./customers.ts";
import { cameResult, confirmed, signatureOf, tellOutcome, waitingOf } from "./telling.ts";

/** The flags of a file of customers, as commander gives them. */
export interface ListFlags extends ActFlags {
  readonly file?: string;
  readonly yes?: true;
}

/**
 * Gives what a file of customers says, or takes that back.
 * @throws {ConfigError} FILE_INVALID, FILE_UNCONFIRMED
 */
export async function carryOutList(kind: FilePlan["kind"], file: string, flags: ListFlags,
  context: Context): Promise<ExitCode> {
  const { output } = context;
  const waiting = waitingOf(flags);
  const plan = await operate(context, (operating) =>
    // A file that was given once may be over in part when it is taken back.
    plannedFile(customersIn(file, kind === "give" ? operating.now() : 0), kind, operating));
  const { todo, done, left } = plan;
  const does = kind === "give" ? "give" : "take back";
  output.say(
    `${file}: ${String(todo.length)} to ${does}, ${String(done.length)} done before${
      left.length === 0 ? "" : `, ${String(left.length)} left alone`
    }`,
  );
  const because = `${kind === "take" ? "this file didn't give it, or " : ""}somebody decided otherwise since`;
  for (const { line, buyer, role } of left) {
    output.say(output.tone("warning", `line ${String(line)}: ${role} of ${buyer}: ${because}`));
  }
  const dryRun = flags.dryRun === true;
  const about = { file, todo, done, left, dryRun };
  if (dryRun || todo.length === 0) {
    if (dryRun) {
      for (const { line, buyer, role } of todo) output.say(`  line ${String(line)}: ${role} for ${buyer}`);
    }
    output.result({ ...about, came: [] });
    return EXIT.ok;
  }
  await confirmed("Go on", true, flags, { code: "FILE_UNCONFIRMED", unasked: "nobody can be asked here: say --yes",
    refused: "nothing was done" }, context);
  const isNoted = kind === "give" && todo.every(({ note }) => note !== "");
  const signature = await signatureOf(isNoted ? { ...flags, why: flags.why ?? file } : flags, context);
  const came = await operate(context, (operating) => carryOutFile(plan, signature, waiting, operating));
  output.result({ ...about, ...signature, came: came.map(cameResult) });
  const failed = came.filter((each) => !tellOutcome(each, flags, context));
  if (waiting.withinMs !== null) {
    output.say(
      `${output.tone("good", "done")} for ${String(came.length - failed.length)} of ${String(came.length)} buyers${
        failed.length === 0 ? "" : "; the same command goes on with the rest"
      }`,
    );
  }
  return failed.length === 0 ? EXIT.ok : EXIT.failed;
}

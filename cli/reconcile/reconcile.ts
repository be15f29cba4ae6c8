import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { swept, sweptAhead } from "../operations/reconcile.ts";
import { grouped } from "../terminal/progress.ts";
import type { AskableSweep } from "./call.ts";

/** The flags of `reconcile`, as commander gives them. */
export interface ReconcileFlags {
  readonly goOn?: true;
  readonly dryRun?: true;
}

/** Findings that people are shown; a script gets all. */
const SHOWN = 20;

/** Has the service make a sweep now, or looks what it would find. */
export async function reconcile(sweep: AskableSweep, flags: ReconcileFlags, context: Context): Promise<ExitCode> {
  return flags.dryRun === true ? dryRun(sweep, context) : sweepNow(sweep, flags, context);
}

async function sweepNow(sweep: AskableSweep, flags: ReconcileFlags, context: Context): Promise<ExitCode> {
  const { output, commandLine, stageName } = context;
  const { read, differed, sent, changed, token } = await operate(context,
    (operating) =>
      swept({ sweep, goOn: flags.goOn === true }, (soFar) =>
        output.say(`${grouped(soFar.read)} read so far, ${grouped(soFar.differed)} differ`), operating));
  if (!token) {
    output.say(
      `${output.tone("warning", "without a Gumroad token")} lost pings can't be found: ${commandLine("setup")}`,
    );
  }
  output.table(["sweep", "read", "differed", "sent", "changed"], [[sweep,
    ...[read, differed, sent, changed].map(grouped)]]);
  output.result({ stage: stageName(), dryRun: false, sweep, read, differed, sent, changed, token });
  return token ? EXIT.ok : EXIT.failed;
}

async function dryRun(sweep: AskableSweep, context: Context): Promise<ExitCode> {
  const { output, commandLine, stageName } = context;
  const { read, differed, found } = await operate(context, (operating) => sweptAhead(sweep, operating));
  output.say(
    `${grouped(read)} read, ${grouped(differed)} differ; would have ${
      grouped(found.length)
    } read back or worked out anew: ${commandLine(`reconcile ${sweep}`)}`,
  );
  if (found.length > 0) output.table(["buyer", "what"], found.slice(0, SHOWN).map(({ buyer, what }) => [buyer, what]));
  if (found.length > SHOWN) output.say(`and ${grouped(found.length - SHOWN)} more; --json lists all`);
  output.result({ stage: stageName(), dryRun: true, sweep, read, differed, found });
  return EXIT.ok;
}

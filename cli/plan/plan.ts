import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { losersOf, planPolicy } from "../operations/plan.ts";
import { planLines } from "./text.ts";

/** The flags of `plan`, as commander gives them. */
export interface PlanFlags {
  readonly counts?: true;
  readonly failOnLoss?: true;
}

/** Says who would gain and who would lose what if the policy were deployed. */
export async function plan({ counts, failOnLoss }: PlanFlags, context: Context): Promise<ExitCode> {
  const { output, commandLine, stageName } = context;
  const planned = await operate(context, planPolicy);
  for (const line of planLines(planned, { names: counts !== true, commandLine })) output.say(line);
  output.result({ stage: stageName(), ...planned });
  return failOnLoss === true && losersOf(planned) > 0 ? EXIT.usage : EXIT.ok;
}

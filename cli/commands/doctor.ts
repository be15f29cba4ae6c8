import type { Command } from "commander";

import type { Context } from "../context.ts";
import { type Check, checksOf, type Finding, NotChecked } from "../doctor/checks.ts";
import { EXIT, type ExitCode, failureOf } from "../failures.ts";
import { examples } from "../help.ts";
import { type OperatorFlags, operatorOptions } from "../operator.ts";

interface Flags extends OperatorFlags {
  readonly ignore?: readonly string[];
}

/** What one check found. */
interface Outcome {
  readonly check: string;
  readonly state: "good" | "findings" | "not checked";
  /** Why it was not checked. */
  readonly note: string | null;
  readonly findings: readonly Finding[];
}

/** Adds `doctor`. */
export function register(program: Command, context: Context): void {
  const command = program
    .command("doctor")
    .summary("finds what silently goes wrong, and says how to mend it")
    .description(
      "Looks at secrets, Auth0, Gumroad, the ping URL, the dead-letter queue and the policy, and prints for each " +
        "finding the command that mends it. Changes nothing: the ping URL is asked with a test ping, which is only " +
        "logged. Exit code 1 with findings.",
    )
    .option("--ignore <codes...>", "leave out findings of these codes, such as PRODUCT_NOT_IN_POLICY")
    .addHelpText("after",
      examples(["doctor", "looks at the running npm start"], ["doctor --stage prod", "looks at prod"], [
        "doctor --stage prod --json",
        "for a script: findings with their codes",
      ]));
  operatorOptions(command).action(context.action((flags: Flags) => examine(flags, context)));
}

async function examine({ ignore = [], ...flags }: Flags, context: Context): Promise<ExitCode> {
  const { output, env, wait, commandLine } = context;
  const stage = await context.stage();
  const checks = checksOf({ stage, policy: await context.policy(), flags, env, wait, commandLine });
  const outcomes: Outcome[] = [];
  // One after the other: Auth0's free plan takes two calls a second, and the report reads as it is made.
  for (const check of checks) {
    const outcome = await outcomeOf(check, commandLine("doctor"), ignore);
    outcomes.push(outcome);
    show(outcome, context);
  }
  const findings = outcomes.flatMap((outcome) => outcome.findings);
  output.say(
    `\n${
      findings.length === 0
        ? output.tone("good", "nothing found")
        : output.tone("bad", `${String(findings.length)} found`)
    }`,
  );
  output.result({ stage: stage.name, findings,
    checks: outcomes.map(({ check, state, note }) => ({ check, state, note })) });
  return findings.length === 0 ? EXIT.ok : EXIT.failed;
}

async function outcomeOf({ name: check, run }: Check, again: string, ignore: readonly string[]): Promise<Outcome> {
  try {
    const findings = (await run()).filter(({ code }) => !ignore.includes(code));
    return { check, state: findings.length === 0 ? "good" : "findings", note: null, findings };
  } catch (error) {
    if (error instanceof NotChecked) return { check, state: "not checked", note: error.message, findings: [] };
    const { code, message } = failureOf(error);
    return { check, state: "findings", note: null,
      findings: [{ code, message: `Could not be checked: ${message}`, mend: again }] };
  }
}

function show({ check, state, note, findings }: Outcome, { output }: Context): void {
  if (state === "good") output.say(`${output.tone("good", "good     ")}  ${check}`);
  else if (state === "not checked") output.say(`${output.tone("warning", "unchecked")}  ${check}: ${note ?? ""}`);
  for (const { code, message, mend } of findings) {
    output.say(
      `${output.tone("bad", "found    ")}  ${check}: ${message} (${code})\n             mend it: ${
        output.tone("strong", mend)
      }`,
    );
  }
}

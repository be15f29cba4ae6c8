import type { Context } from "../context.ts";
import { checksOf } from "./checks.ts";
import { type Check, type Finding, NotChecked } from "./finding.ts";
import { EXIT, type ExitCode, failureOf } from "../failures.ts";
import type { OperatorFlags } from "../commands/options.ts";

/** The flags of `doctor`, as commander gives them. */
export interface DoctorFlags extends OperatorFlags {
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

/** Makes all checks, and says what they find. */
export async function examine({ ignore = [], ...flags }: DoctorFlags, context: Context): Promise<ExitCode> {
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

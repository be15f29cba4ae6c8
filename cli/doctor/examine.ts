import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { examine, type Outcome } from "../operations/examine.ts";
import { type OperatorFlags, operatorOf } from "../commands/options.ts";

/** The flags of `doctor`, as commander gives them. */
export interface DoctorFlags extends OperatorFlags {
  readonly ignore?: readonly string[];
  readonly deep?: true;
}

/** Makes all checks, and says what they find. */
export async function doctor({ ignore = [], deep, ...flags }: DoctorFlags, context: Context): Promise<ExitCode> {
  const { output, env, stageName } = context;
  const asked = { deep: deep === true, ignore, operator: operatorOf(flags, env) };
  const outcomes = await operate(context,
    (operating) => examine(asked, (outcome) => show(outcome, context), operating));
  const findings = outcomes.flatMap((outcome) => outcome.findings);
  output.say(
    `\n${
      findings.length === 0
        ? output.tone("good", "nothing found")
        : output.tone("bad", `${String(findings.length)} found`)
    }`,
  );
  output.result({ stage: stageName(), findings,
    checks: outcomes.map(({ check, state, note }) => ({ check, state, note })) });
  return findings.length === 0 ? EXIT.ok : EXIT.failed;
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

import { checksOf } from "../doctor/checks.ts";
import { type Check, type Finding, NotChecked } from "../doctor/finding.ts";
import { failureOf } from "../failures.ts";
import type { OperatorApplication } from "../stage/operator.ts";
import type { Operating } from "./operating.ts";

/** What one check found. */
export interface Outcome {
  readonly check: string;
  readonly state: "good" | "findings" | "not checked";
  /** Why it was not checked. */
  readonly note: string | null;
  readonly findings: readonly Finding[];
}

/** What is examined. */
export interface Examination {
  /** Compares all buyers with Auth0, instead of some. */
  readonly deep: boolean;
  /** Codes of findings that are left out. */
  readonly ignore: readonly string[];
  readonly operator: OperatorApplication;
}

/**
 * Makes the checks one after the other, since Auth0's free plan takes two calls a second, and tells of each as it is
 * made. What keeps a check from looking is its finding.
 * @throws {ConfigError} POLICY_INVALID
 */
export async function examine({ deep, ignore, operator }: Examination, told: (outcome: Outcome) => void,
  operating: Operating): Promise<readonly Outcome[]> {
  const { policy, commandLine, tell } = operating;
  const outcomes: Outcome[] = [];
  for (const check of checksOf({ policy: await policy(), operator, operating, deep })) {
    const outcome = await outcomeOf(check, ignore, commandLine("doctor"));
    outcomes.push(outcome);
    tell(null);
    told(outcome);
  }
  return outcomes;
}

async function outcomeOf({ name: check, run }: Check, ignore: readonly string[], again: string): Promise<Outcome> {
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

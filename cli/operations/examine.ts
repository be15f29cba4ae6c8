import { type Check, type Finding, NotChecked } from "../doctor/finding.ts";
import { failureOf } from "../failures.ts";
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
  readonly checks: readonly Check[];
  /** Codes of findings that are left out. */
  readonly ignore: readonly string[];
  /** What to do about a check that fails itself. */
  readonly again: string;
}

/**
 * Makes the checks one after the other, since Auth0's free plan takes two calls a second, and tells of each as it is
 * made. Never rejects: what keeps a check from looking is its finding.
 */
export async function examine({ checks, ignore, again }: Examination, tell: (outcome: Outcome) => void,
  { tell: progress }: Pick<Operating, "tell">): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const check of checks) {
    const outcome = await outcomeOf(check, ignore, again);
    outcomes.push(outcome);
    progress(null);
    tell(outcome);
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

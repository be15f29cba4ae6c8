import type { DriftReport } from "../operations/drift.ts";
import type { LedgerFinding } from "../operations/record-findings.ts";
import type { Finding } from "./finding.ts";
import { mendLine, sentenceOf } from "./ledger-words.ts";

/** What the records show that a person has to see to. */
export function ledgerFindings(found: readonly LedgerFinding[], stage: string,
  commandLine: (command: string) => string): readonly Finding[] {
  return found.map((finding) => ({ code: finding.code, message: sentenceOf(finding),
    mend: mendLine(finding, stage, commandLine) })
  );
}

/** Buyers who lack at Auth0 what our record says we gave them. */
export function driftFindings({ drifts }: DriftReport, mend: string): readonly Finding[] {
  const gone = drifts.filter(({ isGone }) => isGone);
  const roles = [...new Set(drifts.filter(({ isGone }) => !isGone).flatMap(({ missing }) => missing))].sort();
  const buyersOf = (some: DriftReport["drifts"]) => [...new Set(some.map(({ buyer }) => buyer))];
  return [
    ...(gone.length === 0
      ? []
      : [{ code: "USER_GONE", mend,
        message: sentenceOf({ code: "USER_GONE", product: null,
          what: "The Auth0 user to whom we gave roles was deleted", buyers: buyersOf(gone) }) }]),
    ...roles.map((role): Finding => ({ code: "ROLE_DRIFTED", mend,
      message: sentenceOf({ code: "ROLE_DRIFTED", product: null, what: `Somebody took away at Auth0 the role ${role}`,
        buyers: buyersOf(drifts.filter(({ isGone, missing }) => !isGone && missing.includes(role))) }) })
    ),
  ];
}

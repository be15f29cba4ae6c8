import { LOCAL } from "../stage/stage.ts";
import type { LedgerFinding } from "../operations/record-findings.ts";
import { grouped } from "../terminal/progress.ts";

/** Names that are shown of each finding; `--json` has all. */
const SHOWN = 3;

/** A finding in the ledger as a sentence: what, of which product, and whom it concerns. */
export function sentenceOf({ product, what, buyers }: Omit<LedgerFinding, "mend">): string {
  const rest = buyers.length - SHOWN;
  const names = `${buyers.slice(0, SHOWN).join(", ")}${rest > 0 ? `, and ${grouped(rest)} more` : ""}`;
  return `${product === null ? "" : `${product}: `}${what}. ${
    buyers.length === 1 ? `It concerns ${names}` : `It concerns ${grouped(buyers.length)} buyers: ${names}`
  }.`;
}

/** The whole command that mends it, as somebody would type it. */
export function mendLine({ mend }: Pick<LedgerFinding, "mend">, stage: string,
  commandLine: (command: string) => string): string {
  return mend === "deploy" ? deployLine(stage) : commandLine(mend);
}

/** How a stage gets what was edited. */
export function deployLine(stage: string): string {
  return stage === LOCAL ? "npm start" : `npm run deploy -- --stage ${stage}`;
}

/** Before a deployment: whom the edited policy would take something from, and whether that is meant. */
import { losersOf, type PolicyPlan } from "../../cli/operations/plan.ts";
import { planLines } from "../../cli/plan/text.ts";
import { ConfigError } from "../../src/errors.ts";

/** What asking for consent needs. */
export interface Asking {
  /** Throws what keeps the plan from being made; ConfigError STAGE_NOT_DEPLOYED before the first deployment. */
  readonly plan: () => Promise<PolicyPlan>;
  /** `--yes` was given. */
  readonly yes: boolean;
  /** Asks the person at the terminal; null where nobody sits there. */
  readonly confirm: ((question: string) => Promise<boolean>) | null;
  readonly print: (line: string) => void;
  readonly commandLine: (command: string) => string;
}

/**
 * Shows who would gain and who would lose; false if somebody said no. Without a terminal nobody is named: that is
 * a workflow's log.
 * @throws {ConfigError} LOSSES_UNASKED where somebody would lose, or nobody can tell, and nobody can be asked
 */
export async function hasConsent({ plan, yes, confirm, print, commandLine }: Asking): Promise<boolean> {
  const doubt = await plan().then((made) => {
    for (const line of planLines(made, { names: confirm !== null, commandLine })) print(line);
    const losers = losersOf(made);
    return losers === 0 ? null : `${String(losers)} ${losers === 1 ? "buyer" : "buyers"} would lose a role`;
  }, (error: unknown) => {
    if (error instanceof ConfigError && error.code === "STAGE_NOT_DEPLOYED") return null;
    const why = error instanceof Error ? error.message : String(error);
    return `whether anybody would lose a role can't be told (${why})`;
  });
  if (doubt === null || yes) return true;
  if (confirm !== null) return confirm(`${doubt}. Deploy all the same?`);
  throw new ConfigError("LOSSES_UNASKED",
    `Nothing was deployed: ${doubt}. If that is meant, deploy with --yes; who it is: ${commandLine("plan")}`);
}

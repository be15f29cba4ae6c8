import type { Command } from "commander";

import type { Context } from "../context.ts";
import type { PlanFlags } from "../plan/plan.ts";
import { examples } from "./options.ts";

/** Defines `plan`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Before a deployment: who would gain and who would lose which role if the edited src/products.ts were in " +
        "force. Works it out from the stage's own ledger, as the service would; changes nothing. Says also whose " +
        "loss the hold would stop, and what time alone will change within 30 days. npm run deploy shows the same, " +
        "and asks if anybody loses.",
    )
    .option("--counts", "no names, for the log of a workflow")
    .option("--fail-on-loss", "exit code 2 if anybody loses a role, or would but for the hold")
    .addHelpText("after", examples(["plan --stage prod", "what deploying the edited policy to prod would change"], [
      "plan --stage prod --counts --fail-on-loss",
      "in a workflow, before npm run deploy",
    ]))
    .action(context.action(async (flags: PlanFlags) => (await import("../plan/plan.ts")).plan(flags, context)));
}

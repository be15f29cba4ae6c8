import type { Command } from "commander";

import type { Context } from "../context.ts";
import { examples } from "./options.ts";
import type { ExplainFlags } from "../explain/explain.ts";

/** Defines `explain`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Shows a buyer's purchases and what each gives and why, their users with what our record says and what Auth0 " +
        "says now, what waits and for what, what would change if the record were looked at now, and every event in " +
        "order (UTC). Changes nothing. Exit code 1 for somebody of whom nothing is known.",
    )
    .argument("<who>", "the buyer's email; or a purchase: sale:ID, subscription:ID")
    .option("--search",
      "look for purchases seen under this email, too, or that wait for word of their sale: reads the whole ledger")
    .addHelpText("after",
      examples(["explain ann@example.com", "all about ann"], ["explain sale:fH9XoNJ-gQtcIacRpiKnyg== --stage prod",
        "whose purchase that is, and all about them"], ["explain ann@example.com --json", "for a script"]))
    .action(
      context.action(async (who: string, flags: ExplainFlags) =>
        (await import("../explain/explain.ts")).explain(who, flags, context)
      ),
    );
}

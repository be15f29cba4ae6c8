import type { Command } from "commander";

import type { Context } from "../context.ts";
import { examples } from "./options.ts";
import type { ExplainFlags } from "../explain/explain.ts";

/** Defines `explain`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Shows a buyer's purchases, what each gives and why, and what Gumroad says of it now; their users with what " +
        "our record says and what Auth0 says now, and whether they ever logged in; what waits and for what, also in " +
        "the dead-letter queue, what would change if the record were looked at now, what to run, and every event in " +
        "order (UTC). Changes nothing, and goes by src/products.ts as it is here, not as it was deployed. " +
        "Exit code 1 for somebody of whom nothing is known, or where several fit: " +
        "those are listed.",
    )
    .argument("<who>",
      "the buyer's email or a part of it, the tag in a log line, a sale, a subscription, an order " +
        "number, an Auth0 user id, the giver of a gift, or an address under which a renewal came")
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

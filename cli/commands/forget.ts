import type { Command } from "commander";

import { buyerEmail } from "./buyer-email.ts";
import type { Context } from "../context.ts";
import { DRY_RUN, examples, operatorOptions } from "./options.ts";
import type { ForgetFlags } from "../forget/forget.ts";

/** Defines `forget`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Erases a buyer: record, history, notes of gifts; the roles that we gave and our marks at Auth0; with --user " +
        "the user too, if we made it. Tombstones, which name nobody, keep pings told again, sweeps and backfills " +
        "from bringing them back. What they buy from now on counts again. Says what remains where, and how long. " +
        "Run twice, it does no harm.",
    )
    .argument("<email>", "the person")
    .option("--user", "delete the Auth0 user too, if we made it")
    .option("--force", "with --user: delete users that we didn't make as well")
    .option("--yes", "don't ask")
    .option("--dry-run", DRY_RUN)
    .addHelpText("after", examples(["forget ann@example.com --dry-run", "what there is of her"], [
      "forget ann@example.com --user --stage prod",
      "erases her, and the user that we made",
    ]));
  operatorOptions(command).action(
    context.action(async (email: string, flags: ForgetFlags) =>
      (await import("../forget/forget.ts")).forget(buyerEmail(email), flags, context)
    ),
  );
}

import type { Command } from "commander";

import type { Context } from "../context.ts";
import { DRY_RUN, examples } from "./options.ts";
import type { BackfillFlags } from "../backfill/backfill.ts";

/** Defines `backfill`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Goes through all past sales, newest first, and has each one that the ledger doesn't know read back and " +
        "granted. Slowly, so that Auth0's limit is kept and nobody who buys meanwhile waits. Stop it whenever you " +
        "like: the next run, from any machine, goes on where it stopped. It mails nobody, unless --invite is given.",
    )
    .option("--since <day>", "only sales from this day on (YYYY-MM-DD, UTC)")
    .option("--adopt",
      "roles that buyers already have, and their purchases give, count as ours: a refund takes them away")
    .option("--keep-foreign", "roles that buyers already have stay theirs, whatever becomes of the purchase")
    .option("--invite", "send the buyers who get in by it the mail that a new buyer gets")
    .option("--restart", "begin anew, with the options given now")
    .option("--dry-run", DRY_RUN)
    .addHelpText("after",
      examples(["backfill --dry-run", "how many sales and buyers there are, and how long it would take"], [
        "backfill --stage prod --keep-foreign",
        "all past sales of prod",
      ], ["backfill --stage prod --adopt", "the same for a shop whose roles another integration gave before"], [
        "backfill --stage prod",
        "goes on with the one that was stopped",
      ], ["backfill --stage prod --restart --since 2026-11-01 --keep-foreign",
        "the sales since 1 November once more"]))
    .action(
      context.action(async (flags: BackfillFlags) =>
        (await import("../backfill/backfill.ts")).backfill(flags, context)
      ),
    );
}

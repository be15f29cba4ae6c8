import type { Command } from "commander";

import { ConfigError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import { buyerEmail } from "./buyer-email.ts";
import { actOptions, examples } from "./options.ts";
import type { GrantFlags } from "../acting/grant.ts";

/** Defines `grant`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Gives a role without a purchase, for good or until a day. It stands until revoke takes it back or its time " +
        "is over; purchases neither need it nor end it. Again, it replaces the one before.",
    )
    .argument("[email]", "the buyer; need not be known yet")
    .argument("[role]", "a role of src/products.ts, or any at Auth0")
    .option("--until <day>", "the last day (2026-12-31, in UTC), or a moment (2026-12-31T18:00:00Z)")
    .addHelpText("after", examples(['grant ann@example.com club --why "won our raffle"', "for good"], [
      "grant ann@example.com club --until 2026-12-31 --why trial",
      "until the end of that day",
    ], ['grant --file customers.csv --why "from our old shop"', "each row of email, role, until, note"]))
    .option("--file <csv>",
      "a file of customers instead: a first line email,role,until,note (the last two may be left out), checked " +
        "whole before anything is given; the same file again goes on where it stopped")
    .option("--yes", "with --file: don't ask");
  actOptions(command).action(
    context.action(async (email: string | undefined, role: string | undefined, flags: GrantFlags) => {
      if (flags.file !== undefined && email === undefined) {
        return (await import("../acting/file.ts")).carryOutList("give", flags.file, flags, context);
      }
      if (email === undefined || role === undefined || flags.file !== undefined) {
        throw new ConfigError("GRANT_WHAT", "name a buyer and a role, or a file of customers with --file");
      }
      return (await import("../acting/grant.ts")).grant(buyerEmail(email), role, flags, context);
    }),
  );
}

import type { Command } from "commander";

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
    .argument("<email>", "the buyer; need not be known yet")
    .argument("<role>", "a role of src/products.ts, or any at Auth0")
    .option("--until <day>", "the last day (2026-12-31, in UTC), or a moment (2026-12-31T18:00:00Z)")
    .addHelpText("after", examples(['grant ann@example.com club --why "won our raffle"', "for good"], [
      "grant ann@example.com club --until 2026-12-31 --why trial",
      "until the end of that day",
    ]));
  actOptions(command).action(
    context.action(async (email: string, role: string, flags: GrantFlags) =>
      (await import("../acting/grant.ts")).grant(buyerEmail(email), role, flags, context)
    ),
  );
}

import type { Command } from "commander";

import { type ActFlags, actOptions, examples } from "./options.ts";
import { buyerEmail } from "./buyer-email.ts";
import type { Context } from "../context.ts";

/** Defines `invite`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Has Auth0 mail a buyer the invitation once more, as the stage's setting says how. For somebody who lost the " +
        "first one: nobody else gets a second.",
    )
    .argument("<email>", "the buyer")
    .addHelpText("after", examples(['invite ann@example.com --why "she asked for it"', "once more"]));
  actOptions(command).action(
    context.action(async (email: string, flags: ActFlags) =>
      (await import("../acting/invite.ts")).invite(buyerEmail(email), flags, context)
    ),
  );
}

import type { Command } from "commander";

import type { Context } from "../context.ts";
import { buyerEmail } from "./buyer-email.ts";
import { type ActFlags, actOptions, examples } from "./options.ts";

/** Defines `invite`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Has Auth0 mail a buyer what gets them in once more: the invitation, as the stage's setting says how, or to " +
        "somebody who never verified their address the mail for that. For somebody who lost the first one: nobody " +
        "else gets a second.",
    )
    .argument("<email>", "the buyer")
    .addHelpText("after", examples(['invite ann@example.com --why "she asked for it"', "once more"]));
  actOptions(command).action(
    context.action(async (email: string, flags: ActFlags) =>
      (await import("../acting/invite.ts")).invite(buyerEmail(email), flags, context)
    ),
  );
}

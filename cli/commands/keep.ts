import type { Command } from "commander";

import type { Context } from "../context.ts";
import { examples } from "./options.ts";
import { holdCommand } from "./hold.ts";

/** Defines `keep`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Removals are held when too many buyers lose a product within an hour. This says that they are wrong: the " +
        "buyers keep what they have, whatever Gumroad says, until revoke --source ID --undo. First mend what " +
        "caused it: where the policy gives the roles no more, nothing can be kept, and it stays held.",
    )
    .addHelpText("after",
      examples(['keep "Pro Club" --why "the product was deleted by mistake"', "all that is held of a product"], [
        'keep "Pro Club" ann@example.com --why "the product was deleted by mistake"',
        "one buyer",
      ]));
  holdCommand(command, "keep", context);
}

import type { Command } from "commander";

import type { Context } from "../context.ts";
import { examples } from "./options.ts";
import { holdCommand } from "./hold.ts";

/** Defines `release`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Removals are held when too many buyers lose a product within an hour. This says that they are right: the " +
        "roles go. status shows what is held.",
    )
    .addHelpText("after", examples(['release "Pro Club" --why "we ended the club"', "all that is held of a product"], [
      'release "Pro Club" ann@example.com --why "we ended the club"',
      "one buyer",
    ]));
  holdCommand(command, "release", context);
}

import type { Command } from "commander";

import type { DiscardFlags } from "../acting/discard.ts";
import type { Context } from "../context.ts";
import { DRY_RUN, examples } from "./options.ts";

/** Defines `discard`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Deletes one letter of the dead-letter queue: what can never be used would else keep its alarm on. Replay " +
        "what can be used instead. Whose it is keeps a line of it in their history.",
    )
    .argument("<letter>", "its id, as replay --dead-letters --dry-run lists it")
    .option("--why <text>", "why: asked for at a terminal")
    .option("--by <name>", "who does this; your name on this machine, if left out")
    .option("--yes", "don't ask")
    .option("--dry-run", DRY_RUN)
    .addHelpText("after", examples(["replay --dead-letters --dry-run --stage prod", "lists what is there"], [
      'discard 3f2a9c01 --why "a stranger\'s test" --stage prod',
      "deletes one of them",
    ]))
    .action(
      context.action(async (letter: string, flags: DiscardFlags) =>
        (await import("../acting/discard.ts")).discard(letter, flags, context)
      ),
    );
}

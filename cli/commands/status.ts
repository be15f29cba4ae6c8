import type { Command } from "commander";

import type { Context } from "../context.ts";
import { examples } from "./options.ts";
import type { StatusFlags } from "../status/status.ts";

/** Defines `status`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Shows what was received and applied, what waits and for what, dead letters, held removals, the queue and " +
        "the last sweeps. Received and applied are counted in the ledger itself, by reading all of it: received " +
        "are the lines of history (a ping that told nothing new leaves none), applied the buyers whose roles at " +
        "Auth0 are settled; who only has pings that Gumroad couldn't confirm yet waits. Exit code 1 if something " +
        "needs a person, or Gumroad's word has been waited for over half an hour: it is listed with the command " +
        "that mends it.",
    )
    .option("--quick", "don't count the ledger: no received, applied, waiting by cause and held")
    .addHelpText("after",
      examples(["status", "the running npm start"], ["status --stage prod --quick",
        "without reading the whole table"]));
  command.action(
    context.action(async (flags: StatusFlags) => (await import("../status/status.ts")).status(flags, context)),
  );
}

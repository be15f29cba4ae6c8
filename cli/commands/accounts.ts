import { Argument, type Command } from "commander";

import type { Context } from "../context.ts";
import { examples } from "./options.ts";

/** Defines `accounts`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "For an account of the self-built login whose password is forgotten: prints a code that stands for the " +
        'current password once, where a new one is chosen (POST /password; "I have a code" on the page). It is ' +
        "good for a day, and another takes its place. Make sure to whom you give it.",
    )
    .addArgument(new Argument("<act>", "what to do").choices(["reset"]))
    .argument("<name>", "the account's name, as it is typed at login")
    .addHelpText("after", examples(["accounts reset ann --stage prod", "a code for ann"]));
  command.action(
    context.action(async (_act: "reset", name: string) => (await import("../acting/reset.ts")).reset(name, context)),
  );
}

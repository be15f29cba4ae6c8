import type { Command } from "commander";

import type { Context } from "../context.ts";
import { examples, waitOptions } from "./options.ts";
import type { SyncFlags } from "../acting/sync.ts";

/** Defines `sync`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Makes Auth0 match what the record of a buyer says, now: finds or makes the user, gives and takes roles that " +
        "are ours, invites somebody who never was, and shows what was there before and is there after. For a role " +
        "removed by hand, a user deleted at Auth0, or a cause that was mended.",
    )
    .argument("[email]", "the buyer; left out with --waiting and --drift")
    .option("--waiting",
      "all who wait for something, Gumroad's word too, whatever their time: once the cause is mended")
    .option("--drift", "all whose record and Auth0 differ: one call to Auth0 for each user to find them")
    .addHelpText("after",
      examples(["sync ann@example.com", "one buyer"], ["sync --waiting --stage prod", "after a role was created"], [
        "sync --drift --dry-run --stage prod",
        "who would be mended",
      ]));
  waitOptions(command).action(
    context.action(async (email: string | undefined, flags: SyncFlags) =>
      (await import("../acting/sync.ts")).sync(email, flags, context)
    ),
  );
}

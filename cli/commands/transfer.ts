import type { Command } from "commander";

import type { Context } from "../context.ts";
import { buyerEmail } from "./buyer-email.ts";
import { actOptions, examples } from "./options.ts";
import type { TransferFlags } from "../acting/transfer.ts";

/** Defines `transfer`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Moves a purchase to another buyer: a typing mistake, a gift, another login. What was bought with it (what " +
        "is in a bundle, both sides of a gift) moves too. Later pings about it go to the new buyer, whatever email " +
        "they name. Moving it back is the same command. With --all, everything of an old address.",
    )
    .argument("<source>",
      "the purchase, as explain shows it: sale:ID, subscription:ID, or Gumroad's id alone; with --all the old email")
    .argument("<to>", "the email that gets it; need not be known yet")
    .option("--all", "everything of an old email: purchases, and roles given for nothing")
    .option("--only", "just this one, not what was bought with it")
    .option("--yes", "don't ask")
    .addHelpText("after",
      examples(['transfer sale:fH9XoNJ-gQtcIacRpiKnyg== ann@example.com --why "typed anne"', "one purchase"], [
        "transfer fH9XoNJ-gQtcIacRpiKnyg== ann@example.com --why gift --stage prod",
        "by Gumroad's id",
      ], ['transfer --all old@example.com new@example.com --why "a new address"', "everything"]));
  actOptions(command).action(
    context.action(async (source: string, to: string, flags: TransferFlags) =>
      (await import("../acting/transfer.ts")).transfer(source, buyerEmail(to), flags, context)
    ),
  );
}

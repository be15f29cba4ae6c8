import type { Command } from "commander";

import type { MessageOf } from "../../src/queue/message.ts";
import type { Context } from "../context.ts";
import { buyerEmail } from "./buyer-email.ts";
import { actOptions } from "./options.ts";
import type { HoldFlags } from "../acting/holding.ts";

/** Adds the arguments, flags and the action that `release` and `keep` share. */
export function holdCommand(command: Command, decision: MessageOf<"held">["decision"], context: Context): Command {
  command
    .argument("<product>",
      "a product of src/products.ts by its name or id; or the id of one that was dropped from there")
    .argument("[email]", "just this buyer")
    .option("--yes", "don't ask");
  return actOptions(command).action(
    context.action(async (product: string, email: string | undefined, flags: HoldFlags) =>
      (await import("../acting/holding.ts")).decide(decision, product, email === undefined ? null : buyerEmail(email),
        flags, context)
    ),
  );
}

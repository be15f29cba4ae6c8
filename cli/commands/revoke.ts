import type { Command } from "commander";

import { ConfigError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import { buyerEmail } from "./buyer-email.ts";
import { actOptions, examples } from "./options.ts";
import type { RevokeFlags } from "../acting/revoke.ts";

/** Defines `revoke`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Takes back what grant gave; roles that purchases give stay, and it says which. With --source it takes what " +
        "that one purchase gives, whatever Gumroad says of it, until --undo lets Gumroad's facts decide again.",
    )
    .argument("[email]", "the buyer")
    .argument("[role]", "the role that grant gave; left out with --source")
    .option("--source <id>", "a purchase instead: sale:ID or subscription:ID, as explain shows it")
    .option("--file <csv>", "what grant gave by this file of customers, but for what somebody decided otherwise since")
    .option("--yes", "with --file: don't ask")
    .option("--changes", "with --source: only what changes of plan give that no charge has confirmed, told until now")
    .option("--undo", "with --source: facts decide about it again")
    .addHelpText("after", examples(['revoke ann@example.com club --why "the trial is over"', "takes back a grant"], [
      "revoke ann@example.com --source sale:fH9XoNJ-gQtcIacRpiKnyg== --why fraud",
      "takes away one purchase",
    ]));
  actOptions(command).action(
    context.action(async (email: string | undefined, role: string | undefined, flags: RevokeFlags) => {
      if (flags.file !== undefined && email === undefined && flags.source === undefined) {
        return (await import("../acting/file.ts")).carryOutList("take", flags.file, flags, context);
      }
      if (email === undefined || flags.file !== undefined) {
        throw new ConfigError("REVOKE_WHAT", "name a buyer, or a file of customers with --file");
      }
      return (await import("../acting/revoke.ts")).revoke(buyerEmail(email), role, flags, context);
    }),
  );
}

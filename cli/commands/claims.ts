import { Argument, type Command } from "commander";

import type { ClaimDecision } from "../operations/claims.ts";
import type { Context } from "../context.ts";
import { actOptions, type ActFlags, examples } from "./options.ts";

/** Defines `claims`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Lists who showed the licence key of a purchase that may be somebody else's, and which accounts of the " +
        "self-built login have one by its key, oldest first, by reading all of the ledger; or decides about one. " +
        "Confirmed to an email, the purchase moves there, with what was bought with it; confirmed to an account of " +
        "the self-built login, that account has it, and no other. Refused to an account that has it, it is taken " +
        "away with the account's next token.",
    )
    .addArgument(new Argument("[decision]", "what to do about one").choices(["confirm", "refuse"]))
    .argument("[source]", "the purchase, as the list shows it: sale:ID, subscription:ID")
    .argument("[claimant]", "who, where several ask for it: email:ADDRESS or name:ACCOUNT")
    .addHelpText("after", examples(["claims --stage prod", "what waits for a decision"], [
      'claims confirm sale:fH9XoNJ-gQtcIacRpiKnyg== --why "her old address, she sent the receipt"',
      "the purchase moves",
    ], ['claims refuse sale:fH9XoNJ-gQtcIacRpiKnyg== --why "a shared key"', "nothing changes"]));
  actOptions(command).action(
    context.action(
      async (decision: ClaimDecision | undefined, source: string | undefined, claimant: string | undefined,
        flags: ActFlags) => {
        const { decideClaim, listClaims } = await import("../acting/claims.ts");
        return decision === undefined ? listClaims(context) : decideClaim(decision, source, claimant, flags, context);
      },
    ),
  );
}

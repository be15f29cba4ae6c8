import type { Command } from "commander";

import type { Context } from "../context.ts";
import { examples, operatorOptions } from "./options.ts";
import type { DoctorFlags } from "../doctor/examine.ts";

/** Defines `doctor`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Looks at secrets, Auth0, Gumroad, the ping URL, the dead-letter queue, the policy and all buyers' records, " +
        "compares some buyers with Auth0, and prints for each finding the command that mends it. Changes nothing: " +
        "the ping URL is asked with a test ping, which is only logged. Exit code 1 with findings.",
    )
    .option("--deep", "compare all buyers with Auth0, not just 50: a call for each")
    .option("--ignore <codes...>", "leave out findings of these codes, such as PRODUCT_NOT_IN_POLICY")
    .addHelpText("after",
      examples(["doctor", "looks at the running npm start"], ["doctor --stage prod", "looks at prod"], [
        "doctor --stage prod --json",
        "for a script: findings with their codes",
      ]));
  operatorOptions(command).action(
    context.action(async (flags: DoctorFlags) => (await import("../doctor/examine.ts")).doctor(flags, context)),
  );
}

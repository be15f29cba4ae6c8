import { type Command, Option } from "commander";

import type { Context } from "../context.ts";
import { examples, operatorOptions } from "./options.ts";
import type { WayName } from "../smoke/ways.ts";
import type { SmokeFlags } from "../smoke/smoke.ts";

const WAYS: readonly WayName[] = ["shop", "pings", "grant"];

/** Defines `smoke`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Tries the whole way: a buyer at example.com gets a role and loses it again; then they are erased. Locally " +
        "the emulated shop sells and refunds. On AWS a complimentary role is given and taken, for a made-up sale " +
        "can't be read back (doctor tests the ping URL); without a Gumroad token, made-up pings do. Exit code 1 " +
        "if a role doesn't come or go in time.",
    )
    .option("--role <name>", "the role to try; the first that the policy gives, if left out")
    .addOption(new Option("--way <way>", "shop, pings or grant; the best for the stage, if left out").choices(WAYS))
    .option("--within <seconds>", "how long the role may take to come, and to go", "60")
    .option("--dry-run", "say which way it would take, and change nothing")
    .addHelpText("after", examples(["smoke", "tries the running npm start"], ["smoke --stage prod", "tries prod"], [
      "smoke --stage prod --role handbook --within 20",
      "a role of your choice, 20 s at most",
    ]));
  operatorOptions(command).action(
    context.action(async (flags: SmokeFlags) => (await import("../smoke/smoke.ts")).smoke(flags, context)),
  );
}

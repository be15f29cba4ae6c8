import { Argument, type Command } from "commander";

import type { Context } from "../context.ts";
import { DRY_RUN, examples } from "./options.ts";
import type { AskableSweep } from "../reconcile/call.ts";
import type { ReconcileFlags } from "../reconcile/reconcile.ts";

const SWEEPS: readonly AskableSweep[] = ["recent", "daily", "weekly"];

/** Defines `reconcile`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Has the service look at once for what differs between Gumroad and its records, as it does by itself on " +
        "schedule: recent (every 15 minutes: the sales of the last two days), daily (subscriptions, gifts, and " +
        "records that the policy has changed for) or weekly (all sales). What differs is read back and put right.",
    )
    .addArgument(new Argument("[sweep]", "which sweep").choices(SWEEPS).default("recent"))
    .option("--go-on", "go on with the one that is under way, if one is, and don't begin anew")
    .option("--dry-run", DRY_RUN)
    .addHelpText("after",
      examples(["reconcile", "the sales of the last two days"], ["reconcile daily --stage prod",
        "after src/products.ts was changed and deployed"], ["reconcile weekly --dry-run",
        "what differs in all sales, left as it is"]))
    .action(
      context.action(async (sweep: AskableSweep, flags: ReconcileFlags) =>
        (await import("../reconcile/reconcile.ts")).reconcile(sweep, flags, context)
      ),
    );
}

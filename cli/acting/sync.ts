import { driftedBuyers, waitingBuyers, synced } from "../operations/sync.ts";
import { ConfigError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { momentOf } from "../terminal/moments.ts";
import { cameResult, toldDone, waitingOf } from "./telling.ts";
import { buyerEmail } from "../commands/buyer-email.ts";
import type { ActFlags } from "../commands/options.ts";

/** The flags of `sync`, as commander gives them. */
export interface SyncFlags extends Omit<ActFlags, "by" | "why"> {
  readonly waiting?: true;
  readonly drift?: true;
}

/** Makes Auth0 match for one buyer, for all who wait, or for all who differ. */
export async function sync(email: string | undefined, flags: SyncFlags, context: Context): Promise<ExitCode> {
  const named = [email !== undefined, flags.waiting === true, flags.drift === true].filter(Boolean).length;
  if (named !== 1) throw new ConfigError("SYNC_WHAT", "name a buyer, or say --waiting or --drift: one of them");
  const waiting = waitingOf(flags);
  const { output } = context;
  const buyers = email === undefined ? await found(flags, context) : [buyerEmail(email)];
  if (flags.dryRun === true || buyers.length === 0) {
    if (email !== undefined) output.say(`would have Auth0 looked at anew for ${buyers.join(", ")}`);
    output.result({ buyers, dryRun: flags.dryRun === true, came: [] });
    return EXIT.ok;
  }
  const came = await operate(context,
    (operating) => synced({ buyers, invite: email !== undefined }, waiting, operating));
  output.result({ buyers, dryRun: false, came: came.map(cameResult) });
  return toldDone(came, flags, context);
}

async function found({ waiting }: SyncFlags, context: Context): Promise<readonly string[]> {
  const { output } = context;
  if (waiting === true) {
    const waits = await operate(context, waitingBuyers);
    if (waits.length === 0) output.say("nobody waits for anything");
    else {
      output.table(["buyer", "waits for", "since"],
        waits.map(({ buyer, code, since }) => [buyer, code, momentOf(since)]));
    }
    return waits.map(({ buyer }) => buyer);
  }
  const drifted = await operate(context, driftedBuyers);
  if (drifted.size === 0) output.say("Auth0 matches every record");
  else {
    output.table(["buyer", "user at Auth0", "lacks"],
      [...drifted.values()].flat().map((
        { buyer, userId, isGone, missing },
      ) => [buyer, userId, isGone ? "the user is gone" : missing.join(", ")]));
  }
  return [...drifted.keys()];
}

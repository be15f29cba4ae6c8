import { decideHeld, plannedHold } from "../operations/hold.ts";
import type { MessageOf } from "../../src/queue/message.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { cameResult, confirmed, signatureOf, tellCame, tellOutcome, waitingOf } from "./telling.ts";
import type { ActFlags } from "../commands/options.ts";

/** The flags of `release` and `keep`, as commander gives them. */
export interface HoldFlags extends ActFlags {
  readonly yes?: true;
}

/** So many are shown with what they had before. */
const FEW = 10;

/** Lets held removals go, or not. */
export async function decide(decision: MessageOf<"held">["decision"], named: string, only: string | null,
  flags: HoldFlags, context: Context): Promise<ExitCode> {
  const { output } = context;
  const waitFor = waitingOf(flags);
  const plan = await operate(context, (operating) => plannedHold({ decision, named, only }, operating));
  const { product, buyers } = plan;
  const back = [...new Set(plan.back.changes.map(({ buyer }) => buyer))];
  const dryRun = flags.dryRun === true;
  const about = { product: product.id, decision, buyers, ...(back.length === 0 ? {} : { back }), dryRun };
  if (buyers.length === 0) {
    output.say(`nothing is held of ${product.name}${only === null ? "" : ` for ${only}`}`);
    output.result({ ...about, waiting: [] });
    return EXIT.ok;
  }
  const does = decision === "release" ? "lets the held removals go" : "lets the buyers keep what they have";
  output.say(
    `${dryRun ? "would decide" : "decides"} about ${product.name} of ${String(buyers.length)} ${
      buyers.length === 1 ? "buyer" : "buyers"
    }: ${does}`,
  );
  if (back.length > 0) output.say(`and brings back ${String(back.length)} who lost it in the hour before it was held`);
  if (dryRun) {
    for (const buyer of [...buyers, ...back]) output.say(`  ${buyer}`);
    output.result({ ...about, waiting: buyers });
    return EXIT.ok;
  }
  await confirmed("Go on", false, flags, { code: "HOLD_STOPPED", unasked: "nobody can be asked here: say --yes",
    refused: "nothing was decided" }, context);
  const signature = await signatureOf(flags, context);
  const came = await operate(context, (operating) => decideHeld(plan, signature, waitFor, operating));
  const waiting = came.filter(({ outcome: { state } }) => state !== "applied" && state !== "queued")
    .map(({ buyer }) => buyer);
  // Of many, only those are told who need a look.
  if (came.length <= FEW) tellCame(came, flags, context);
  else for (const each of came) tellOutcome(each, flags, context);
  output.result({ ...about, ...signature, waiting, came: came.map(cameResult) });
  if (waitFor.withinMs !== null) {
    output.say(`${output.tone("good", "done")} for ${String(came.length - waiting.length)} of ${String(came.length)}`);
  }
  return waiting.length === 0 ? EXIT.ok : EXIT.failed;
}

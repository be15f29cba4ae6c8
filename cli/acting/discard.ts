import type { ActFlags } from "../commands/options.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { discarded } from "../operations/discard.ts";
import { isoOf, momentOf } from "../terminal/moments.ts";
import { confirmed, signatureOf } from "./telling.ts";

/** The flags of `discard`, as commander gives them. */
export interface DiscardFlags extends Pick<ActFlags, "by" | "why" | "dryRun"> {
  readonly yes?: true;
}

/** Deletes a dead letter that can never be used. */
export async function discard(id: string, flags: DiscardFlags, context: Context): Promise<ExitCode> {
  const { output } = context;
  const found = await operate(context, (operating) => discarded(id, null, operating));
  const about = { ...found, since: isoOf(found.since), dryRun: flags.dryRun === true };
  output.say(
    `${found.what}${found.buyer === null ? "" : ` of ${found.buyer}`}, there since ${
      momentOf(found.since)
    } UTC: ${found.reason} (${found.code})`,
  );
  if (flags.dryRun === true) {
    output.result(about);
    return EXIT.ok;
  }
  await confirmed("Delete it? This can't be undone", false, flags, { code: "DISCARD_UNCONFIRMED",
    unasked: "this can't be undone: say --yes", refused: "nothing was deleted" }, context);
  const signature = await signatureOf(flags, context);
  await operate(context, (operating) => discarded(id, signature, operating));
  output.result({ ...about, ...signature });
  output.say(output.tone("good", "done: it is deleted"));
  return EXIT.ok;
}

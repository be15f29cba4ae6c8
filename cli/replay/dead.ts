import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { type DealtLetter, lettersReplayed } from "../operations/replay-letters.ts";
import type { Stage } from "../stage/stage.ts";
import { momentOf } from "../terminal/moments.ts";
import { shortId, whatIn } from "./letters.ts";

/** Takes the dead-letter queue back, and says what became of each letter. Throws as `lettersReplayed`. */
export async function replayDeadLetters(codes: readonly string[], dryRun: boolean,
  context: Context): Promise<ExitCode> {
  const dealt = await operate(context, (operating) => lettersReplayed(codes, dryRun, operating));
  report(dealt, dryRun, context, await context.stage());
  return dealt.every(({ outcome }) => outcome === "replayed" || outcome === "would be replayed")
    ? EXIT.ok
    : EXIT.failed;
}

function report(dealt: readonly DealtLetter[], dryRun: boolean, { output, commandLine }: Context, stage: Stage): void {
  const letters = dealt.map(({ letter, outcome, reason }) => ({ letter: shortId(letter), code: letter.code,
    since: new Date(letter.sentAt).toISOString(), ...whatIn(letter), outcome, reason })
  );
  output.result({ stage: stage.name, dryRun, letters });
  if (letters.length === 0) {
    output.say("the dead-letter queue is empty");
    return;
  }
  output.table(["letter", "code", "since", "what", "buyer", "outcome", "reason"],
    letters.map((
      { letter, code, since, what, buyer, outcome, reason },
    ) => [letter, code, momentOf(Date.parse(since)), what, buyer ?? "-", outcome, reason]));
  if (letters.some(({ outcome }) => outcome === "left" || outcome === "refused again")) {
    output.say(`What can never be used: ${commandLine("discard LETTER --why …")}`);
  }
  if (dryRun) output.say(`Mend the causes, then: ${commandLine("replay --dead-letters")}`);
}

import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { type DealtLetter, lettersReplayed } from "../operations/replay-letters.ts";
import { isoOf, momentOf } from "../terminal/moments.ts";

/** Takes the dead-letter queue back, and says what became of each letter. Throws as `lettersReplayed`. */
export async function replayDeadLetters(codes: readonly string[], dryRun: boolean,
  context: Context): Promise<ExitCode> {
  const dealt = await operate(context, (operating) => lettersReplayed(codes, dryRun, operating));
  report(dealt, dryRun, context);
  return dealt.every(({ outcome }) => outcome === "replayed" || outcome === "would be replayed")
    ? EXIT.ok
    : EXIT.failed;
}

function report(letters: readonly DealtLetter[], dryRun: boolean, { output, commandLine, stageName }: Context): void {
  output.result({ stage: stageName(), dryRun,
    letters: letters.map((each) => ({ ...each, since: isoOf(each.since) })) });
  if (letters.length === 0) {
    output.say("the dead-letter queue is empty");
    return;
  }
  output.table(["letter", "code", "since", "what", "buyer", "outcome", "reason"],
    letters.map((
      { letter, code, since, what, buyer, outcome, reason },
    ) => [letter, code, momentOf(since), what, buyer ?? "-", outcome, reason]));
  if (letters.some(({ outcome }) => outcome === "left" || outcome === "refused again")) {
    output.say(`What can never be used: ${commandLine("discard LETTER --why …")}`);
  }
  if (dryRun) output.say(`Mend the causes, then: ${commandLine("replay --dead-letters")}`);
}

import { ConfigError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { eventsBetween, replayed } from "../operations/replay-range.ts";
import { momentGiven, momentOf } from "../terminal/moments.ts";
import { counted } from "../terminal/progress.ts";

/**
 * Has everything read back, and all roles worked out anew, that the events of a time were about. Without a Gumroad
 * token only the roles: there is nothing to read.
 * @throws {ConfigError} REPLAY_RANGE; {TemporaryError} REPLAY_STALLED
 */
export async function replayRange(since: string, until: string | undefined, dryRun: boolean,
  context: Context): Promise<ExitCode> {
  const { output, now, stageName } = context;
  // From here on it is the stage's time.
  await context.stage();
  const from = momentGiven("--since", since, "REPLAY_RANGE");
  const to = until === undefined ? now() : momentGiven("--until", until, "REPLAY_RANGE");
  if (from >= to) {
    throw new ConfigError("REPLAY_RANGE",
      `--since ${since} is not before ${until === undefined ? "now" : `--until ${until}`}`);
  }
  const { events, touched, buyers, readBack, messages } = await operate(context,
    (operating) => eventsBetween(from, to, operating));
  output.say(
    `${momentOf(from)} to ${momentOf(to)}: ${counted(events, "event")}, about ${
      counted(touched.length, "purchase")
    } of ${counted(buyers, "buyer")}`,
  );
  if (!readBack) {
    output.say(
      `${output.tone("warning", "without a Gumroad token")} nothing can be read back: only roles are worked out anew`,
    );
  }
  if (!dryRun) await operate(context, (operating) => replayed(messages, operating));
  output.say(
    dryRun
      ? `would send ${counted(messages.length, "message")} to provision`
      : `${output.tone("good", "sent")}: ${counted(messages.length, "message")} to provision`,
  );
  output.result({ stage: stageName(), dryRun, since: new Date(from).toISOString(), until: new Date(to).toISOString(),
    events, purchases: touched.length, buyers, readBack, sent: dryRun ? 0 : messages.length });
  return EXIT.ok;
}

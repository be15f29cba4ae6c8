import { ConfigError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { eventsBetween, replayed } from "../operations/replay-range.ts";
import { momentOf, momentTyped } from "../terminal/moments.ts";
import { grouped } from "../terminal/progress.ts";

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
  const from = momentIn("--since", since);
  const to = until === undefined ? now() : momentIn("--until", until);
  if (from >= to) {
    throw new ConfigError("REPLAY_RANGE",
      `--since ${since} is not before ${until === undefined ? "now" : `--until ${until}`}`);
  }
  const { events, touched, buyers, readBack, messages } = await operate(context,
    (operating) => eventsBetween(from, to, operating));
  output.say(
    `${momentOf(from)} to ${momentOf(to)}: ${grouped(events)} events, about ${grouped(touched.length)} purchases of ${
      grouped(buyers)
    } buyers`,
  );
  if (!readBack) {
    output.say(
      `${output.tone("warning", "without a Gumroad token")} nothing can be read back: only roles are worked out anew`,
    );
  }
  if (!dryRun) await operate(context, (operating) => replayed(messages, operating));
  output.say(
    dryRun
      ? `would send ${grouped(messages.length)} messages to provision`
      : `${output.tone("good", "sent")}: ${grouped(messages.length)} messages to provision`,
  );
  output.result({ stage: stageName(), dryRun, since: new Date(from).toISOString(), until: new Date(to).toISOString(),
    events, purchases: touched.length, buyers, readBack, sent: dryRun ? 0 : messages.length });
  return EXIT.ok;
}

/** A day (its beginning, UTC) or a moment with its time zone. */
function momentIn(flag: string, typed: string): number {
  const at = momentTyped(typed);
  if (at !== null) return at;
  throw new ConfigError("REPLAY_RANGE",
    `${flag} ${typed} is no day (2026-01-31, its beginning in UTC) and no moment (2026-01-31T18:00:00Z)`);
}

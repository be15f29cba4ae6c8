import type { Command } from "commander";

import { ConfigError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../failures.ts";
import { DRY_RUN, examples } from "../help.ts";
import { replayDeadLetters } from "../replay/dead.ts";
import { type FileFlags, replayBodies } from "../replay/files.ts";
import { replayRange } from "../replay/range.ts";

interface Flags extends FileFlags {
  readonly deadLetters?: true;
  readonly code?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly dryRun?: true;
}

/** Adds `replay`. */
export function register(program: Command, context: Context): void {
  program
    .command("replay")
    .summary("posts pings again: files, the dead-letter queue, a time")
    .description(
      "Plays again what has been, which is harmless however often. One of three: files with wire bodies, posted as " +
        "Gumroad does, with each answer and each buyer's roles; --dead-letters, what nothing could take, once its " +
        "cause is mended; or --since, all purchases that events of a time were about, read back from Gumroad and " +
        "worked out anew.",
    )
    .argument("[paths...]", "files with a body each, or folders of .txt files")
    .option("--to <url>", "files: the ping URL, or the API's address; the stage's if left out")
    .option("--token <token>", "files: the token where --to has no path")
    .option("--repeat <count>", "files: post each body this often", "1")
    .option("--at-once", "files: post all bodies at the same time, not one after the other")
    .option("--dead-letters",
      "take the dead-letter queue back: messages go into the queue again, refused pings to the ping URL")
    .option("--code <code>", "dead letters: only those of this code; can be given more than once",
      (code: string, codes: readonly string[] = []) => [...codes, code])
    .option("--since <moment>", "events that came in from this day (UTC) or moment on")
    .option("--until <moment>", "and before this one; now if left out")
    .option("--dry-run", `${DRY_RUN}; not for files`)
    .addHelpText(
      "after",
      examples(
        ["replay fixtures/pings/sale.txt", "posts a body to the running npm start"],
        ["replay fixtures/pings --repeat 5 --at-once", "all of them, five times, at once"],
        ["replay --dead-letters --dry-run --stage prod", "lists what is in the dead-letter queue, and why"],
        ["replay --dead-letters --code RECORD_FULL --stage prod", "takes back what had one cause"],
        ["replay --since 2026-11-20 --until 2026-11-21T06:00:00Z", "once more what a bad night was about"],
      ) +
        "\n\nFor files, Auth0 is the one of AUTH0_DOMAIN, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET (from the " +
        "environment or .env), or else the stage's.",
    )
    .action(context.action((paths: readonly string[], flags: Flags) => replay(paths, flags, context)));
}

async function replay(paths: readonly string[], flags: Flags, context: Context): Promise<ExitCode> {
  const ranged = flags.since !== undefined || flags.until !== undefined;
  if ([paths.length > 0, flags.deadLetters === true, ranged].filter(Boolean).length !== 1) {
    throw new ConfigError("REPLAY_WHAT",
      "say what to replay, and only one of them: files, --dead-letters, or --since");
  }
  const { code: codes = [] } = flags;
  if (codes.length > 0 && flags.deadLetters !== true) {
    throw new ConfigError("REPLAY_WHAT", "--code chooses among --dead-letters");
  }
  const dryRun = flags.dryRun === true;
  if (flags.deadLetters === true) return replayDeadLetters(codes, dryRun, context);
  if (ranged) {
    if (flags.since === undefined) throw new ConfigError("REPLAY_WHAT", "--until needs --since");
    return replayRange(flags.since, flags.until, dryRun, context);
  }
  if (dryRun) throw new ConfigError("REPLAY_WHAT", "files have no --dry-run: posting them is the trial");
  return replayBodies(paths, flags, context);
}

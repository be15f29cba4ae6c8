import type { Command } from "commander";

import type { Context } from "../context.ts";
import { DRY_RUN, examples } from "./options.ts";
import type { ReplayFlags } from "../replay/replay.ts";

/** Defines `replay`. */
export function register(command: Command, context: Context): void {
  command
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
    .addHelpText("after", examples(["replay fixtures/pings/sale.txt", "posts a body to the running npm start"], [
      "replay fixtures/pings --repeat 5 --at-once",
      "all of them, five times, at once",
    ], ["replay --dead-letters --dry-run --stage prod", "lists what is in the dead-letter queue, and why"], [
      "replay --dead-letters --code RECORD_FULL --stage prod",
      "takes back what had one cause",
    ], ["replay --since 2026-11-20 --until 2026-11-21T06:00:00Z", "once more what a bad night was about"]) +
      "\n\nFor files, Auth0 is the one of AUTH0_DOMAIN, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET (from the " +
      "environment or .env), or else the stage's.")
    .action(
      context.action(async (paths: readonly string[], flags: ReplayFlags) =>
        (await import("../replay/replay.ts")).replay(paths, flags, context)
      ),
    );
}

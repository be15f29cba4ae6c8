import { ConfigError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../failures.ts";
import { replayDeadLetters } from "./dead.ts";
import { type FileFlags, replayBodies } from "./files.ts";
import { replayRange } from "./range.ts";

/** The flags of `replay`, as commander gives them. */
export interface ReplayFlags extends FileFlags {
  readonly deadLetters?: true;
  readonly code?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly dryRun?: true;
}

/** Plays again what was named: files, dead letters or a time. */
export async function replay(paths: readonly string[], flags: ReplayFlags, context: Context): Promise<ExitCode> {
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

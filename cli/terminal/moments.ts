import { ConfigError } from "../../src/errors.ts";

const DAY_MS = 24 * 60 * 60_000;

/** A moment (epoch ms) as people read it, in UTC: `2026-01-05 19:38:56`. */
export function momentOf(at: number): string {
  return new Date(at).toISOString().slice(0, "2026-01-05T19:38:56".length).replace("T", " ");
}

/** A moment (epoch ms) for scripts, or null. */
export function isoOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

const DAY = /^\d{4}-\d\d-\d\d$/;

/** What somebody typed (epoch ms): a day's beginning (UTC), or a moment with its time zone; null if it is neither. */
function momentTyped(typed: string): number | null {
  const isMoment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.test(typed);
  const at = isMoment || DAY.test(typed) ? Date.parse(typed) : Number.NaN;
  // Date.parse takes 2026-02-30 for the second of March.
  return Number.isNaN(at) || (!isMoment && new Date(at).toISOString().slice(0, typed.length) !== typed) ? null : at;
}

/**
 * The same of a flag.
 * @throws {ConfigError} with this code
 */
export function momentGiven(flag: string, typed: string, code: string): number {
  const at = momentTyped(typed);
  if (at !== null) return at;
  throw new ConfigError(code,
    `${flag} ${typed} is no day (2026-01-31, its beginning in UTC) and no moment (2026-01-31T18:00:00Z)`);
}

/**
 * The end (epoch ms) that somebody typed: a day, which then counts as a whole (UTC), or a moment with its time zone.
 * @throws {ConfigError} UNTIL_INVALID, also for the past
 */
export function untilOf(typed: string, now: number): number {
  const at = momentTyped(typed);
  if (at === null) {
    throw new ConfigError("UNTIL_INVALID",
      `--until "${typed}" is no day (2026-12-31, the last one in UTC) and no moment (2026-12-31T18:00:00Z)`);
  }
  const until = DAY.test(typed) ? at + DAY_MS : at;
  if (until <= now) throw new ConfigError("UNTIL_INVALID", `--until ${typed} is over already`);
  return until;
}

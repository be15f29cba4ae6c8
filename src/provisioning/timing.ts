/** When to come back: all the waits of the pipeline in one place. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** A record with marks is looked at again after this if nobody settles it: longer than any invocation lives. */
export const UNSETTLED_MS = 5 * MINUTE_MS;

/** Ten receives span about half an hour. */
const RETRY_SECONDS = [2, 5, 15, 30, 60, 120, 240, 480, 900] as const;

/** How long (seconds) a message that failed stays away. After the tenth receive it is a dead letter at once. */
export function retrySeconds(receives: number): number {
  return RETRY_SECONDS[Math.max(1, receives) - 1] ?? 0;
}

/**
 * How long (ms) a record that couldn't be settled rests: a minute, doubling to a quarter of an hour; to six hours
 * where Auth0 refuses this very buyer (AUTH0_REFUSED), which is seldom mended within minutes.
 */
export function dueAfterFailure(code: string, attempts: number): number {
  return Math.min(MINUTE_MS * 2 ** (attempts - 1), code === "AUTH0_REFUSED" ? 6 * HOUR_MS : 15 * MINUTE_MS);
}

/** How long (ms) reading back may take in one turn: what was read must still be applied; the rest comes again. */
export const READING_MS = 20_000;

/** How long (ms) a change that wasn't answered in time may be carried out yet. */
export const LATE_MS = MINUTE_MS;

/** From this receive on, a failure is left to the record: some half a minute after the first. */
export const LEFT_TO_RECORD = 5;

/** How long (ms) waits beside the record what couldn't be read back. */
export const UNREAD_MS = 5 * MINUTE_MS;

/** How long (ms) rests what waits and only a later version can read: until that is back. */
export const UNREADABLE_MS = HOUR_MS;

/** When (ms) an answer that contradicts its ping is asked for once more. */
export const READ_AGAIN_MS = MINUTE_MS;

/** When (ms) what Gumroad's API doesn't know is asked for again, by how often it wasn't known; null: no more. */
export function readAgainAfterMiss(misses: number): number | null {
  return [3 * MINUTE_MS, 10 * MINUTE_MS][misses] ?? null;
}

/** How long (ms) an invitation waits that Auth0 surely didn't send, because it sends too many. */
export const INVITE_AGAIN_MS = 2 * MINUTE_MS;

/** A record that can't be settled for longer (ms) has an alarm. Gumroad's tries of one ping are over by then, too. */
export const UNSETTLED_LONG_MS = 15 * MINUTE_MS;

/** How often (ms) a record is looked at whose bought option the policy lacks. */
export const UNLISTED_MS = 6 * HOUR_MS;

/** How long (ms) a record rests whose buyer must verify an email first: a minute, doubling to six hours. */
export function dueWhileUnverified(attempts: number): number {
  return Math.min(MINUTE_MS * 2 ** (attempts - 1), 6 * HOUR_MS);
}

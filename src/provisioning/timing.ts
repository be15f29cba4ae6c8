const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A record with marks is looked at again after this if nobody settles it: longer than any invocation lives. */
export const UNSETTLED_MS = 5 * MINUTE_MS;
/** A record that can't be settled for longer (ms) has an alarm. Gumroad's tries of one ping are over by then, too. */
export const UNSETTLED_LONG_MS = 15 * MINUTE_MS;
/** From this receive on, a failure is left to the record: some half a minute after the first. */
export const LEFT_TO_RECORD = 5;
/** How long (ms) reading back may take in one turn: what was read must still be applied; the rest comes again. */
export const READING_MS = 20_000;
/** How long (ms) a change that wasn't answered in time may be carried out yet. */
export const LATE_MS = MINUTE_MS;
/** How long (ms) waits beside the record what couldn't be read back. */
export const UNREAD_MS = 5 * MINUTE_MS;
/** How long (ms) rests what waits and only a later version can read: until that is back. */
export const UNREADABLE_MS = HOUR_MS;
/** When (ms) an answer that contradicts its ping is asked for once more. */
export const READ_AGAIN_MS = MINUTE_MS;
/** How long (ms) an invitation waits that Auth0 surely didn't send, because it sends too many. */
export const INVITE_AGAIN_MS = 2 * MINUTE_MS;
/** How often (ms) a record is looked at whose bought option the policy lacks. */
export const UNLISTED_MS = 6 * HOUR_MS;

/** Ten receives span about half an hour. */
const RETRY_SECONDS = [2, 5, 15, 30, 60, 120, 240, 480, 900] as const;
/** Seldom mended within minutes: Auth0 refuses this very buyer, or the email isn't verified. */
const SLOW: readonly string[] = ["AUTH0_REFUSED", "EMAIL_UNVERIFIED"];

/** How long (seconds) a message that failed stays away. After the tenth receive it is a dead letter at once. */
export function retrySeconds(receives: number): number {
  return RETRY_SECONDS[Math.max(1, receives) - 1] ?? 0;
}

/** How long (ms) an unsettled record rests: a minute, doubling to a quarter of an hour, or to six hours. */
export function dueAfter(code: string, attempts: number): number {
  return Math.min(MINUTE_MS * 2 ** (attempts - 1), SLOW.includes(code) ? 6 * HOUR_MS : 15 * MINUTE_MS);
}

/** When (ms) what Gumroad's API doesn't know is asked for again, by how often it wasn't known; null: no more. */
export function readAgainAfterMiss(misses: number): number | null {
  return [3 * MINUTE_MS, 10 * MINUTE_MS][misses] ?? null;
}

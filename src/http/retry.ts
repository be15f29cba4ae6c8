import { setTimeout as sleep } from "node:timers/promises";

import { TemporaryError } from "../errors.ts";

/** A `fetch`, as SDKs take it. */
export type Fetch = typeof fetch;

/** What making a call twice does: nothing, the same change once more, or harm. */
export type CallKind = "read" | "change" | "once";

/** What trying again needs. `now` gives epoch milliseconds. */
export interface Retrying {
  readonly fetch?: Fetch;
  /** Begins the codes of its errors: `AUTH0`. */
  readonly service: string;
  readonly kindOf: (method: string, path: string) => CallKind;
  readonly now?: () => number;
  readonly random?: () => number;
  readonly wait?: typeof waitFor;
}

const ATTEMPTS = 5;
/** The first pause is up to this long (ms), each following one twice as long as the one before. */
const PAUSE_MS = 150;
/** Failures in a row, of whatever calls, after which nobody is asked but now and then. */
const MOST_FAILURES = 5;
const PROBE_MS = 5_000;
const AWAY = "Not asked: its last five answers were failures.";
const TIMED_OUT = "A change was not answered in time: it may be carried out yet.";

/**
 * A `fetch` that tries again what passes by itself: no connection, no answer in time, a 5xx. The pauses grow and are
 * random, so that workers don't come back all at once; the caller's signal ends them. While everything fails, calls
 * fail at once, but for one every five seconds.
 * A change that wasn't answered in time is made again, and told of even so: the first may be carried out later, when
 * something else is wanted by then.
 * @throws {TemporaryError} `…_AWAY`: not asked; `…_TIMED_OUT`: a change that may yet be carried out once more
 */
export function retryingFetch(
  { fetch: send = fetch, service, kindOf, now = Date.now, random = Math.random, wait = waitFor }: Retrying,
): Fetch {
  let failures = 0;
  let probeAt = 0;

  return async (input, init) => {
    const kind = kindOf(init?.method ?? "GET", new URL(input instanceof Request ? input.url : input).pathname);
    let isLate = false;
    for (let nth = 1;; nth += 1) {
      if (failures >= MOST_FAILURES) {
        if (now() < probeAt) throw new TemporaryError(`${service}_AWAY`, AWAY);
        probeAt = now() + PROBE_MS;
      }
      const isLast = nth === ATTEMPTS || kind === "once";
      const response = await send(input, init).catch((error: unknown) => {
        // The caller's own end tells nothing of who was asked.
        if (init?.signal?.aborted === true) throw error;
        failures += 1;
        isLate ||= kind === "change" && error instanceof Error && error.name === "TimeoutError";
        if (isLast && !isLate) throw error;
        return null;
      });
      if (response !== null) failures = response.status >= 500 ? failures + 1 : 0;
      // What stands before the service gave up waiting for it, which may go on.
      isLate ||= kind === "change" && [504, 524].includes(response?.status ?? 0);
      const isOver = isLast || (response !== null && response.status < 500);
      if (isOver && isLate) throw new TemporaryError(`${service}_TIMED_OUT`, TIMED_OUT);
      if (isOver && response !== null) return response;
      await response?.body?.cancel();
      await wait(PAUSE_MS * 2 ** (nth - 1) * (0.5 + random() / 2), init?.signal ?? undefined);
    }
  };
}

/** Waits so long (ms); rejects when the signal aborts. */
export function waitFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return sleep(ms, undefined, { signal });
}

import { waitFor, type Fetch } from "../http/retry.ts";

/** What pacing needs. `now` gives epoch milliseconds. */
export interface Pacing {
  readonly fetch?: Fetch;
  readonly now?: () => number;
  readonly wait?: typeof waitFor;
  readonly onThrottled?: () => void;
}

/** A limit of Auth0's, as this process sees it. */
interface Lane {
  readonly limit: number;
  /** Calls left, by what Auth0 last said, less what was sent since. */
  remaining: number;
  /** Calls a second that the limit seems to allow. */
  rate: number;
  /** When the next call may go (epoch ms). */
  nextAt: number;
  /** When a refusal last slowed it down: those sent before tell nothing new. */
  slowedAt: number;
}

/** One attempt's limit; the caller's own signal bounds the whole. */
const ATTEMPT_MS = 10_000;
/** A 429 that doesn't say for how long. */
const UNTOLD_WAIT_MS = 1_000;
/** Until a group has answered, nobody knows its limit: its first call goes alone, for so long at most. */
const ALONE_MS = 1_000;
const LOOK_AGAIN_MS = 20;
/** Plans that limit a tenant as a whole allow this much at most; those that limit by group allow more in each. */
const TENANT_WIDE_LIMIT = 10;

/** With nothing left, each of two workers takes a little over half of the rate; with all left, nobody waits. */
const WORKERS = 1.8;
/** Resets are told in whole seconds, rounded up. */
const ROUNDED_MS = 500;
/** What an answer adds to the rate: with calls left, and with none. */
const FASTER = 0.06;
const FASTER_AT_NONE = 0.01;
/** What a refusal makes of it, and the least: an outage must not be paid for long after. */
const SLOWER = 0.8;
const SLOWEST = 0.4;

/**
 * A `fetch` that follows Auth0's rate limits, and sends a call again after a 429 (which was never carried out, so a
 * POST is safe too). It gives up only when the caller's signal aborts.
 * Others use the same limit (the other worker, the seller's own tools), so nobody knows their share. What the headers
 * say is left is the same for all: the less there is, the slower everybody sends. The rate that this is a part of is
 * found by trial: up a little with each answer, down by a fifth with a refusal.
 * Some plans are limited by group of endpoints, others as a whole tenant; each answer says which.
 */
export function pacedFetch({ fetch: send = fetch, now = Date.now, wait = waitFor, onThrottled }: Pacing = {}): Fetch {
  const lanes = new Map<string, Lane>();
  const laneOf = new Map<string, string>();
  const begun = new Map<string, number>();
  /** For groups that have not answered yet. */
  let tenant: string | undefined;

  async function permit(group: string, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const lane = lanes.get(laneOf.get(group) ?? tenant ?? "");
      if (lane === undefined) {
        const begunAt = begun.get(group) ?? -Infinity;
        if (laneOf.has(group) || now() >= begunAt + ALONE_MS) {
          begun.set(group, now());
          return;
        }
        await wait(LOOK_AGAIN_MS, signal);
      } else if (now() >= lane.nextAt) {
        lane.remaining = Math.max(0, lane.remaining - 1);
        lane.nextAt = now() + gapOf(lane);
        return;
      } else {
        onThrottled?.();
        await wait(lane.nextAt - now(), signal);
      }
    }
  }

  function learn(group: string, response: Response, sentAt: number): void {
    const told = toldBy(response);
    const isRefused = response.status === 429;
    const name = told !== null && told.limit <= TENANT_WIDE_LIMIT ? `tenant ${String(told.limit)}` : group;
    laneOf.set(group, name);
    if (name !== group) tenant = name;
    if (told === null) {
      if (isRefused) {
        const nextAt = now() + retryAfterMs(response);
        lanes.set(name, { limit: 1, remaining: 0, rate: Infinity, nextAt, slowedAt: now() });
      } else lanes.delete(name);
      return;
    }
    const known = lanes.get(name);
    const lane = known?.limit === told.limit ? known : laneOfFirst(told, isRefused, now());
    lanes.set(name, lane);
    // By its reset a limit is full again: it fills at least as fast as that.
    const untilFull = Math.max(2 * ROUNDED_MS, told.reset - now());
    lane.rate = Math.max(lane.rate, ((told.limit - told.remaining - 1) * 1000) / untilFull);
    lane.remaining = isRefused ? 0 : told.remaining;
    if (isRefused) slowDown(lane, retryAfterMs(response), sentAt, now());
    else {
      lane.rate += told.remaining > 0 ? FASTER : FASTER_AT_NONE;
      lane.nextAt = Math.min(lane.nextAt, now() + gapOf(lane));
    }
  }

  return async (input, init) => {
    const group = groupOf(input, init);
    const signal = init?.signal ?? undefined;
    for (;;) {
      signal?.throwIfAborted();
      await permit(group, signal);
      const sentAt = now();
      const signals = [AbortSignal.timeout(ATTEMPT_MS), ...(signal === undefined ? [] : [signal])];
      const response = await send(input, { ...init, signal: AbortSignal.any(signals) }).finally(() =>
        begun.delete(group)
      );
      learn(group, response, sentAt);
      if (response.status !== 429) return response;
      await response.body?.cancel();
    }
  };
}

function laneOfFirst({ limit, remaining, reset }: NonNullable<ReturnType<typeof toldBy>>, isRefused: boolean,
  now: number): Lane {
  const rate = ((limit - remaining) * 1000) / Math.max(ROUNDED_MS, reset - now - ROUNDED_MS);
  return { limit, remaining, rate, nextAt: isRefused ? 0 : Infinity, slowedAt: 0 };
}

function slowDown(lane: Lane, retryAfter: number, sentAt: number, now: number): void {
  if (sentAt >= lane.slowedAt) {
    lane.rate = Math.max(SLOWEST, lane.rate * SLOWER);
    lane.slowedAt = now;
  }
  lane.nextAt = Math.max(lane.nextAt, now + Math.max(retryAfter, gapOf(lane)));
}

/** What to leave between two calls (ms). */
function gapOf({ limit, remaining, rate }: Lane): number {
  return Math.floor(((WORKERS * (1 - Math.min(1, remaining / limit))) / Math.max(SLOWEST, rate)) * 1000);
}

/** Groups as Auth0 does: reading or writing, by the first part of the path. */
function groupOf(input: Parameters<Fetch>[0], init: RequestInit | undefined): string {
  const url = new URL(input instanceof Request ? input.url : input);
  const resource = /\/api\/v2\/([\w-]+)/.exec(url.pathname)?.[1] ?? "token";
  const reads = (init?.method ?? "GET") === "GET";
  return `${reads ? "read" : "write"} ${resource === "users-by-email" ? "users" : resource}`;
}

/** What the headers say; `reset` in epoch ms. */
function toldBy(response: Response) {
  const limit = numberIn(response, "x-ratelimit-limit");
  const remaining = numberIn(response, "x-ratelimit-remaining");
  const reset = numberIn(response, "x-ratelimit-reset");
  return limit === null || remaining === null || reset === null ? null : { limit, remaining, reset: reset * 1000 };
}

function retryAfterMs(response: Response): number {
  const seconds = numberIn(response, "retry-after");
  if (seconds !== null && seconds > 0) return seconds * 1000;
  return response.headers.has("x-ratelimit-reset") ? 0 : UNTOLD_WAIT_MS;
}

function numberIn(response: Response, header: string): number | null {
  const text = response.headers.get(header);
  return text === null || text.trim() === "" || !Number.isFinite(Number(text)) ? null : Number(text);
}

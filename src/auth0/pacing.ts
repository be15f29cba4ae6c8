import { setTimeout as sleep } from "node:timers/promises";

/** A `fetch`, as the SDK takes it. */
export type Fetch = typeof fetch;

/** What pacing needs. `now` gives epoch milliseconds. */
export interface Pacing {
  readonly fetch?: Fetch;
  readonly now?: () => number;
  /** Waits; rejects when the signal aborts. */
  readonly wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** Told each time a call has to wait, for the metrics. */
  readonly onThrottled?: (group: string) => void;
}

interface Window {
  /** Calls still allowed before `resetAt`, by what Auth0 last said, less what was sent since. */
  remaining: number;
  limit: number;
  /** Epoch ms. */
  resetAt: number;
}

/** One attempt's limit; the caller's own signal bounds the whole. */
const ATTEMPT_MS = 10_000;
/** Auth0's resets are whole seconds: a little later is surely after. */
const SLACK_MS = 50;
/** A 429 without headers, or a window whose end nobody has told yet. */
const UNTOLD_WAIT_MS = 1_000;
/** The window of a whole tenant. */
const TENANT = "tenant";
/** Plans that limit a tenant as a whole allow this much at most; those that limit by group allow more in each. */
const TENANT_WIDE_LIMIT = 10;

/**
 * A `fetch` that follows Auth0's rate limits instead of failing on them: it waits while a group of endpoints has no
 * calls left, and after a 429 sends the same call again (a throttled call was never carried out, so a POST is safe
 * too). Everything else is passed on as it is. It gives up only when the caller's signal aborts.
 *
 * Auth0 limits some plans for each group and others for the whole tenant; its headers say what is left either way.
 */
export function pacedFetch({ fetch: send = fetch, now = Date.now, wait = waitFor, onThrottled }: Pacing = {}): Fetch {
  const windows = new Map<string, Window>();

  async function permit(group: string, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const window = windows.get(TENANT) ?? windows.get(group);
      if (window === undefined) return;
      if (window.remaining <= 0 && now() >= window.resetAt) {
        // As many as fit may go; whoever else waits must not take the same chance again before an answer tells more.
        window.remaining = Math.max(1, window.limit);
        window.resetAt = now() + UNTOLD_WAIT_MS;
      }
      if (window.remaining > 0) {
        window.remaining -= 1;
        return;
      }
      onThrottled?.(group);
      await wait(Math.max(0, window.resetAt - now()) + SLACK_MS, signal);
    }
  }

  return async (input, init) => {
    const group = groupOf(input, init);
    const signal = init?.signal ?? undefined;
    for (;;) {
      signal?.throwIfAborted();
      await permit(group, signal);
      const attempt = AbortSignal.timeout(ATTEMPT_MS);
      const response = await send(input, { ...init,
        signal: signal === undefined ? attempt : AbortSignal.any([signal, attempt]) });
      const window = windowOf(response, now());
      if (response.status !== 429) {
        if (window !== null) {
          const key = keyOf(group, window);
          windows.set(key, learn(windows.get(key), window));
        }
        return response;
      }
      await response.body?.cancel();
      windows.set(window === null ? group : keyOf(group, window), { remaining: 0, limit: window?.limit ?? 1,
        resetAt: Math.max(window?.resetAt ?? 0, now() + retryAfterMs(response)) });
    }
  };
}

function keyOf(group: string, { limit }: Window): string {
  return limit <= TENANT_WIDE_LIMIT ? TENANT : group;
}

/** Answers can overtake each other: within one window the lower count is the newer. */
function learn(known: Window | undefined, told: Window): Window {
  return known !== undefined && known.resetAt === told.resetAt
    ? { ...told, remaining: Math.min(known.remaining, told.remaining) }
    : told;
}

/** Groups as Auth0 does: reading or writing, by the first part of the path. */
function groupOf(input: Parameters<Fetch>[0], init: RequestInit | undefined): string {
  const url = new URL(input instanceof Request ? input.url : input);
  const resource = /\/api\/v2\/([\w-]+)/.exec(url.pathname)?.[1] ?? "token";
  const reads = (init?.method ?? "GET") === "GET";
  return `${reads ? "read" : "write"} ${resource === "users-by-email" ? "users" : resource}`;
}

function windowOf(response: Response, now: number): Window | null {
  const limit = numberIn(response, "x-ratelimit-limit");
  const remaining = numberIn(response, "x-ratelimit-remaining");
  const reset = numberIn(response, "x-ratelimit-reset");
  return limit === null || remaining === null || reset === null
    ? null
    : { limit, remaining, resetAt: Math.max(reset * 1000, now) };
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

async function waitFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal });
}

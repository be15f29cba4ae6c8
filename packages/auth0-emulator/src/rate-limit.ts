/** Calls that may come at once, and how many come back a second. */
export interface Bucket {
  readonly burst: number;
  readonly perSecond: number;
}

/** Auth0's plans, by how they limit the Management API; `none` for tests about something else. */
export type Plan = "free" | "essentials" | "enterprise" | "none";

/** Whether a word names a plan. */
export function isPlan(word: string): word is Plan {
  return word === "none" || Object.hasOwn(PLANS, word);
}

/** A plan, or one bucket of your own for the whole tenant. */
export type Limits = Plan | Bucket;

/** Calls that only read, and calls that change something: some plans count them apart. */
export type CallKind = "read" | "write";

/** What the rate limit says to one call. */
export interface Ruling {
  readonly allowed: boolean;
  /** `x-ratelimit-*`, and `retry-after` (seconds) when not allowed. */
  readonly headers: Readonly<Record<string, string>>;
}

const PLANS: Readonly<Record<Exclude<Plan, "none">, Readonly<Record<CallKind, Bucket>> | Bucket>> = {
  free: { burst: 2, perSecond: 2 },
  essentials: { read: { burst: 40, perSecond: 500 / 60 }, write: { burst: 20, perSecond: 200 / 60 } },
  enterprise: { burst: 50, perSecond: 16 },
};

/** What `none` shows in the headers: more than anybody uses. */
const UNLIMITED = 1_000_000;

/** Fractions of a token smaller than this come from floating point, not from time. */
const ROUNDING = 1e-9;

class TokenBucket {
  readonly #size: Bucket;
  #tokens: number;
  #at: number;

  constructor(size: Bucket, now: number) {
    this.#size = size;
    this.#tokens = size.burst;
    this.#at = now;
  }

  take(now: number): boolean {
    this.#refill(now);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  headers(now: number): Record<string, string> {
    this.#refill(now);
    // Like Auth0's own limiter, "reset" is when the bucket is full again, not when the next call may come.
    const secondsToFull = (this.#size.burst - this.#tokens) / this.#size.perSecond;
    return rateHeaders(this.#size.burst, Math.floor(this.#tokens), now / 1000 + secondsToFull);
  }

  retryAfter(): string {
    return String(Math.max(1, Math.ceil((1 - this.#tokens) / this.#size.perSecond)));
  }

  #refill(now: number): void {
    const seconds = Math.max(0, now - this.#at) / 1000;
    this.#tokens = Math.min(this.#size.burst, this.#tokens + seconds * this.#size.perSecond + ROUNDING);
    this.#at = now;
  }
}

/**
 * Tenant-wide token buckets. Where a plan has buckets for reading and for writing users, every GET draws on the first
 * and every change on the second, whatever the path: the strict reading of Auth0's table.
 */
export class RateLimiter {
  readonly #now: () => number;
  #buckets: Readonly<Record<CallKind, TokenBucket>> | undefined;

  constructor(limits: Limits, now: () => number) {
    this.#now = now;
    this.#buckets = this.#build(limits);
  }

  /** Changes the limits; the new buckets start full. */
  set(limits: Limits): void {
    this.#buckets = this.#build(limits);
  }

  /** Draws one call. */
  take(kind: CallKind): Ruling {
    const now = this.#now();
    const bucket = this.#buckets?.[kind];
    if (bucket === undefined) return { allowed: true, headers: this.headers(kind) };
    const allowed = bucket.take(now);
    const headers = bucket.headers(now);
    return { allowed, headers: allowed ? headers : { ...headers, "retry-after": bucket.retryAfter() } };
  }

  /** The headers as they stand, without drawing a call. */
  headers(kind: CallKind): Record<string, string> {
    const now = this.#now();
    return this.#buckets?.[kind].headers(now) ?? rateHeaders(UNLIMITED, UNLIMITED - 1, now / 1000);
  }

  #build(limits: Limits): Readonly<Record<CallKind, TokenBucket>> | undefined {
    if (limits === "none") return undefined;
    const sizes = typeof limits === "string" ? PLANS[limits] : limits;
    const now = this.#now();
    if ("read" in sizes) return { read: new TokenBucket(sizes.read, now), write: new TokenBucket(sizes.write, now) };
    const shared = new TokenBucket(sizes, now);
    return { read: shared, write: shared };
  }
}

function rateHeaders(limit: number, remaining: number, resetSeconds: number): Record<string, string> {
  return { "x-ratelimit-limit": String(limit), "x-ratelimit-remaining": String(remaining),
    "x-ratelimit-reset": String(Math.ceil(resetSeconds)) };
}

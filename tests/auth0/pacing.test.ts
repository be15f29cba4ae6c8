import { describe, expect, it } from "@jest/globals";

import { pacedFetch } from "../../src/auth0/pacing.ts";

/** Auth0 with a bucket of two that is full again each whole second, and a clock that only waiting moves. */
function tenant({ capacity = 2, headers = true } = {}) {
  let clock = 1_000_000;
  let second = clock / 1000;
  let left = capacity;
  const waits: number[] = [];
  const served: number[] = [];
  let refused = 0;
  const answer = () => {
    if (Math.floor(clock / 1000) > second) {
      second = Math.floor(clock / 1000);
      left = capacity;
    }
    const allowed = left > 0;
    if (allowed) left -= 1;
    const told = { "x-ratelimit-limit": String(capacity), "x-ratelimit-remaining": String(left),
      "x-ratelimit-reset": String(second + 1) };
    if (allowed) served.push(clock);
    else refused += 1;
    return new Response(allowed ? "{}" : "slow down", { status: allowed ? 200 : 429, headers: headers ? told : {} });
  };
  const fetch = pacedFetch({ fetch: async () => Promise.resolve(answer()), now: () => clock,
    wait: async (ms, signal) => {
      await Promise.resolve();
      signal?.throwIfAborted();
      waits.push(ms);
      clock += ms;
    } });
  const takeElsewhere = () => {
    left = 0;
  };
  return { fetch, waits, served, refused: () => refused, takeElsewhere };
}

const USERS = "https://acme.auth0.com/api/v2/users";

describe("pacing", () => {
  it("sends what fits, waits for the reset that the headers tell, and sends the rest", async () => {
    const { fetch, waits, served, refused } = tenant();
    for (let call = 0; call < 5; call += 1) expect((await fetch(USERS, { method: "POST" })).status).toBe(200);
    expect(served).toHaveLength(5);
    // Two at once, and two a second after that.
    expect(waits.reduce((sum, ms) => sum + ms)).toBeLessThan(3_000);
    expect(refused()).toBe(0);
  });

  it("sends a throttled call again, because Auth0 never carried it out", async () => {
    const { fetch, takeElsewhere, refused } = tenant();
    await fetch(USERS, { method: "POST" });
    takeElsewhere();
    expect((await fetch(USERS, { method: "POST" })).status).toBe(200);
    expect(refused()).toBe(1);
  });

  it("waits a second after a 429 that tells nothing", async () => {
    const { fetch, takeElsewhere, waits } = tenant({ headers: false });
    takeElsewhere();
    expect((await fetch(USERS)).status).toBe(200);
    expect(waits).toEqual([1_000]);
  });

  it("lets no more go at once than the tenant has room for, however many wait, and in whatever group", async () => {
    const { fetch, served, refused } = tenant();
    const calls = Array.from({ length: 20 },
      async (_, index) => fetch(index % 2 === 0 ? USERS : "https://acme.auth0.com/api/v2/roles"));
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(calls.map(() => 200));
    expect(served).toHaveLength(20);
    // Until a group has answered nobody knows of a limit: so its first call goes alone.
    expect(refused()).toBeLessThanOrEqual(2);
  });

  it("keeps reading and writing, and users and roles, apart where a plan does", async () => {
    const { fetch, takeElsewhere, waits } = tenant({ capacity: 40 });
    await fetch(USERS, { method: "POST" });
    takeElsewhere();
    await fetch(USERS, { method: "POST" });
    waits.length = 0;
    await fetch("https://acme.auth0.com/api/v2/users-by-email?email=x");
    expect(waits).toEqual([]);
  });

  it("ends when the caller's time is up", async () => {
    const { fetch, takeElsewhere } = tenant();
    takeElsewhere();
    await expect(fetch(USERS, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });

  it("passes every other answer on as it is", async () => {
    const fetch = pacedFetch({ fetch: async () => Promise.resolve(new Response("no", { status: 502 })) });
    expect((await fetch(USERS)).status).toBe(502);
  });
});

describe("an answer with a small limit", () => {
  const answering = (limits: Readonly<Record<string, number>>) => {
    let clock = 1_000_000;
    const waits: number[] = [];
    const fetch = pacedFetch({ fetch: async (input) => {
      const path = new URL(input instanceof Request ? input.url : input).pathname;
      const limit = limits[path] ?? 0;
      return Promise.resolve(
        new Response("{}", {
          headers: { "x-ratelimit-limit": String(limit), "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": String(clock / 1000 + limit) },
        }),
      );
    }, now: () => clock, wait: async (ms) => {
      waits.push(ms);
      clock += ms;
      return Promise.resolve();
    } });
    return { fetch, waits, pass: (ms: number) => {
      clock += ms;
    } };
  };

  it("slows the groups that have it, and no other", async () => {
    const { fetch, waits, pass } = answering({ "/api/v2/users": 40, "/api/v2/jobs": 5 });
    await fetch(USERS);
    pass(60_000);
    await fetch("https://acme.auth0.com/api/v2/jobs");
    waits.length = 0;
    await fetch(USERS);
    expect(waits).toEqual([]);
    await fetch("https://acme.auth0.com/api/v2/jobs");
    expect(waits).toHaveLength(1);
  });

  it("holds for a group that has not answered yet, until that says otherwise", async () => {
    const { fetch, waits, pass } = answering({ "/api/v2/users": 40, "/api/v2/jobs": 5 });
    await fetch("https://acme.auth0.com/api/v2/jobs");
    await fetch(USERS);
    expect(waits).toHaveLength(1);
    pass(60_000);
    await fetch("https://acme.auth0.com/api/v2/jobs");
    waits.length = 0;
    await fetch(USERS);
    expect(waits).toEqual([]);
  });
});

/**
 * Callers at Auth0's own kind of limit, a bucket that fills up, for minutes of a clock that nothing but waiting moves.
 */
async function atTheLimit({ burst, perSecond }: { readonly burst: number; readonly perSecond: number },
  { workers, callers, seconds }: { readonly workers: number; readonly callers: number; readonly seconds: number }) {
  let clock = 1_000_000_000;
  const end = clock + seconds * 1000;
  const due: { readonly at: number; readonly go: () => void }[] = [];
  const sleep = async (ms: number) =>
    new Promise<void>((resolve) => {
      due.push({ at: clock + ms, go: resolve });
    });
  let [seed, tokens, filledAt, served, refused] = [1, burst, clock, 0, 0];
  const latency = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return 10 + (30 * seed) / 2 ** 31;
  };
  const auth0 = async (): Promise<Response> => {
    await sleep(latency());
    tokens = Math.min(burst, tokens + ((clock - filledAt) / 1000) * perSecond);
    filledAt = clock;
    const isAllowed = tokens >= 1;
    if (isAllowed) {
      tokens -= 1;
      served += 1;
    } else refused += 1;
    const headers = { "x-ratelimit-limit": String(burst), "x-ratelimit-remaining": String(Math.floor(tokens)),
      "x-ratelimit-reset": String(Math.ceil(clock / 1000 + (burst - tokens) / perSecond)),
      ...(isAllowed ? {} : { "retry-after": String(Math.max(1, Math.ceil((1 - tokens) / perSecond))) }) };
    const response = new Response("{}", { status: isAllowed ? 200 : 429, headers });
    await sleep(latency());
    return response;
  };
  for (let worker = 0; worker < workers; worker += 1) {
    const fetch = pacedFetch({ fetch: auth0, now: () => clock, wait: sleep });
    for (let caller = 0; caller < callers; caller += 1) {
      void (async () => {
        for (;;) await fetch(USERS, { method: "POST" });
      })();
    }
  }
  const settled = async () =>
    new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  for (await settled(); clock < end; await settled()) {
    const next = due.reduce((first, one) => (one.at < first.at ? one : first));
    due.splice(due.indexOf(next), 1);
    clock = next.at;
    next.go();
  }
  return { share: served / (burst + perSecond * seconds), refusals: refused / (served + refused) };
}

describe("at Auth0's limit", () => {
  it.each([
    { plan: "Free", burst: 2, perSecond: 2 },
    { plan: "Essentials, writing", burst: 20, perSecond: 200 / 60 },
    { plan: "Essentials, reading", burst: 40, perSecond: 500 / 60 },
    { plan: "Enterprise", burst: 50, perSecond: 16 },
    { plan: "Enterprise, not production", burst: 10, perSecond: 2 },
  ].flatMap((limit) => [1, 2].map((workers) => ({ ...limit, workers }))))(
    "$workers workers use 93 % of $plan, with at most a tenth of the calls refused",
    async ({ workers, ...limit }) => {
      const { share, refusals } = await atTheLimit(limit, { workers, callers: 10, seconds: 200 });
      expect(share).toBeGreaterThanOrEqual(0.93);
      expect(refusals).toBeLessThanOrEqual(0.1);
    },
  );
});

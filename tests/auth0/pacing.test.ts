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
  const fetch = pacedFetch({
    fetch: async () => Promise.resolve(answer()),
    now: () => clock,
    wait: async (ms, signal) => {
      await Promise.resolve();
      signal?.throwIfAborted();
      waits.push(ms);
      clock += ms;
    },
  });
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
    expect(waits).toHaveLength(2);
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
    expect(waits).toEqual([1050]);
  });

  it("lets no more go at once than the tenant has room for, however many wait, and in whatever group", async () => {
    const { fetch, served, refused } = tenant();
    const calls = Array.from({ length: 20 },
      async (_, index) => fetch(index % 2 === 0 ? USERS : "https://acme.auth0.com/api/v2/roles"));
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(calls.map(() => 200));
    expect(served).toHaveLength(20);
    // Before the first answer nobody knows of a limit: those are refused, and none after.
    expect(refused()).toBe(18);
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

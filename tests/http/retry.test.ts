import { describe, expect, it } from "@jest/globals";

import { retryingFetch } from "../../src/http/retry.ts";

const URL_OF_USERS = "https://tenant.test/api/v2/users/auth0%7C1/roles";
const timeOut = () => new DOMException("The operation was aborted due to timeout", "TimeoutError");
type Step = number | Error;

/** A service that answers these, one a call, and 200 from then on. */
function service(...steps: readonly Step[]) {
  const left = [...steps];
  const pauses: number[] = [];
  let calls = 0;
  let now = 1_000_000;
  const fetching = retryingFetch({ service: "AUTH0",
    kindOf: (method, path) =>
      method === "GET" ? "read" : method !== "POST" || path.endsWith("/roles") ? "change" : "once",
    fetch: async () => {
      calls += 1;
      const step = left.shift() ?? 200;
      if (typeof step !== "number") throw step;
      return new Response(step === 200 ? "fine" : "broken", { status: step });
    }, now: () => now, random: () => 0, wait: async (ms) => Promise.resolve(void pauses.push(ms)) });
  return { fetching, pauses, calls: () => calls, pass: (ms: number) => {
    now += ms;
  } };
}

describe("what passes by itself", () => {
  it.each<[string, Step]>([["a 503", 503], ["a broken connection", new Error("ECONNRESET")], [
    "a look-up that isn't answered in time",
    timeOut(),
  ]])("is tried again, after growing pauses: %s", async (_what, step) => {
    const { fetching, pauses, calls } = service(step, step, step);
    expect((await fetching(URL_OF_USERS)).status).toBe(200);
    expect(calls()).toBe(4);
    expect(pauses).toEqual([75, 150, 300]);
  });

  it("is passed on after five times", async () => {
    const { fetching, calls } = service(503, 503, 503, 503, 502, 200);
    expect((await fetching(URL_OF_USERS)).status).toBe(502);
    expect(calls()).toBe(5);
  });

  it.each(["GET", "DELETE", "PATCH", "POST"])("is made twice where that is harmless: %s", async (method) => {
    const { fetching, calls } = service(500);
    expect((await fetching(URL_OF_USERS, { method })).status).toBe(200);
    expect(calls()).toBe(2);
  });

  it("is not made twice where that creates or mails something twice", async () => {
    const { fetching, calls } = service(502, new Error("ECONNRESET"));
    expect((await fetching("https://tenant.test/api/v2/users", { method: "POST" })).status).toBe(502);
    await expect(fetching("https://tenant.test/api/v2/users", { method: "POST" })).rejects.toThrow("ECONNRESET");
    expect(calls()).toBe(2);
  });

  it.each([400, 401, 403, 404, 409])("is not what %i says", async (status) => {
    const { fetching, calls } = service(status);
    expect((await fetching(URL_OF_USERS)).status).toBe(status);
    expect(calls()).toBe(1);
  });

  it("ends with the caller's time", async () => {
    const { fetching, calls } = service(new Error("aborted"));
    await expect(fetching(URL_OF_USERS, { signal: AbortSignal.abort() })).rejects.toThrow("aborted");
    expect(calls()).toBe(1);
  });
});

describe("a change that isn't answered in time", () => {
  it("is made again, and told: it may be carried out later", async () => {
    const { fetching, calls } = service(timeOut(), 503);
    await expect(fetching(URL_OF_USERS, { method: "DELETE" })).rejects.toMatchObject({ code: "AUTH0_TIMED_OUT" });
    expect(calls()).toBe(3);
  });
});

describe("a service that is away", () => {
  it("is not asked after five failures in a row, but every five seconds, until it answers", async () => {
    const { fetching, calls, pass } = service(503, 503, 503, 503, 503, 503, 503);
    expect((await fetching(URL_OF_USERS)).status).toBe(503);
    // One look whether it is back.
    await expect(fetching(URL_OF_USERS)).rejects.toMatchObject({ code: "AUTH0_AWAY" });
    expect(calls()).toBe(6);
    await expect(fetching(URL_OF_USERS)).rejects.toMatchObject({ code: "AUTH0_AWAY" });
    expect(calls()).toBe(6);
    pass(5_000);
    await expect(fetching(URL_OF_USERS)).rejects.toMatchObject({ code: "AUTH0_AWAY" });
    expect(calls()).toBe(7);
    pass(5_000);
    expect((await fetching(URL_OF_USERS)).status).toBe(200);
    expect((await fetching(URL_OF_USERS)).status).toBe(200);
  });
});

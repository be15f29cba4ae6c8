import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";

import { startAuth0Emulator } from "../src/emulator.ts";
import type { Auth0Emulator } from "../src/emulator.ts";
import { DEFAULT_CONNECTION } from "../src/options.ts";
import { askToken, GOOD_PASSWORD, rawCall, tokenOf } from "./raw-calls.ts";

const START = Date.UTC(2026, 0, 5);
let now = START;
const waits: number[] = [];
let auth0: Auth0Emulator;
let token: string;

beforeEach(async () => {
  now = START;
  waits.length = 0;
  auth0 = await startAuth0Emulator({ now: () => now, wait: (milliseconds) => {
    waits.push(milliseconds);
    return Promise.resolve();
  } });
  token = await tokenOf(auth0);
});
afterEach(() => auth0.stop());

const look = () => rawCall(auth0, "GET", "/api/v2/users-by-email?email=ann@example.com", { token });
const ann = { connection: DEFAULT_CONNECTION, email: "ann@example.com", password: GOOD_PASSWORD };
const create = () => rawCall(auth0, "POST", "/api/v2/users", { token, body: ann });
const rate = ({ headers }: { headers: Headers }) =>
  ["limit", "remaining", "reset"].map((name) => headers.get(`x-ratelimit-${name}`));
const seconds = (after: number) => String(START / 1000 + after);

describe("rate limits", () => {
  it("are unlimited at first, but shown on every answer", async () => {
    expect(rate(await look())).toEqual(["1000000", "999999", seconds(0)]);
    expect(rate(await rawCall(auth0, "GET", "/api/v2/nowhere"))).toEqual(["1000000", "999999", seconds(0)]);
    expect((await askToken(auth0, {})).headers.get("x-ratelimit-limit")).toBeNull();
  });

  it("of the free plan let two through at once, and two more a second", async () => {
    auth0.setLimits("free");
    expect(rate(await look())).toEqual(["2", "1", seconds(1)]);
    expect(rate(await create())).toEqual(["2", "0", seconds(1)]);
    const refused = await look();
    expect(refused).toMatchObject({ status: 429,
      body: { statusCode: 429, error: "Too Many Requests", message: "Global limit has been reached",
        errorCode: "too_many_requests" } });
    expect(rate(refused)).toEqual(["2", "0", seconds(1)]);
    expect(refused.headers.get("retry-after")).toBe("1");
    now += 499;
    expect((await look()).status).toBe(429);
    now += 1;
    expect((await look()).status).toBe(200);
    expect((await look()).status).toBe(429);
    now += 60_000;
    expect(rate(await look())).toEqual(["2", "1", seconds(61)]);
  });

  it("do nothing for a call that is refused", async () => {
    auth0.setLimits({ burst: 1, perSecond: 0.1 });
    await look();
    const refused = await create();
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("10");
    expect(auth0.users()).toEqual([]);
  });

  it("of the essentials plan count reading and writing apart", async () => {
    auth0.setLimits("essentials");
    expect(rate(await look()).slice(0, 2)).toEqual(["40", "39"]);
    expect(rate(await create()).slice(0, 2)).toEqual(["20", "19"]);
    expect(rate(await look()).slice(0, 2)).toEqual(["40", "38"]);
  });

  it("of the enterprise plan are one bucket of fifty", async () => {
    auth0.setLimits("enterprise");
    await look();
    expect(rate(await create()).slice(0, 2)).toEqual(["50", "48"]);
  });
});

describe("latency", () => {
  it("is waited for before each call, the same for all or by call", async () => {
    auth0.setLatency(300);
    await look();
    auth0.setLatency((call) => (call.method === "POST" ? 50 : 0));
    await look();
    await create();
    expect(waits).toEqual([300, 50]);
  });
});

describe("a fault", () => {
  it("answers in place of a call, which is not done, as often as it is told", async () => {
    const fault = auth0.fault({ method: "POST", path: "/users", times: 2, answer: { status: 503 } });
    expect(await create()).toMatchObject({ status: 503, body: { statusCode: 503, error: "Service Unavailable" } });
    expect((await look()).status).toBe(200);
    expect((await create()).status).toBe(503);
    expect(auth0.users()).toEqual([]);
    expect((await create()).status).toBe(201);
    expect(fault.hits).toBe(2);
  });

  it("has a body of its own, and the headers that Auth0 would send", async () => {
    auth0.fault({ answer: { status: 502, body: { from: "a proxy" } } });
    auth0.fault({ answer: { status: 429 } });
    auth0.fault({ answer: { status: 429, headers: { "retry-after": "7" } } });
    const first = await look();
    expect(first.body).toEqual({ from: "a proxy" });
    expect(rate(first)[0]).toBe("1000000");
    const second = await look();
    expect(second.body).toMatchObject({ errorCode: "too_many_requests" });
    expect(second.headers.get("retry-after")).toBe("1");
    expect(rate(second)[1]).toBe("0");
    expect((await look()).headers.get("retry-after")).toBe("7");
  });

  it("can come after the call was done: by status, or by a connection that breaks off", async () => {
    auth0.fault({ method: "POST", answer: { status: 502 }, executed: true });
    expect((await create()).status).toBe(502);
    expect((await create()).status).toBe(409);
    auth0.reset();
    auth0.fault({ method: "POST", answer: "answerThenReset" });
    await expect(create()).rejects.toThrow("fetch failed");
    expect(auth0.users()).toHaveLength(1);
    expect(auth0.calls).toMatchObject([{ status: "reset" }]);
  });

  it("can break the connection off before the call is done", async () => {
    auth0.fault({ path: /^\/users$/, answer: "reset" });
    await expect(create()).rejects.toThrow("fetch failed");
    expect(auth0.users()).toEqual([]);
    expect((await create()).status).toBe(201);
  });

  it("can leave a call without an answer, and stopping the emulator ends it", async () => {
    auth0.fault({ answer: "hang" });
    const arrived = new Promise<void>((resolve) => {
      auth0.onCall(() => {
        resolve();
      });
    });
    const hanging = expect(look()).rejects.toThrow("fetch failed");
    await arrived;
    await auth0.stop();
    await hanging;
  });

  it("can wait for its turn, and be taken away", async () => {
    auth0.fault({ skip: 1, path: "/users-by-email", answer: { status: 500 } });
    expect((await look()).status).toBe(200);
    expect((await look()).status).toBe(500);
    auth0.fault({ times: Infinity, answer: { status: 500 } }).remove();
    expect((await look()).status).toBe(200);
  });

  it("can befall the token", async () => {
    auth0.fault({ path: "/oauth/token", answer: { status: 503 } });
    expect((await look()).status).toBe(200);
    expect((await askToken(auth0, {})).status).toBe(503);
  });
});

describe("the hook", () => {
  it("stands before and after the doing of a call", async () => {
    const seen: string[] = [];
    auth0.onCall((call, phase) => {
      seen.push(`${phase} ${call.method} ${call.path}: ${String(auth0.users().length)}`);
    });
    await create();
    expect(seen).toEqual(["before POST /users: 0", "after POST /users: 1"]);
    auth0.onCall(undefined);
    await look();
    expect(seen).toHaveLength(2);
  });

  it("holds a call up while others pass", async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const held = jest.fn();
    auth0.onCall((call) => (call.method === "GET" ? gate : undefined));
    const looking = look().then(held);
    expect((await create()).status).toBe(201);
    expect(held).not.toHaveBeenCalled();
    release();
    await looking;
    expect(held).toHaveBeenCalledTimes(1);
  });

  it("that throws makes the answer a 500 that tests can see", async () => {
    auth0.onCall(() => {
      throw new Error("no such luck");
    });
    expect(await look()).toMatchObject({ status: 500, body: { message: "The emulator failed: no such luck" } });
    expect(auth0.failures).toEqual(["The emulator failed: no such luck"]);
  });
});

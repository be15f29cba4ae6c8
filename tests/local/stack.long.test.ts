import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import type { GateCall, GateVerdict } from "../../local/aws/gate.ts";
import { LOCAL_ACCESS_TOKEN } from "gumroad-emulator/options";
import { LOCAL_SELLER_ID, type Stack, type StackOptions, startStack } from "../../local/stack.ts";
import { until } from "../pipeline/local-stack.ts";

const here = (name: string) => path.join(import.meta.dirname, "fixtures", name);
const stacks: Stack[] = [];

async function stackOf(options: Partial<StackOptions> = {}): Promise<Stack> {
  const stack = await startStack({ bundlesDir: here("functions"), templateFile: here("serverless.yml"), ...options });
  stacks.push(stack);
  return stack;
}

afterEach(async () => {
  await Promise.all(stacks.splice(0).map(async (stack) => {
    await stack.crash();
    await stack.stop();
  }));
});

const get = async (stack: Stack, query: string) => fetch(`${stack.url}/echo/t?${query}`);
const enqueue = async (stack: Stack, body: string, group = "g") => {
  const answer = await get(stack, `do=enqueue&body=${body}&group=${group}`);
  expect(await answer.text()).toBe("queued");
};
/** Waits for a message to be left in flight by an invocation that failed. */
async function failedOnce(stack: Stack, times = 1): Promise<void> {
  await until(async () => {
    const { inFlight } = await stack.sqs.inspect("WorkQueue");
    return stack.inHand() === 0 && inFlight.some(({ message }) => message.approximateReceiveCount === times);
  });
}

describe("a local stack", () => {
  it("runs queue and table: each message reaches the function once, with Lambda's record", async () => {
    const stack = await stackOf();
    await Promise.all([enqueue(stack, "one", "a"), enqueue(stack, "two", "b"), enqueue(stack, "three", "a")]);
    await stack.sqs.idle();
    const items = await stack.ledger();
    expect(items.map(({ body }) => body).sort()).toEqual(["one", "three", "two"]);
    expect(items[0]).toMatchObject({ written: 1, received: 1,
      eventSource: "arn:aws:sqs:us-east-1:000000000000:sample-local-work.fifo" });
  });

  it("leaves only the failed message of a batch, and gives it up to the dead letters after its receives", async () => {
    const stack = await stackOf();
    await Promise.all([enqueue(stack, "fail", "a"), enqueue(stack, "good", "b")]);
    await failedOnce(stack);
    expect((await stack.ledger()).map(({ body }) => body)).toEqual(["good"]);
    await stack.redeliver();
    await failedOnce(stack, 2);
    await stack.redeliver();
    await stack.sqs.idle();
    expect(await stack.sqs.deadLetters()).toEqual(["fail"]);
  });

  it.each([
    { fault: "throws", body: "throw" },
    { fault: "answers with a malformed list of failures", body: "malformed" },
  ])("leaves the whole batch where the function $fault", async ({ body }) => {
    const stack = await stackOf({ onError: () => undefined });
    await enqueue(stack, body);
    await failedOnce(stack);
    expect(await stack.ledger()).toEqual([]);
    await expect(stack.sqs.idle(20)).rejects.toThrow(
      "not idle after 20 ms: sample-local-work.fifo: 0 waiting, 1 in flight",
    );
  });

  it("makes messages visible once the calendar has passed their time-out, and not before", async () => {
    const stack = await stackOf();
    await enqueue(stack, "malformed");
    await failedOnce(stack);
    await stack.advance(30_000);
    expect((await stack.sqs.inspect("WorkQueue")).inFlight).toHaveLength(1);
    await stack.advance(31_000);
    await stack.sqs.idle();
    expect(await stack.ledger()).toMatchObject([{ body: "malformed", received: 2 }]);
  });

  it("moves the functions' calendar", async () => {
    const stack = await stackOf();
    const before = Date.now();
    await stack.advance(86_400_000);
    const result = await stack.invoke("tick");
    expect(result.kind).toBe("answer");
    const { type, now } = JSON.parse(result.kind === "answer" ? result.payload : "{}");
    expect(type).toBe("Scheduled Event");
    expect(now).toBeGreaterThanOrEqual(before + 86_400_000);
  });

  it("serves secrets by ARN, lets a test change them, and knows when there is none", async () => {
    const stack = await stackOf({ secrets: { ping: { tokens: ["first"] } } });
    const secret = async () => JSON.parse(await (await get(stack, "do=secret")).text());
    expect(await secret()).toEqual({ secret: '{"tokens":["first"]}' });
    stack.secrets.set("ping", { tokens: ["second"] });
    expect(await secret()).toEqual({ secret: '{"tokens":["second"]}' });
    stack.secrets.set("ping", undefined);
    expect(await secret()).toEqual({ error: "ResourceNotFoundException" });
  });

  it("lets a test give a function other settings", async () => {
    const stack = await stackOf({ environment: { api: { SIGNUP: "open" } }, params: { level: "DEBUG" } });
    const { env } = JSON.parse(await (await get(stack, "do=env")).text());
    expect(env).toMatchObject({ SIGNUP: "open", LEVEL: "DEBUG", STAGE: "local", AWS_REGION: "us-east-1" });
  });

  it("keeps stacks in one process apart", async () => {
    const [first, second] = await Promise.all([stackOf(), stackOf()]);
    await enqueue(first, "only-here");
    await first.sqs.idle();
    expect(await first.ledger()).toHaveLength(1);
    expect(await second.ledger()).toHaveLength(0);
  });

  it("keeps tables in a folder from one start to the next, and says when a second stack wants it", async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), "tables-"));
    try {
      const first = await stackOf({ dataDir });
      await enqueue(first, "kept");
      await first.sqs.idle();
      await expect(stackOf({ dataDir })).rejects.toThrow(expect.objectContaining({ code: "BAD_DATA_DIR" }));
      await first.stop();
      // What a killed process leaves behind keeps nobody out: no process has this number.
      writeFileSync(path.join(dataDir, "in-use-by.pid"), "99999999");
      const second = await stackOf({ dataDir });
      expect(await second.ledger()).toMatchObject([{ body: "kept" }]);
      await second.stop();
    } finally {
      rmSync(dataDir, { recursive: true });
    }
  });

  it("works off its queue before it stops, and tells what is left behind", async () => {
    const drained = await stackOf();
    await enqueue(drained, "drained");
    expect(await drained.stop(60_000)).toBe(0);
    const failing = await stackOf();
    await enqueue(failing, "fail");
    expect(await failing.stop(50)).toBe(1);
  });

  it("leaves nothing running when it can't start", async () => {
    const first = await stackOf();
    const port = Number(new URL(first.url).port);
    await expect(startStack({ bundlesDir: "", templateFile: here("serverless.yml"), port })).rejects.toThrow(
      "is taken by another process",
    );
    await expect(startStack({ bundlesDir: "", templateFile: here("serverless.yml"), auth0Port: port })).rejects
      .toThrow("is taken by another process");
  });

  it("bounds its logs to the function that wrote them", async () => {
    const lines: [string, string][] = [];
    const stack = await stackOf({ onLog: (key, line) => lines.push([key, line]) });
    await get(stack, "do=log");
    expect(lines).toEqual([["api", '{"level":"INFO","message":"hello"}'], ["api", "bye"]]);
  });
});

describe("the gate before the services", () => {
  /** Says `verdict` once, at the first call that fits. */
  function once(operation: string, phase: GateCall["phase"], verdict: GateVerdict) {
    const seen: GateCall[] = [];
    let left = 1;
    return { seen, onCall: (call: GateCall): GateVerdict => {
      seen.push(call);
      return call.operation === operation && call.phase === phase && left-- > 0 ? verdict : "go";
    } };
  }

  it("sees every call of the functions, before and after, by its operation", async () => {
    const { seen, onCall } = once("none", "before", "go");
    const stack = await stackOf({ onCall });
    await get(stack, "do=secret");
    await enqueue(stack, "one");
    await stack.sqs.idle();
    expect(seen.map(({ service, operation, phase }) => ({ service, operation, phase }))).toEqual(
      ["secretsmanager GetSecretValue", "sqs SendMessage", "dynamodb UpdateItem"].flatMap((call) => {
        const [service, operation] = call.split(" ");
        return [{ service, operation, phase: "before" }, { service, operation, phase: "after" }];
      }),
    );
  });

  it.each([
    { phase: "before", written: 0 },
    { phase: "after", written: 1 },
  ] as const)("crashes the workers $phase a call: it was carried out $written times", async ({ phase, written }) => {
    const stack = await stackOf({ onCall: once("UpdateItem", phase, "crash").onCall });
    await enqueue(stack, "one");
    await failedOnce(stack);
    expect(await stack.ledger()).toHaveLength(written);
    await stack.redeliver();
    await stack.sqs.idle();
    expect(await stack.ledger()).toMatchObject([{ written: written + 1, received: 2 }]);
  });

  it("breaks the connection of one call only", async () => {
    const stack = await stackOf({ onCall: once("SendMessage", "before", "drop").onCall });
    expect((await get(stack, "do=enqueue&body=lost")).status).toBe(503);
    await enqueue(stack, "kept");
    await stack.sqs.idle();
    expect((await stack.ledger()).map(({ body }) => body)).toEqual(["kept"]);
  });

  it("stands before Auth0 too, with ids taken out of paths", async () => {
    const { seen, onCall } = once("GET /api/v2/users/{id}/roles", "before", "drop");
    const stack = await stackOf({ onCall });
    await expect(fetch(`${stack.gates.auth0}/api/v2/users/auth0%7C1/roles?per_page=5`)).rejects.toThrow();
    const answer = await fetch(`${stack.gates.auth0}/api/v2/users/auth0%7C1/roles`);
    expect(answer.status).toBe(401);
    expect(seen.map(({ operation, phase }) => `${operation} ${phase}`)).toContain(
      "GET /api/v2/users/{id}/roles after",
    );
  });
});

describe("the shop of a local stack", () => {
  const CLUB = "wg2b8FhyMUKaJ6Eo3PrR5g==";
  const secretOf = async (stack: Stack) => {
    const answer = await fetch(stack.endpoints.secretsmanager, { method: "POST",
      headers: { "x-amz-target": "secretsmanager.GetSecretValue" }, body: '{"SecretId":"gumroad"}' });
    const { SecretString, __type } = JSON.parse(await answer.text());
    return SecretString === undefined ? __type : JSON.parse(SecretString);
  };
  const read = async (url: string) => fetch(url, { headers: { authorization: `Bearer ${LOCAL_ACCESS_TOKEN}` } });

  it("lives on the functions' calendar: each charge that falls due is told in its own time, once", async () => {
    const told: string[] = [];
    const stack: Stack = await stackOf({ gumroad: { deliver: ({ url }) => {
      told.push(`${new Date(stack.gumroad.now()).toISOString().slice(0, 7)} ${url}`);
      return 200;
    } } });
    const began = Date.now();
    stack.gumroad.sell({ product: CLUB, email: "eve@example.com" });
    await stack.advance(62 * 86_400_000);
    expect(stack.gumroad.posts.map(({ event }) => event)).toEqual(["sale", "sale", "sale"]);
    expect(new Set(told)).toEqual(new Set([0, 1, 2].map((months) => `${monthAfter(began, months)} ${stack.pingUrl}`)));
    const { kind, ...result } = await stack.invoke("tick");
    expect({ kind, now: JSON.parse("payload" in result ? result.payload : "{}").now - stack.gumroad.now() }).toEqual({
      kind: "answer",
      now: expect.closeTo(0, -4),
    });
  });

  it("moves the functions' calendar when its own time is moved from another process", async () => {
    const stack = await stackOf();
    await fetch(`${stack.gumroad.url}/_emulator/advance`, { method: "POST", body: '{"ms": 86400000.5}' });
    const result = await stack.invoke("tick");
    expect(JSON.parse(result.kind === "answer" ? result.payload : "{}").now).toBeGreaterThan(Date.now() + 86_000_000);
  });

  it("has its token in the secret only where purchases are read back, not over a test's own secret", async () => {
    const [trusting, reading, own] = await Promise.all([stackOf(), stackOf({ readBack: true }),
      stackOf({ readBack: true, secrets: { gumroad: { access_token: "own" } } })]);
    expect(await secretOf(trusting)).toBe("ResourceNotFoundException");
    expect(await secretOf(reading)).toEqual({ access_token: LOCAL_ACCESS_TOKEN, seller_id: LOCAL_SELLER_ID,
      api: reading.gumroad.apiUrl });
    expect(await secretOf(own)).toEqual({ access_token: "own" });
  });

  it("is called through a gate where there is a hook: a test can stop before and after each call", async () => {
    const seen: string[] = [];
    const hook = ({ service, operation, phase }: GateCall): GateVerdict => {
      seen.push(`${service} ${operation} ${phase}`);
      return operation === "GET /user" ? "drop" : "go";
    };
    const stack = await stackOf({ readBack: true, onCall: hook });
    const { api } = await secretOf(stack);
    expect(api).toBe(stack.gates.gumroad);
    expect(api).not.toBe(stack.endpoints.gumroad);
    const { sale } = stack.gumroad.sell({ product: CLUB, email: "eve@example.com" });
    expect(await (await read(`${api}/sales/${encodeURIComponent(sale.id)}`)).json()).toMatchObject({
      sale: { id: sale.id },
    });
    for (const path of ["sales?after=2026-01-01", `products/${CLUB}/subscribers`]) {
      expect((await read(`${api}/${path}`)).status).toBe(200);
    }
    await expect(read(`${api}/user`)).rejects.toThrow();
    const went = ["GET /sales/:id", "GET /sales", "GET /products/:id/subscribers"].flatMap((
      call,
    ) => [`gumroad ${call} before`, `gumroad ${call} after`]);
    expect(seen).toEqual([...went, "gumroad GET /user before"]);
    expect(stack.gumroad.calls.map(({ path }) => path)).toEqual(["/sales/:id", "/sales", "/products/:id/subscribers"]);
  });

  it("says which setting chose its port where that is taken", async () => {
    const { port } = new URL((await stackOf()).url);
    await expect(stackOf({ gumroadPort: Number(port) })).rejects.toMatchObject({ code: "PORT_TAKEN",
      message: expect.stringContaining("GUMROAD_PORT") });
  });
});

/** `2026-01`, so many months after the month of a time. */
function monthAfter(time: number, months: number): string {
  const date = new Date(time);
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1)).toISOString().slice(0, 7);
}

import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "@jest/globals";
import { createLambda, type InvocationReport, type Lambda, type LambdaOptions } from "../../local/aws/lambda.ts";

const bundle = (name: string) => fileURLToPath(new URL(`fixtures/functions/${name}.mjs`, import.meta.url));
const made: Lambda[] = [];

function lambda(changes: Partial<LambdaOptions> = {}) {
  const clock = new SharedArrayBuffer(8);
  const logs: string[] = [];
  const made_ = createLambda({ name: "sample-api", bundle: bundle("api"), exportName: "handler", timeoutMs: 3000,
    memoryMb: 256, environment: () => ({ AWS_REGION: "us-east-1", OWN: "yes" }), maxWorkers: 2, clock,
    onLog: (line) => logs.push(line), ...changes });
  made.push(made_);
  return { lambda: made_, clock: new BigInt64Array(clock), logs };
}

const event = (what: string, more: Record<string, string> = {}) => ({ queryStringParameters: { do: what, ...more } });
async function answerOf(target: Lambda, what: unknown) {
  const result = await target.invoke(what);
  return result.kind === "answer" ? JSON.parse(result.payload) : result;
}

afterEach(async () => {
  await Promise.all(made.splice(0).map(async (each) => {
    await each.crash("all");
    await each.stop();
  }));
});

describe("a local Lambda function", () => {
  it("answers with what the handler gave, as JSON", async () => {
    const { lambda: target } = lambda();
    expect(await target.invoke(event("object"))).toEqual({ kind: "answer", payload: '{"no":"status"}' });
    expect(await target.invoke(event("nothing"))).toEqual({ kind: "answer", payload: "null" });
  });

  it(
    "reports of each invocation how long it took and worked, and of an environment's first how long that took to load",
    async () => {
      const reports: InvocationReport[] = [];
      const { lambda: target } = lambda({ onReport: (report) => reports.push(report) });
      await target.invoke(event("object"));
      await target.invoke(event("object"));
      expect(reports.map(({ initMs }) => initMs === null)).toEqual([false, true]);
      for (const { durationMs, busyMs } of reports) {
        expect(durationMs).toBeGreaterThan(0);
        expect(busyMs).toBeGreaterThanOrEqual(0);
      }
    },
  );

  it("gives the handler Lambda's context", async () => {
    const { lambda: target } = lambda();
    const { body } = await answerOf(target, {});
    const seen = JSON.parse(body);
    expect(seen.functionName).toBe("sample-api");
    expect(seen.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(seen.left).toBeGreaterThan(2000);
    expect(seen.left).toBeLessThanOrEqual(3000);
  });

  it("has the environment it was given and Lambda's own, and nothing of this process's", async () => {
    const { lambda: target } = lambda();
    const { env } = await answerOf(target, event("env"));
    expect(env).toMatchObject({ OWN: "yes", AWS_LAMBDA_FUNCTION_NAME: "sample-api",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256" });
    expect(Object.keys(env)).not.toContain("PATH");
    expect(Object.keys(env)).not.toContain("NODE_OPTIONS");
  });

  it("keeps a worker from one event to the next, and gives events at once workers of their own", async () => {
    const { lambda: target } = lambda();
    const calls = async (what: unknown) => JSON.parse((await answerOf(target, what)).body).calls;
    expect(await calls({})).toBe(1);
    expect(await calls({})).toBe(2);
    expect((await Promise.all([calls({}), calls({})])).sort()).toEqual([1, 3]);
  });

  it("lets events above the number of workers wait, and refuses none", async () => {
    const { lambda: target } = lambda();
    const results = await Promise.all(Array.from({ length: 8 }, () => target.invoke(event("string"))));
    expect(results.every(({ kind }) => kind === "answer")).toBe(true);
    expect(target.running).toBe(0);
  });

  it("throttles what is above its reserved concurrency", async () => {
    const { lambda: target } = lambda({ bundle: bundle("single"), reservedConcurrency: 1 });
    const [first, second] = await Promise.all([target.invoke({}), target.invoke({})]);
    expect(first).toMatchObject({ kind: "answer" });
    expect(second).toMatchObject({ kind: "throttled", errorType: "TooManyRequestsException" });
  });

  it.each([
    { fault: "a thrown error", what: "throw", type: "TypeError", message: "thrown by the function" },
    { fault: "a rejection that nobody catches", what: "reject-later", type: "Error", message: "nobody catches this" },
    { fault: "an exit of the process", what: "exit", type: "Runtime.ExitError", message: "exited" },
    { fault: "an answer above 6 MB", what: "large", type: "Function.ResponseSizeTooLarge", message: "6 MB" },
  ])("reports $fault and works on afterwards", async ({ what, type, message }) => {
    const { lambda: target } = lambda();
    const result = await target.invoke(event(what));
    expect(result).toMatchObject({ errorType: type, message: expect.stringContaining(message) });
    expect(await answerOf(target, event("string"))).toBe("just text");
  });

  it("refuses an event above 6 MB before any worker sees it", async () => {
    const { lambda: target } = lambda();
    expect(await target.invoke({ body: "x".repeat(6_300_000) })).toMatchObject({ kind: "too-large" });
  });

  it.each(["hang", "spin"])("ends a worker at the function's time-out (%s)", async (what) => {
    const { lambda: target } = lambda({ timeoutMs: 100 });
    expect(await target.invoke(event(what))).toEqual({ kind: "timeout", errorType: "Sandbox.Timedout",
      message: "Task timed out after 0.10 seconds" });
  });

  it("reports a bundle that isn't there, and one without the export", async () => {
    expect(await lambda({ bundle: bundle("none") }).lambda.invoke({})).toMatchObject({ kind: "failed",
      message: expect.stringContaining("none.mjs") });
    expect(await lambda({ exportName: "other" }).lambda.invoke({})).toMatchObject({ kind: "failed",
      errorType: "Runtime.HandlerNotFound" });
  });

  it("ends a running worker at once on crash, and starts afresh with the next event", async () => {
    const { lambda: target } = lambda();
    await answerOf(target, {});
    const running = target.invoke(event("hang"));
    await target.crash("at-work");
    expect(await running).toMatchObject({ kind: "crashed" });
    expect(JSON.parse((await answerOf(target, {})).body).calls).toBe(1);
  });

  it("finishes what runs and what waits before it stops, and refuses what comes later", async () => {
    const { lambda: target } = lambda({ bundle: bundle("single"), maxWorkers: 1 });
    const running = [target.invoke({}), target.invoke({})];
    await target.stop();
    expect(await Promise.all(running)).toMatchObject([{ kind: "answer" }, { kind: "answer" }]);
    expect(await target.invoke({})).toMatchObject({ kind: "failed", errorType: "Stopped" });
  });

  it("runs on a calendar that a test can move", async () => {
    const { lambda: target, clock } = lambda();
    const before = await answerOf(target, event("time"));
    Atomics.add(clock, 0, 86_400_000n);
    const after = await answerOf(target, event("time"));
    expect(after.now - before.now).toBeGreaterThanOrEqual(86_400_000);
    expect(after.date - before.date).toBeGreaterThanOrEqual(86_400_000);
    expect(after).toMatchObject({ fixed: "1970-01-01T00:00:00.000Z", isDate: true, own: true });
  });

  it("hands on each line that the function logs, before its answer", async () => {
    const { lambda: target, logs } = lambda();
    await answerOf(target, event("log"));
    expect(logs).toEqual(['{"level":"INFO","message":"hello"}', "bye"]);
  });
});

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import path from "node:path";
import { createInterface } from "node:readline";

import { arn } from "../local/aws/account.ts";
import { type InvocationResult, type Lambda, type LambdaOptions, runtimeEnvironment } from "../local/aws/lambda.ts";
import { readBody, startLoopbackServer } from "../local/aws/loopback.ts";

const CLIENT = path.join(import.meta.dirname, "node_modules/aws-lambda-ric/index.mjs");
const ASKED = /^\/2018-06-01\/runtime\/(?:invocation\/(?:(next)|([\w-]+)\/(response|error))|init\/(error))$/;
/** Only what hangs takes so long to load (ms). */
const INIT_LIMIT_MS = 60_000;

/** A function under Lambda's own runtime client, with how long it took from its process's start to its first wait. */
export interface ClientLambda extends Lambda {
  readonly startedMs: number | undefined;
}

/**
 * Runs a function as Lambda does: its folder under `aws-lambda-ric`, in a process that knows nothing but its
 * environment, and which is handed one event after the other by a Runtime API.
 */
export function clientLambda(options: LambdaOptions): ClientLambda {
  const events: { readonly id: string; readonly text: string }[] = [];
  const answers = new Map<string, (result: InvocationResult) => void>();
  const running = new Set<Promise<InvocationResult>>();
  let handOver: (() => void) | undefined;
  let failure: InvocationResult | undefined;
  let startedMs: number | undefined;
  let spawned = 0;

  const fail = (result: InvocationResult) => {
    failure = result;
    for (const answer of answers.values()) answer(result);
    answers.clear();
  };
  const serve = async () => startLoopbackServer({ port: 0 }, async (incoming, outgoing) => {
    const [, next, id = "", end, broken] = ASKED.exec(incoming.url ?? "") ?? [];
    if (next !== undefined) {
      startedMs ??= performance.now() - spawned;
      if (events.length === 0) {
        await new Promise<void>((resolve) => {
          handOver = resolve;
        });
      }
      const event = events.shift();
      if (event === undefined) return;
      outgoing.writeHead(200, { "content-type": "application/json", "lambda-runtime-aws-request-id": event.id,
        "lambda-runtime-deadline-ms": String(Date.now() + options.timeoutMs),
        "lambda-runtime-invoked-function-arn": arn("lambda", `function:${options.name}`),
        "lambda-runtime-trace-id": "Root=1-00000000-000000000000000000000000" }).end(event.text);
      return;
    }
    const payload = (await readBody(incoming)).toString("utf8");
    outgoing.writeHead(202, { "content-type": "application/json" }).end('{"status":"OK"}');
    const failed: InvocationResult = { kind: "failed", errorType: "Unhandled", message: payload };
    if (broken !== undefined) fail(failed);
    else answers.get(id)?.(end === "response" ? { kind: "answer", payload } : failed);
    answers.delete(id);
  });

  async function start() {
    const api = await serve();
    spawned = performance.now();
    const file = path.basename(options.bundle, ".mjs");
    const root = path.dirname(path.dirname(options.bundle));
    const child = spawn(process.execPath, [CLIENT], { cwd: root, stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], LAMBDA_TASK_ROOT: root, AWS_LAMBDA_RUNTIME_API: api.url.slice("http://".length),
        _HANDLER: `${path.basename(path.dirname(options.bundle))}/${file}.${options.exportName}`,
        ...runtimeEnvironment(options), ...options.environment() } });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => options.onLog?.(line));
    }
    child.once("exit", (code, signal) => {
      fail({ kind: "crashed", errorType: "Runtime.ExitError", message: `ended with ${String(code ?? signal)}` });
    });
    return { stop: async () => {
      child.removeAllListeners("exit");
      child.kill("SIGKILL");
      await api.stop();
    } };
  }

  let runtime: ReturnType<typeof start> | undefined;
  async function answerTo(event: unknown): Promise<InvocationResult> {
    runtime ??= start();
    await runtime;
    if (failure !== undefined) return failure;
    const id = randomUUID();
    const result = new Promise<InvocationResult>((resolve) => answers.set(id, resolve));
    events.push({ id, text: JSON.stringify(event) });
    handOver?.();
    const timer = setTimeout(() => {
      fail({ kind: "timeout", errorType: "Sandbox.Timedout", message: `${options.name} never answered` });
    }, INIT_LIMIT_MS + options.timeoutMs);
    return result.finally(() => clearTimeout(timer));
  }

  const nowhere = () => Promise.reject(new Error("Not under the runtime client."));
  return { name: options.name, get running() {
    return running.size;
  }, get startedMs() {
    return startedMs;
  }, invoke: async (event) => {
    const result = answerTo(event);
    running.add(result);
    return result.finally(() => running.delete(result));
  }, heapUsed: nowhere, crash: nowhere, stop: async () => {
    await Promise.all(running);
    await (await runtime)?.stop();
  } };
}

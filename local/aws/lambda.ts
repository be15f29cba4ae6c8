import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";
import * as z from "zod";
import { arn } from "./account.ts";
import { reportOf } from "./errors.ts";

/** How an invocation ended. `answer` is the JSON that the handler gave. */
export type InvocationResult =
  | { readonly kind: "answer"; readonly payload: string }
  | {
    /**
     * `failed`: thrown, or could not load. `timeout`: killed at its time-out. `crashed`: its worker was terminated.
     */
    readonly kind: "failed" | "timeout" | "crashed" | "throttled" | "too-large";
    readonly errorType: string;
    readonly message: string;
  };

/** What an invocation took, as Lambda reports it (ms). */
export interface InvocationReport {
  /** From the event to the end. */
  readonly durationMs: number;
  /** Of that, how long the function's own thread was at work and not waiting. */
  readonly busyMs: number;
  /** How long its environment took to load first; null: it was warm. */
  readonly initMs: number | null;
}

/** One function to run. */
export interface LambdaOptions {
  /** Its name on AWS. */
  readonly name: string;
  /** Absolute path of its bundle. */
  readonly bundle: string;
  readonly exportName: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  /** The whole environment: nothing of this process's own gets in. Asked for when a worker starts. */
  readonly environment: () => Record<string, string>;
  /**
   * Workers at once. What comes above it waits: a laptop has fewer environments than Lambda, but refuses nobody for
   * it.
   */
  readonly maxWorkers: number;
  /** As on Lambda: invocations above it are throttled at once. */
  readonly reservedConcurrency?: number | undefined;
  /** 8 bytes: milliseconds that the workers' calendars run ahead. */
  readonly clock: SharedArrayBuffer;
  /** Gets each line that the function writes to stdout or stderr. */
  readonly onLog?: ((line: string) => void) | undefined;
  /** Told of each invocation that ended. */
  readonly onReport?: ((report: InvocationReport) => void) | undefined;
}

/** A function with its pool of workers. */
export interface Lambda {
  readonly name: string;
  /** Runs the handler in a worker of its own, one event at a time a worker. Never rejects. */
  invoke(event: unknown): Promise<InvocationResult>;
  /** Invocations that run or wait. */
  readonly running: number;
  /** Bytes of heap, without garbage, that the worker which uses most has now. */
  heapUsed(): Promise<number>;
  /**
   * Terminates workers now, in the middle of whatever they do: all, or only those that are at work. The next
   * invocation starts afresh. Resolves when they are gone.
   */
  crash(which: "all" | "at-work"): Promise<void>;
  /** Lets what runs or waits finish, then ends the workers. Later invocations are refused. */
  stop(): Promise<void>;
}

/** Lambda's limit for a synchronous event and its answer, in bytes. */
const PAYLOAD_LIMIT = 6_291_556;
/**
 * Lambda gives a new environment ten seconds to load the code, outside the function's own time-out. This machine may
 * be busy with other things: only what hangs takes this long.
 */
const INIT_TIMEOUT_MS = 120_000;

/** What a worker tells. `broken`: it could not even load; `failed`: the handler threw. */
const workerMessage = z.discriminatedUnion("kind", [
  z.object({ kind: z.enum(["ready", "collected"]) }),
  z.object({ kind: z.literal("broken"), errorType: z.string(), message: z.string() }),
  z.object({ kind: z.literal("answer"), payload: z.string() }),
  z.object({ kind: z.literal("failed"), errorType: z.string(), message: z.string() }),
]);

/** Makes a function that can be invoked. No worker starts before the first event. */
export function createLambda(options: LambdaOptions): Lambda {
  const idle: Environment[] = [];
  const all = new Set<Environment>();
  const waiting: (() => void)[] = [];
  const running = new Set<Promise<InvocationResult>>();
  let stopped = false;

  async function free(): Promise<Environment> {
    for (;;) {
      const environment = idle.pop();
      if (environment !== undefined) return environment;
      if (all.size < options.maxWorkers) {
        const started = startEnvironment(options);
        all.add(started);
        void started.gone.then(() => {
          all.delete(started);
          const position = idle.indexOf(started);
          if (position >= 0) idle.splice(position, 1);
          waiting.shift()?.();
        });
        return started;
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  }

  async function run(event: string): Promise<InvocationResult> {
    const environment = await free();
    const result = await environment.handle(event);
    if (environment.alive) {
      idle.push(environment);
      waiting.shift()?.();
    }
    return result;
  }

  async function invoke(event: unknown): Promise<InvocationResult> {
    if (stopped) return { kind: "failed", errorType: "Stopped", message: `${options.name} is stopping` };
    if (options.reservedConcurrency !== undefined && running.size >= options.reservedConcurrency) {
      return { kind: "throttled", errorType: "TooManyRequestsException", message: "Rate Exceeded." };
    }
    const text = JSON.stringify(event);
    if (Buffer.byteLength(text) > PAYLOAD_LIMIT) {
      return { kind: "too-large", errorType: "RequestEntityTooLargeException",
        message: "The event is above Lambda's 6 MB." };
    }
    const result = run(text);
    running.add(result);
    try {
      return await result;
    } finally {
      running.delete(result);
    }
  }

  return { name: options.name, invoke, get running() {
    return running.size;
  }, heapUsed: async () => {
    const used = await Promise.all([...all].map(async (environment) => environment.heapUsed()));
    return Math.max(0, ...used);
  }, crash: async (which) => {
    const doomed = [...all].filter((environment) => which === "all" || !idle.includes(environment));
    await Promise.all(doomed.map((environment) => environment.kill("crashed")));
  }, stop: async () => {
    stopped = true;
    await Promise.all(running);
    await Promise.all([...all].map((environment) => environment.kill("crashed")));
  } };
}

/** One worker: loaded once, then one invocation after the other. */
interface Environment {
  readonly alive: boolean;
  /** Resolves when the worker has ended, whatever the reason. */
  readonly gone: Promise<void>;
  handle(event: string): Promise<InvocationResult>;
  heapUsed(): Promise<number>;
  kill(kind: "crashed" | "timeout"): Promise<void>;
}

function startEnvironment(options: LambdaOptions): Environment {
  const worker = new Worker(new URL("./lambda-worker.mjs", import.meta.url), {
    workerData: { bundle: options.bundle, exportName: options.exportName, functionName: options.name,
      functionArn: arn("lambda", `function:${options.name}`), memoryMb: options.memoryMb, clock: options.clock },
    env: { ...runtimeEnvironment(options), ...options.environment() },
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: options.memoryMb },
  });
  for (const stream of [worker.stdout, worker.stderr]) {
    createInterface({ input: stream }).on("line", (line) => options.onLog?.(line));
  }

  let alive = true;
  let end: InvocationResult = { kind: "crashed", errorType: "Runtime.ExitError",
    message: "The runtime exited before it answered." };
  let settle: ((result: InvocationResult) => void) | undefined;
  let loaded: (() => void) | undefined;
  let collected: (() => void) | undefined;
  const ready = new Promise<void>((resolve) => {
    loaded = resolve;
  });
  const started = performance.now();
  let isFirst = true;
  const finish = (result: InvocationResult): void => {
    settle?.(result);
    settle = undefined;
  };
  const gone = new Promise<void>((resolve) => {
    worker.once("exit", () => {
      alive = false;
      loaded?.();
      collected?.();
      finish(end);
      resolve();
    });
  });
  // An error that nothing in the function caught ends its environment, as on Lambda.
  worker.on("error", (error: unknown) => {
    alive = false;
    end = { kind: "failed", ...reportOf(error) };
  });
  worker.on("message", (raw: unknown) => {
    const message = workerMessage.parse(raw);
    switch (message.kind) {
      case "ready":
        loaded?.();
        break;
      case "collected":
        collected?.();
        break;
      case "broken":
        alive = false;
        end = { kind: "failed", errorType: message.errorType, message: message.message };
        void worker.terminate();
        break;
      case "answer":
        if (Buffer.byteLength(message.payload) <= PAYLOAD_LIMIT) finish(message);
        else {finish({ kind: "failed", errorType: "Function.ResponseSizeTooLarge",
            message: "The answer is above Lambda's 6 MB." });}
        break;
      case "failed":
        finish({ kind: "failed", errorType: message.errorType, message: message.message });
        break;
    }
  });

  async function kill(kind: "crashed" | "timeout"): Promise<void> {
    alive = false;
    if (kind === "timeout") {
      const seconds = (options.timeoutMs / 1000).toFixed(2);
      end = { kind, errorType: "Sandbox.Timedout", message: `Task timed out after ${seconds} seconds` };
    }
    await worker.terminate();
  }

  async function handle(event: string): Promise<InvocationResult> {
    const result = new Promise<InvocationResult>((resolve) => {
      settle = resolve;
    });
    const init = setTimeout(() => void kill("timeout"), INIT_TIMEOUT_MS);
    await ready;
    clearTimeout(init);
    const begun = performance.now();
    const usedBefore = worker.performance.eventLoopUtilization();
    if (alive) worker.postMessage({ event, requestId: randomUUID(), timeoutMs: options.timeoutMs });
    const timer = setTimeout(() => void kill("timeout"), options.timeoutMs);
    try {
      return await result;
    } finally {
      clearTimeout(timer);
      options.onReport?.({ durationMs: performance.now() - begun, initMs: isFirst ? begun - started : null,
        busyMs: worker.performance.eventLoopUtilization(usedBefore).active });
      isFirst = false;
    }
  }

  return { get alive() {
    return alive;
  }, gone, handle, kill, heapUsed: async () => {
    await ready;
    if (!alive) return 0;
    await new Promise<void>((resolve) => {
      collected = resolve;
      worker.postMessage("collect");
    });
    return alive ? (await worker.getHeapStatistics()).used_heap_size : 0;
  } };
}

/** What Lambda itself puts into a function's environment. */
export function runtimeEnvironment(options: LambdaOptions): Record<string, string> {
  return { TZ: ":UTC", AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x", AWS_LAMBDA_FUNCTION_NAME: options.name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST", AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(options.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand", AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${options.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: "local" };
}

// What runs inside a worker thread: one execution environment of one function. It imports the bundle, then handles one
// invocation at a time, as Lambda's runtime does. Plain JavaScript and no imports of ours, because a worker starts
// with every cold start: types to strip and a schema library made that three times as slow (40 → 120 ms).
import { enableCompileCache, syncBuiltinESMExports } from "node:module";
import timers from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import { pathToFileURL } from "node:url";

/**
 * What `lambda.ts` starts this with. `clock`: 8 shared bytes, milliseconds that this worker's calendar runs ahead.
 * @type {{ bundle: string, exportName: string, functionName: string, functionArn: string, memoryMb: number, clock:
 * SharedArrayBuffer }}
 */
const setup = workerData;

// Worker after worker loads the same bundle: what V8 made of it is kept in Node's own cache folder (by content and
// version), which saves a fifth of a cold start. Without a folder to write to, each compiles for itself.
// What may take longer is an invocation.
const LONGEST_CALL_MS = 10_000;
enableCompileCache();
shiftClock(new BigInt64Array(setup.clock));
shortenPatience(Number(process.env["PATIENCE"] ?? 1));
shortenWaits(Number(process.env["WAITS"] ?? 1));
const handler = await load();
if (handler !== undefined) {
  parentPort.on("message", (message) => message === "collect" ? collect() : void handle(message));
  parentPort.postMessage({ kind: "ready" });
}

/** Throws away what nothing holds any more: what the heap then has is held. */
function collect() {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  parentPort.postMessage({ kind: "collected" });
}

async function load() {
  try {
    const exported = (await import(pathToFileURL(setup.bundle).href))[setup.exportName];
    if (typeof exported === "function") return exported;
    const message = `${setup.exportName} is undefined or not exported`;
    parentPort.postMessage({ kind: "broken", errorType: "Runtime.HandlerNotFound", message });
  } catch (error) {
    parentPort.postMessage({ kind: "broken", ...report(error) });
  }
  return undefined;
}

/** @param {{ event: string, requestId: string, timeoutMs: number }} invocation */
async function handle({ event, requestId, timeoutMs }) {
  // The monotonic clock: the remaining time must not jump when a test moves the calendar.
  const deadline = performance.now() + timeoutMs;
  const context = { awsRequestId: requestId, callbackWaitsForEmptyEventLoop: true, functionName: setup.functionName,
    functionVersion: "$LATEST", invokedFunctionArn: setup.functionArn,
    logGroupName: `/aws/lambda/${setup.functionName}`, logStreamName: "local", memoryLimitInMB: String(setup.memoryMb),
    getRemainingTimeInMillis: () => Math.max(0, Math.round(deadline - performance.now())) };
  try {
    // Lambda answers with JSON; undefined becomes null.
    const payload = JSON.stringify(await handler(JSON.parse(event), context)) ?? "null";
    await handedOn();
    parentPort.postMessage({ kind: "answer", payload });
  } catch (error) {
    await handedOn();
    parentPort.postMessage({ kind: "failed", ...report(error) });
  }
}

/** Until what was logged has reached the parent: whoever has the answer has the lines. */
async function handedOn() {
  const under = [process.stdout, process.stderr].filter(({ writableLength }) => writableLength > 0);
  await Promise.all(under.map((stream) => new Promise((resolve) => stream.write("", resolve))));
}

/** @param {unknown} error */
function report(error) {
  if (!(error instanceof Error)) return { errorType: "Error", message: String(error) };
  return { errorType: error.name, message: error.stack ?? error.message };
}

/**
 * Makes the calendar run ahead by as many milliseconds as the parent writes into the shared cell, and by as many more
 * as this environment's clock is wrong (CLOCK_SKEW_MS).
 * @param {BigInt64Array} cell
 */
function shiftClock(cell) {
  const original = Date;
  const real = original.now;
  const wrong = Number(process.env["CLOCK_SKEW_MS"] ?? 0);
  const now = () => real() + Number(Atomics.load(cell, 0)) + wrong;
  globalThis.Date = new Proxy(original, {
    construct: (target, given, newTarget) =>
      Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
    apply: () => new Date(now()).toString(),
    get: (target, key, receiver) => (key === "now" ? now : Reflect.get(target, key, receiver)),
  });
  // So that `date.constructor === Date` stays true.
  original.prototype.constructor = Date;
}

/**
 * Lets the time limits of single calls be over sooner (PATIENCE, a share of them), so that a test of what never
 * answers needn't wait as long as a function does.
 * @param {number} share
 */
function shortenPatience(share) {
  if (share === 1) return;
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (ms) => timeout(ms > LONGEST_CALL_MS ? ms : Math.ceil(ms * share));
}

/**
 * Lets the pauses that a function makes be shorter (WAITS, a share of them), so that thousands of calls needn't take
 * hours.
 * @param {number} share
 */
function shortenWaits(share) {
  if (share === 1) return;
  const wait = timers.setTimeout;
  timers.setTimeout = (ms, ...rest) => wait(ms === undefined ? ms : ms * share, ...rest);
  syncBuiltinESMExports();
}

/**
 * `npm test`: the tests, and beside them types, lint and layout, whose findings are told after the tests, where they
 * can't be overlooked. `npm run unit`: the tests alone, with arguments for Jest. Nothing that it starts outlives it,
 * also when it is stopped half-way.
 */
import { type ChildProcess, spawn } from "node:child_process";

import { endWithParent } from "./end-with-parent.ts";

const STOPPED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** How long (ms) what is asked to end may take, before it is killed. */
const PATIENCE_MS = 3_000;

/** Each begins a process group of its own: a signal to that reaches Jest's workers, and what their tests started. */
const children = new Set<ChildProcess>();
let stoppedBy: (typeof STOPPED)[number] | undefined;

for (const signal of STOPPED) {
  process.on(signal, () => {
    stoppedBy = signal;
    for (const child of children) end(child);
  });
}
endWithParent();

const [mode, ...jestArguments] = process.argv.slice(2);
// Room for 16 MB of young objects from the start, also in the Lambda workers: loading bundles grew it bit by bit, an
// eighth of all the time.
const tests = run("inherit", "--min-semi-space-size=16", "node_modules/jest/bin/jest.js", ...jestArguments);
const checks = mode === "unit" ? [] : [
  run("pipe", "node_modules/typescript/bin/tsc"),
  run("pipe", "node_modules/oxlint/bin/oxlint"),
  run("pipe", "scripts/format.ts", "--check"),
];
const ended = await Promise.all([tests, ...checks]);
if (stoppedBy !== undefined) {
  for (const signal of STOPPED) process.removeAllListeners(signal);
  process.kill(process.pid, stoppedBy);
}
for (const { ok, output } of ended) if (!ok && output !== "") console.error(output);
process.exitCode = ended.every(({ ok }) => ok) ? 0 : 1;

async function run(stdio: "inherit" | "pipe",
  ...args: readonly string[]): Promise<{ readonly ok: boolean; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", stdio, stdio], detached: true,
      env: { ...process.env, LOG_LEVEL: "SILENT", POWERTOOLS_METRICS_DISABLED: "true",
        NODE_OPTIONS: "--disable-warning=ExperimentalWarning" } });
    children.add(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (part: string) => (output += part));
    }
    child.once("error", reject);
    child.once("close", (code) => {
      children.delete(child);
      resolve({ ok: code === 0, output });
    });
  });
}

/** Ends a child with all its group; what a test started there gets the signal too. */
function end({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  process.kill(-pid, "SIGTERM");
  setTimeout(() => {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // All of the group have ended.
    }
  }, PATIENCE_MS);
}

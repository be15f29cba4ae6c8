/**
 * `npm test`: the tests, and beside them types, lint and layout, whose findings are told after the tests, where they
 * can't be overlooked. Nothing that it starts outlives it, also when it is stopped half-way.
 */
import { type ChildProcess, spawn } from "node:child_process";

const STOPPED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Each begins a process group of its own: a signal to that reaches Jest's workers, and what their tests started. */
const children = new Set<ChildProcess>();
let stoppedBy: (typeof STOPPED)[number] | undefined;

for (const signal of STOPPED) {
  process.on(signal, () => {
    stoppedBy = signal;
    for (const child of children) end(child);
  });
}
// npm, killed, tells nobody: its children get another parent.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
}, 1_000).unref();

const [tests, ...checks] = await Promise.all([
  run("inherit", "npm", "run", "--silent", "unit"),
  run("pipe", process.execPath, "node_modules/typescript/bin/tsc"),
  run("pipe", process.execPath, "node_modules/oxlint/bin/oxlint"),
  run("pipe", process.execPath, "scripts/format.ts", "--check"),
]);
if (stoppedBy !== undefined) {
  for (const signal of STOPPED) process.removeAllListeners(signal);
  process.kill(process.pid, stoppedBy);
}
for (const { ok, output } of checks) if (!ok) console.error(output);
process.exitCode = [tests, ...checks].every(({ ok }) => ok) ? 0 : 1;

async function run(stdio: "inherit" | "pipe", command: string,
  ...args: readonly string[]): Promise<{ readonly ok: boolean; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", stdio, stdio], detached: true });
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

/** What doesn't end when it is asked to is killed: a busy loop, or a worker whose handler hangs. */
function end({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  process.kill(-pid, "SIGTERM");
  setTimeout(() => {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // All of the group have ended.
    }
  }, 3_000);
}

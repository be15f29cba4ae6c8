/** Runs the `serverless` command that package.json pins, on the Node that runs us: no global install, no shell. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";

import { projectRoot } from "../project-root.ts";

const cli = createRequire(import.meta.url).resolve("serverless/bin/serverless.js");

/** How the command ended. */
export interface ServerlessRun {
  /** The exit code; 1 if a signal ended it. */
  code: number;
  /** What it wrote, with `show: false`; otherwise empty, as the terminal had it. */
  output: string;
}

/**
 * Runs `serverless` with these arguments.
 * @param options.cwd the folder that holds serverless.yml; this project's if left out
 * @param options.show whether its output goes straight to the terminal
 */
export function runServerless(args: readonly string[],
  options: { cwd?: string; show: boolean }): Promise<ServerlessRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: options.cwd ?? projectRoot,
      stdio: options.show ? "inherit" : ["ignore", "pipe", "pipe"],
      // Otherwise it writes to the reader's home, which may be read-only, as in a container.
      env: { SLS_SCHEMA_CACHE_BASE_DIR: path.join(projectRoot, "node_modules/.cache"), ...process.env },
    });
    const written: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => written.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => written.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, output: Buffer.concat(written).toString("utf8") }));
  });
}

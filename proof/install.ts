import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import path from "node:path";

const here = import.meta.dirname;

/** Installs what the lock file beside this pins, unless it is there. No package runs a script of its own. */
export function install(): void {
  const installed = path.join(here, "node_modules/.package-lock.json");
  const isNew = existsSync(installed) &&
    statSync(installed).mtimeMs >= statSync(path.join(here, "package-lock.json")).mtimeMs;
  if (!isNew) npm(["ci", "--ignore-scripts", "--prefer-offline", "--loglevel=error"]);
}

/** Runs npm in this folder. */
export function npm(args: readonly string[], settings: Readonly<Record<string, string>> = {}): void {
  const { status } = spawnSync("npm", args, { cwd: here, stdio: ["ignore", 2, 2], env: { ...process.env, ...settings } });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} failed in ${here}: see what it said above.`);
}

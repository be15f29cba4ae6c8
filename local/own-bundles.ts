import { mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";

import { bundleFunctions, type BundleOptions } from "../scripts/bundling/bundle.ts";
import { projectRoot } from "../scripts/project-root.ts";
import { isAlive } from "./alive.ts";

/** Where local runs build: a folder for each process, by its id. */
const RUNS = path.join(projectRoot, ".local/bundles");

/**
 * Builds the functions into a folder of this process alone, and gives it: what others build meanwhile must not change
 * what a running stack does. It goes when the process ends; what killed ones left behind goes now.
 * @throws {ConfigError} as bundleFunctions
 */
export async function buildOwnBundles(options: Omit<BundleOptions, "outdir"> = {}, runs = RUNS): Promise<string> {
  mkdirSync(runs, { recursive: true });
  for (const run of readdirSync(runs)) {
    if (!isAlive(Number(run))) rmSync(path.join(runs, run), { recursive: true, force: true });
  }
  const outdir = path.join(runs, String(process.pid));
  process.once("exit", () => rmSync(outdir, { recursive: true, force: true }));
  await bundleFunctions({ ...options, outdir });
  return outdir;
}

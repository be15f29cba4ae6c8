/** Whether the functions start with the settings that they would get: asked of the bundles themselves. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";

import { readTemplate } from "../../local/aws/template.ts";
import { ConfigError } from "../../src/errors.ts";
import { projectRoot } from "../project-root.ts";

/** A function checks its settings as it is loaded. */
const LOADS = 'import(require("node:worker_threads").workerData).then(() => process.exit())';

/** Which stage's settings, and the parameters that win over serverless.yml's. */
export interface StartOptions {
  readonly stage: string;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Loads each function's bundle as its first start on AWS would, with the environment that serverless.yml gives it.
 * @throws {ConfigError} SETTING_INVALID, one line that names the function and what it says
 */
export async function requireStart(bundles: string, options: StartOptions): Promise<void> {
  const { functions } = readTemplate(readFileSync(path.join(projectRoot, "serverless.yml"), "utf8"), options);
  await Promise.all(functions.map(async ({ key, environment }) => {
    const file = path.join(bundles, `${key}.mjs`);
    const fault = await faultAtStart(file, { AWS_REGION: "eu-west-1", ...environment((queue) => queue) });
    if (fault !== null) throw new ConfigError("SETTING_INVALID", `The function ${key} would not start: ${fault}`);
  }));
}

function faultAtStart(file: string, env: Record<string, string>): Promise<string | null> {
  return new Promise((resolve) => {
    const worker = new Worker(LOADS, { eval: true, workerData: pathToFileURL(file).href, env, stdout: true,
      stderr: true });
    worker.once("error", (error: unknown) => resolve(error instanceof Error ? error.message : String(error)));
    worker.once("exit", () => resolve(null));
  });
}

/** The `--stage` of a command line, which is part of every name in AWS. */
import { parseArgs } from "node:util";

import { ConfigError } from "../../src/errors.ts";

/** The longest role name, `gumroad-auth0-STAGE-reconcile-REGION`, may have 64 characters. */
const pattern = /^[a-z][a-z0-9-]{0,19}$/;

/**
 * The stage that a command line asks for; everything else on it is left to `serverless`.
 * @returns the stage, or undefined if there is no --stage
 * @throws {ConfigError} STAGE_INVALID if it can't be part of a name
 */
export function stageOf(args: readonly string[]): string | undefined {
  const { values } = parseArgs({ args: [...args], options: { stage: { type: "string", short: "s" } }, strict: false,
    allowPositionals: true });
  const { stage } = values;
  if (stage === undefined) return undefined;
  if (typeof stage !== "string" || !pattern.test(stage)) {
    throw new ConfigError("STAGE_INVALID",
      "--stage needs a name of lower-case letters, digits and hyphens, 20 at most, such as prod.");
  }
  return stage;
}

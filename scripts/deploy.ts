/**
 * `npm run deploy -- --stage prod [--region eu-west-1] [--param "alarmEmail=you@example.com"]`: bundles, then
 * `serverless deploy` with these arguments and the AWS credentials of the shell. The stage has no default: nobody
 * deploys to the wrong one by leaving it out.
 */
import { checkParameters } from "./bundling/parameters.ts";
import { prepare } from "./bundling/prepare.ts";
import { runServerless } from "./bundling/serverless-cli.ts";
import { stageOf } from "./bundling/stage.ts";
import { ConfigError } from "../src/errors.ts";

const args = process.argv.slice(2);

try {
  if (stageOf(args) === undefined) {
    throw new ConfigError("STAGE_MISSING", "Say which stage to deploy: npm run deploy -- --stage prod");
  }
  checkParameters(args);
  await prepare(console.log);
  const { code } = await runServerless(["deploy", ...args], { show: true });
  process.exitCode = code;
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/**
 * `npm run package [-- --stage X]`: makes everything a deploy would send, offline and without credentials, in
 * .serverless. The stage is `dev` if not given; all arguments go on to `serverless package`.
 */
import { parametersIn } from "./bundling/parameters.ts";
import { prepare } from "./bundling/prepare.ts";
import { runServerless } from "./bundling/serverless-cli.ts";
import { stageOf } from "./bundling/stage.ts";
import { ConfigError } from "../src/errors.ts";

const args = process.argv.slice(2);

try {
  const stage = stageOf(args);
  const params = parametersIn(args);
  await prepare(console.log, { stage: stage ?? "dev", params });
  const { code, output } = await runServerless(["package", ...args,
    ...(stage === undefined ? ["--stage", "dev"] : [])], { show: false });
  if (code === 0) {
    console.log(`Packaged for stage ${stage ?? "dev"}: .serverless holds the template and a zip a function.`);
  } else console.error(output.trim());
  process.exitCode = code;
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/**
 * `npm run package [-- --stage X]`: makes everything a deploy would send, offline and without credentials, in
 * .serverless. The stage is `dev` if not given; all arguments go on to `serverless package`.
 */
import { FLAGS_USAGE, parametersIn, withoutEmptyParameters } from "./bundling/parameters.ts";
import { prepare } from "./bundling/prepare.ts";
import { runServerless } from "./bundling/serverless-cli.ts";
import { stageOf } from "./bundling/stage.ts";
import { ConfigError } from "../src/errors.ts";

const args = process.argv.slice(2);
if (args.includes("--help")) {
  console.log(`npm run package [-- FLAGS]

Makes all that a deployment sends, offline and without credentials, in .serverless; for stage dev if none is given.
${FLAGS_USAGE}`);
  process.exit();
}

try {
  const stage = stageOf(args);
  const params = parametersIn(args);
  await prepare(console.log, { stage: stage ?? "dev", params });
  const { code, output } = await runServerless(["package", ...withoutEmptyParameters(args),
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

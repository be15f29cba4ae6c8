/**
 * `npm run deploy -- --stage prod [--region eu-west-1] [--param "alarmEmail=you@example.com"] [--yes]`: bundles, says
 * who would gain or lose a role by the edited policy, and asks if anybody loses; then `serverless deploy` with these
 * arguments and the AWS credentials of the shell. The stage has no default: nobody deploys to the wrong one by leaving
 * it out.
 */
import { parseArgs } from "node:util";

import { planPolicy } from "../cli/operations/plan.ts";
import { openDeployedStage } from "../cli/stage/deployed.ts";
import { makeOutput } from "../cli/terminal/output.ts";
import { shownProgress } from "../cli/terminal/progress.ts";
import { terminalQuestions } from "../cli/terminal/questions.ts";
import { FLAGS_USAGE, parametersIn, withoutEmptyParameters } from "./bundling/parameters.ts";
import { readPolicy } from "./bundling/policy.ts";
import { prepare } from "./bundling/prepare.ts";
import { runServerless } from "./bundling/serverless-cli.ts";
import { stageOf } from "./bundling/stage.ts";
import { hasConsent } from "./deploying/consent.ts";
import { ConfigError } from "../src/errors.ts";

const args = process.argv.slice(2);
if (args.includes("--help")) {
  console.log(`npm run deploy -- --stage NAME [FLAGS]

Bundles, says who would gain or lose a role by the edited policy, asks if anybody loses, and deploys.

  --yes               deploys also if somebody loses a role${FLAGS_USAGE}`);
  process.exit();
}

try {
  const stage = stageOf(args);
  if (stage === undefined) {
    throw new ConfigError("STAGE_MISSING", "Say which stage to deploy: npm run deploy -- --stage prod");
  }
  const params = parametersIn(args);
  await prepare(console.log, { stage, params });
  process.exitCode = (await isMeant(stage)) ? await deploy() : 1;
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** Whether who would lose a role is meant to. */
async function isMeant(stage: string): Promise<boolean> {
  const { values } = parseArgs({ args, options: { region: { type: "string", short: "r" } }, strict: false,
    allowPositionals: true });
  // As serverless takes it, for the AWS SDK.
  if (typeof values.region === "string") process.env["AWS_REGION"] = values.region;
  const questions = process.stdin.isTTY && process.stderr.isTTY
    ? terminalQuestions({ input: process.stdin, output: process.stderr })
    : null;
  return hasConsent({ plan: async () => {
    const opened = await openDeployedStage(stage);
    const output = makeOutput({ print: console.log, colours: false, json: () => false });
    const shown = shownProgress({ output, questions, complain: console.error, now: Date.now });
    return planPolicy({ stage: opened, policy: readPolicy, now: opened.now, tell: shown.tell }).finally(() => {
      shown.stop();
      opened.close();
    });
  }, yes: args.includes("--yes"),
    confirm: questions === null ? null : (question) => questions.confirm(question, false), print: console.log,
    commandLine: (command) => `npx gumroad-auth0 ${command} --stage ${stage}` });
}

async function deploy(): Promise<number> {
  return (await runServerless(["deploy", ...withoutEmptyParameters(args).filter((arg) => arg !== "--yes")], {
    show: true,
  })).code;
}

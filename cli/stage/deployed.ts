import { CloudFormationClient, CloudFormationServiceException,
  DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";

import * as z from "zod";

import { ConfigError } from "../../src/errors.ts";
import type { Stage } from "./stage.ts";

/** Clocks that differ by less (ms) agree. */
const CLOCK_MS = 3_000;
const answerShape = z.object({ response: z.object({ headers: z.object({ date: z.string() }) }) });

/**
 * A stage on AWS: its names follow from the stage's, its addresses are outputs of its CloudFormation stack. Account
 * and region are the shell's.
 * @throws {ConfigError} STAGE_NOT_DEPLOYED; errors of the AWS SDK where the shell has no credentials, region or access
 */
export async function openDeployedStage(name: string): Promise<Stage> {
  const stack = `gumroad-auth0-${name}`;
  const { outputs, aheadMs } = await askedFor(stack, name);
  const deadLetters = output(outputs, "DeadLetterQueueUrl", name);
  const clients = { secretsManager: new SecretsManagerClient(), sqs: new SQSClient(), dynamo: new DynamoDBClient(),
    lambda: new LambdaClient() };
  return {
    name,
    pingAddress: output(outputs, "PingUrl", name),
    ...clients,
    // The two queues are of one account and region, so their URLs differ in the name only.
    queue: deadLetters.replace(/[^/]+$/, `${stack}-provision.fifo`),
    deadLetters,
    ledger: `${stack}-ledger`,
    accounts: `${stack}-accounts`,
    access: chosen(outputs, "Access", ["roles", "app_metadata"], name),
    gettingIn: chosen(outputs, "GettingIn", ["invite", "passwordless", "none"], name),
    emulators: null,
    now: () => Date.now() + aheadMs,
    close: () => {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}

/** The stack's outputs, and how far AWS's clock is ahead of this machine's: what the functions of the stage go by. */
async function askedFor(stack: string,
  stage: string): Promise<{ readonly outputs: ReadonlyMap<string, string>; readonly aheadMs: number }> {
  const client = new CloudFormationClient();
  let aheadMs = 0;
  client.middlewareStack.add((next) => async (args) => {
    const result = await next(args);
    const { data } = answerShape.safeParse(result);
    const differsMs = data === undefined ? 0 : Date.parse(data.response.headers.date) - Date.now();
    // The header has whole seconds, and was a while on its way.
    if (Math.abs(differsMs) > CLOCK_MS) aheadMs = differsMs;
    return result;
  }, { step: "deserialize", name: "clockOfAws" });
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    const outputs = (Stacks[0]?.Outputs ?? []).map(({ OutputKey = "", OutputValue = "" }) =>
      [OutputKey, OutputValue] as const
    );
    return { outputs: new Map(outputs), aheadMs };
  } catch (error) {
    // CloudFormation has no error of its own for a stack that isn't there.
    if (!(error instanceof CloudFormationServiceException) || error.name !== "ValidationError" ||
      !/does not exist/.test(error.message)) throw error;
    throw notDeployed(`there is no stack ${stack} in ${await client.config.region()}`, stage, error);
  } finally {
    client.destroy();
  }
}

function output(outputs: ReadonlyMap<string, string>, key: string, stage: string): string {
  const value = outputs.get(key);
  if (value === undefined || value === "") throw notDeployed(`the stack of ${stage} has no output ${key}`, stage);
  return value;
}

function chosen<T extends string>(outputs: ReadonlyMap<string, string>, key: string, values: readonly T[],
  stage: string): T {
  const value = values.find((one) => one === output(outputs, key, stage));
  if (value === undefined) {
    throw notDeployed(`the stack of ${stage} has an output ${key} that this program doesn't know`, stage);
  }
  return value;
}

function notDeployed(what: string, stage: string, cause?: unknown): ConfigError {
  return new ConfigError("STAGE_NOT_DEPLOYED",
    `${what}: deploy it with npm run deploy -- --stage ${stage}, or choose another region with AWS_REGION`, { cause });
}

import path from "node:path";

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import * as z from "zod";

import { projectRoot } from "../../scripts/project-root.ts";
import { CREDENTIALS, REGION } from "../../local/aws/account.ts";
import { OPERATOR_CREDENTIALS } from "../../local/aws/secrets.ts";
import { readStackFile, type StackFile } from "../../local/stack-file.ts";
import { environmentWith, portOf } from "../../local/start-settings.ts";
import { ConfigError } from "../../src/errors.ts";
import type { Stage } from "./stage.ts";

/** What a running local stack tells of itself, as far as a stage needs it. */
export type LocalAddresses = Pick<StackFile,
  "url" | "auth0" | "gumroad" | "sqs" | "dynamodb" | "lambda" | "secretsmanager" | "access" | "gettingIn">;

const DEFAULT_PORT = 3000;
const clockShape = z.object({ now: z.iso.datetime() });

/**
 * The stage of the `npm start` that runs on `PORT` (from the environment or .env; 3000).
 * @throws {ConfigError} STAGE_NOT_RUNNING
 */
export async function openLocalStage(env: NodeJS.ProcessEnv): Promise<Stage> {
  const port = portOf("PORT", environmentWith(path.join(projectRoot, ".env"), env)["PORT"], DEFAULT_PORT);
  const stack = readStackFile(path.join(projectRoot, ".local"), port);
  if (stack === undefined) {
    throw new ConfigError("STAGE_NOT_RUNNING",
      `nothing runs on port ${
        String(port)
      }: start it with npm start, set PORT to the port it runs on, or name a deployed stage with --stage`);
  }
  return localStage(stack, await clockOf(stack.gumroad));
}

/**
 * A stage over the parts of a local stack.
 * @throws {ConfigError} STAGE_NOT_RUNNING where a part is missing
 */
export function localStage(
  { url, auth0, gumroad, sqs, dynamodb, lambda, secretsmanager, access, gettingIn }: LocalAddresses,
  now: () => number,
): Stage {
  const queue = named(sqs.queues, "ProvisionQueue");
  const deadLetters = named(sqs.queues, "DeadLetterQueue");
  const ledger = named(dynamodb.tables, "LedgerTable");
  const accounts = named(dynamodb.tables, "AccountsTable");
  const shared = { region: REGION, credentials: CREDENTIALS };
  const clients = {
    secretsManager: new SecretsManagerClient({ ...shared, credentials: OPERATOR_CREDENTIALS,
      endpoint: secretsmanager.endpoint }),
    sqs: new SQSClient({ ...shared, endpoint: sqs.endpoint }),
    dynamo: new DynamoDBClient({ ...shared, endpoint: dynamodb.endpoint }),
    lambda: new LambdaClient({ ...shared, endpoint: lambda.endpoint }),
  };
  return { name: "local", pingAddress: `${url}/ping`, ...clients, queue, deadLetters, ledger, accounts, access,
    gettingIn, emulators: { auth0: auth0.emulator, gumroad: gumroad.emulator }, now, close: () => {
      for (const client of Object.values(clients)) client.destroy();
    } };
}

/**
 * The clock that the stack's functions and its shop go by, which may be ahead of the machine's.
 * @throws {ConfigError} STAGE_NOT_RUNNING if nothing answers there
 */
export async function clockOf({ emulator }: LocalAddresses["gumroad"]): Promise<() => number> {
  const answer: unknown = await fetch(`${emulator}/_emulator/advance`).then((response) => response.json()).catch(() =>
    null
  );
  const parsed = clockShape.safeParse(answer);
  if (!parsed.success) {
    throw new ConfigError("STAGE_NOT_RUNNING",
      `the running npm start doesn't say what time it is, at ${emulator}: stop it and start it again`);
  }
  const aheadMs = Date.parse(parsed.data.now) - Date.now();
  return () => Date.now() + aheadMs;
}

function named(names: Readonly<Record<string, string>>, logicalId: string): string {
  const name = names[logicalId];
  if (name === undefined) {
    throw new ConfigError("STAGE_NOT_RUNNING",
      `the running npm start has no ${logicalId}: it is older than this program; stop it and start it again`);
  }
  return name;
}

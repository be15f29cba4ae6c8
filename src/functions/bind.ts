import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";

import { answerLogin, bindSecretShape } from "../at-login/bind.ts";
import { awsLimits } from "../config/aws.ts";
import { optionalSecret, secretOf } from "../config/secret.ts";
import { requiredSetting } from "../config/settings.ts";
import { httpHandler, json } from "../http/handler.ts";
import { ledgerTable } from "../ledger/keys.ts";
import { loadRecord } from "../ledger/ledger.ts";
import policy from "../products.ts";
import { sqsQueue } from "../queue/queue.ts";

/** The Action waits 3 s, a cold start and the way here and back included: an answer after that reaches nobody. */
const DEADLINE_MS = 2_000;

const limits = awsLimits({ connectMs: 500, requestMs: 1_000, attempts: 2 });
const dynamo = new DynamoDBClient(limits);
const table = requiredSetting("LEDGER_TABLE");
const secret = secretOf({ client: new SecretsManagerClient(limits), id: requiredSetting("BIND_SECRET"),
  shape: bindSecretShape });
const queue = sqsQueue(new SQSClient(limits), requiredSetting("QUEUE_URL"));
const atLogin = { secret: { get: optionalSecret(secret), reread: secret.reread }, queue, policy, now: Date.now,
  load: (email: string, signal: AbortSignal) => loadRecord(ledgerTable(dynamo, table, signal), email) };

/** `POST /bind`: tells the post-login Action what a verified email bought, and provision who logged in. */
export const handler = httpHandler(async (event) =>
  json(await answerLogin(event, atLogin, AbortSignal.timeout(DEADLINE_MS)))
);

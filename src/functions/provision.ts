import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import middy from "@middy/core";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";

import { auth0Directory } from "../auth0/directory.ts";
import { auth0SecretShape } from "../auth0/secret.ts";
import { awsLimits } from "../config/aws.ts";
import { optionalSecret, secretOf } from "../config/secret.ts";
import { chosenSetting, requiredSetting } from "../config/settings.ts";
import { gumroadApi } from "../gumroad/api.ts";
import { gumroadSecretShape } from "../gumroad/secret.ts";
import { retryingFetch } from "../http/retry.ts";
import { ledgerTable } from "../ledger/keys.ts";
import { dynamoTombstones } from "../ledger/tombstones.ts";
import { count, countAuth0Calls } from "../metrics.ts";
import policy from "../products.ts";
import { provisionBatch } from "../provisioning/batch.ts";
import { storeOn } from "../provisioning/context.ts";
import { forgetSecretShape, whoWasForgotten } from "../provisioning/forgotten.ts";
import { workQueue } from "../queue/queue.ts";
import { outsideRolesOf } from "../queue/sender.ts";

/** What stays, when the time for Auth0 is up, for writing that down. */
const NOTING_MS = 12_000;
/** What stays after that for letting the messages come back. */
const CLOSING_MS = 5_000;

const limits = awsLimits({ connectMs: 1_000, requestMs: 2_000, attempts: 2 });
const secrets = new SecretsManagerClient(limits);
const dynamo = new DynamoDBClient(limits);
const tableName = requiredSetting("LEDGER_TABLE");
const settings = { place: chosenSetting("ACCESS", ["roles", "app_metadata"]),
  gettingIn: chosenSetting("GETTING_IN", ["invite", "passwordless", "none"]) };
const outsideRoles = outsideRolesOf(requiredSetting("OUTSIDE_ROLES"));
/** Calls to Auth0 since the last invocation told of them. */
let auth0Calls = 0;
const auth0 = auth0Directory({
  secret: secretOf({ client: secrets, id: requiredSetting("AUTH0_SECRET"), shape: auth0SecretShape }),
  fetch: (input, init) => {
    auth0Calls += 1;
    return fetch(input, init);
  },
  passwordless: settings.gettingIn === "passwordless",
  onThrottled: () => count("Throttled"),
});
const gumroadSecret = secretOf({ client: secrets, id: requiredSetting("GUMROAD_SECRET"), shape: gumroadSecretShape });
const gumroadCredentials = optionalSecret(gumroadSecret);
const api = gumroadApi({ secret: gumroadSecret, fetch: retryingFetch({ service: "GUMROAD", kindOf: () => "read" }),
  onFailure: () => count("GumroadFailed") });
const gumroad = async (signal: AbortSignal) => ((await gumroadCredentials(signal)) === null ? null : api);
const forgetSecret = optionalSecret(
  secretOf({ client: secrets, id: requiredSetting("FORGET_SECRET"), shape: forgetSecretShape }),
);
const queue = workQueue(new SQSClient(limits), { queue: requiredSetting("QUEUE_URL"),
  deadLetters: requiredSetting("DEAD_LETTER_QUEUE_URL") });

/** Turns messages from the queue into roles at Auth0. A batch may hold many buyers; only what failed comes back. */
export const handler = middy<SQSEvent, SQSBatchResponse>().handler(async (event, context) => {
  const within = (reserve: number) =>
    AbortSignal.timeout(Math.max(1_000, context.getRemainingTimeInMillis() - reserve));
  const signal = within(NOTING_MS);
  const table = ledgerTable(dynamo, tableName, within(CLOSING_MS));
  const tombstones = whoWasForgotten(() => forgetSecret(signal), (key) => dynamoTombstones(table, key));
  const failed = await provisionBatch(event.Records, { store: { ...storeOn(table), tombstones }, auth0, gumroad, queue,
    policy, settings, now: Date.now, signal }, outsideRoles);
  countAuth0Calls(auth0Calls);
  auth0Calls = 0;
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
});

import { setTimeout as wait } from "node:timers/promises";

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import middy from "@middy/core";

import { awsLimits } from "../config/aws.ts";
import { optionalSecret, secretOf } from "../config/secret.ts";
import { requiredSetting } from "../config/settings.ts";
import { gumroadApi } from "../gumroad/api.ts";
import { gumroadSecretShape } from "../gumroad/secret.ts";
import { retryingFetch } from "../http/retry.ts";
import { ledgerTable } from "../ledger/keys.ts";
import { dynamoLedger } from "../ledger/ledger.ts";
import { setHolders } from "../ledger/losses.ts";
import { dynamoSurvey } from "../ledger/survey.ts";
import { dynamoSweeps } from "../ledger/sweeps.ts";
import { count } from "../metrics.ts";
import policy from "../products.ts";
import { bulkQueue } from "../queue/queue.ts";
import { askedSweep, reconcile } from "../sweeping/reconcile.ts";
import { listedRunning } from "../sweeping/running.ts";
import { shopOf } from "../sweeping/shop.ts";

/** Begin no page this long before the function's time is up: one may take a dozen calls of Gumroad's. */
const PAGE_MS = 20_000;
/** End every call this long before. */
const CLOSING_MS = 5_000;

const limits = awsLimits({ connectMs: 1_000, requestMs: 3_000, attempts: 3 });
const dynamo = new DynamoDBClient(limits);
const tableName = requiredSetting("LEDGER_TABLE");
const queue = bulkQueue(new SQSClient(limits), requiredSetting("QUEUE_URL"));
const secret = secretOf({ client: new SecretsManagerClient(limits), id: requiredSetting("GUMROAD_SECRET"),
  shape: gumroadSecretShape });
const api = gumroadApi({ secret, fetch: retryingFetch({ service: "GUMROAD", kindOf: () => "read" }),
  onFailure: () => count("GumroadFailed") });
const running = listedRunning();
const openShop = shopOf(api, optionalSecret(secret));

/**
 * Every minute: the buyers whose due time has come go back to the queue, and the sweeps look for what no ping told.
 * `{"sweep": "recent"}` (or `daily`, `weekly`) begins that one anew at once; with `"goOn": true` it goes on.
 */
export const handler = middy<unknown, Awaited<ReturnType<typeof reconcile>>>().handler(async (event, context) => {
  const within = (reserve: number) =>
    AbortSignal.timeout(Math.max(1_000, context.getRemainingTimeInMillis() - reserve));
  const deadline = within(CLOSING_MS);
  const table = ledgerTable(dynamo, tableName, deadline);
  return reconcile(askedSweep(event), { ledger: dynamoLedger(table), survey: dynamoSurvey(table),
    sweeps: dynamoSweeps(table), setHolders: (productId, holders) => setHolders(table, productId, holders), queue,
    openShop, running, policy, now: Date.now, wait, enough: within(PAGE_MS), deadline,
    requestId: context.awsRequestId });
});

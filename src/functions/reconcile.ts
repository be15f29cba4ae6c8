import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import middy from "@middy/core";
import type { ScheduledEvent } from "aws-lambda";

import { awsLimits } from "../config/aws.ts";
import { requiredSetting } from "../config/settings.ts";
import { dynamoLedger } from "../ledger/ledger.ts";
import { log } from "../log.ts";
import { sendDueBuyers } from "../provisioning/due.ts";
import { dueSender } from "../queue/queue.ts";

/** Stop reading pages this long before the function's time is up. */
const CLOSING_MS = 5_000;

const limits = awsLimits({ connectMs: 1_000, requestMs: 3_000, attempts: 3 });
const ledger = dynamoLedger(new DynamoDBClient(limits), requiredSetting("LEDGER_TABLE"));
const send = dueSender(new SQSClient(limits), requiredSetting("QUEUE_URL"));

/** Every minute: the buyers whose due time has come go back to the queue. */
export const handler = middy<ScheduledEvent>().handler(async (_event, context) => {
  const enough = AbortSignal.timeout(Math.max(1_000, context.getRemainingTimeInMillis() - CLOSING_MS));
  const sent = await sendDueBuyers(ledger, send, Date.now(), context.awsRequestId, enough);
  if (sent > 0) log.info("sent due buyers to the queue", { sent });
});

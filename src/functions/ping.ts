import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";

import { awsLimits } from "../config/aws.ts";
import { secretOf } from "../config/secret.ts";
import { requiredSetting } from "../config/settings.ts";
import { httpHandler, json } from "../http/handler.ts";
import policy from "../products.ts";
import { deadLetterQueue, sqsQueue } from "../queue/queue.ts";
import { receivePing } from "../receiving/receive.ts";
import { pingSecretShape } from "../receiving/token.ts";

/** Gumroad gives up after 5 s; secret and queue together have this long, and the rest is for a cold start. */
const DEADLINE_MS = 3_500;

const limits = awsLimits({ connectMs: 500, requestMs: 1_500, attempts: 2 });
const sqs = new SQSClient(limits);
const receiving = {
  secret: secretOf({ client: new SecretsManagerClient(limits), id: requiredSetting("PING_SECRET"),
    shape: pingSecretShape }),
  queue: sqsQueue(sqs, requiredSetting("QUEUE_URL")),
  deadLetters: deadLetterQueue(sqs, requiredSetting("DEAD_LETTER_QUEUE_URL")),
  policy,
  now: Date.now,
};

/** `POST /ping/{token+}`, or `POST /ping` with the token as Basic auth: takes a ping in, or says why not. */
export const handler = httpHandler(async (event) => {
  await receivePing(event, receiving, AbortSignal.timeout(DEADLINE_MS));
  return json({});
});

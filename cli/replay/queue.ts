import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";

import { CREDENTIALS, REGION } from "../../local/aws/account.ts";
import type { StackFile } from "../../local/stack-file.ts";

/** The queue that provisioning works off, in serverless.yml. */
const QUEUE = "ProvisionQueue";
const POLL_MS = 50;

/** Waits until the local queue is empty, at most `limitMs`. Gives the messages still there, waiting or in flight. */
export async function waitForQueue({ sqs }: StackFile, limitMs: number): Promise<number> {
  const QueueUrl = sqs.queues[QUEUE];
  if (QueueUrl === undefined) return 0;
  const client = new SQSClient({ endpoint: sqs.endpoint, region: REGION, credentials: CREDENTIALS });
  const deadline = performance.now() + limitMs;
  try {
    for (;;) {
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl,
          AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed"] }),
      );
      const left = Object.values(Attributes ?? {}).reduce((sum, count) => sum + Number(count), 0);
      if (left === 0 || performance.now() >= deadline) return left;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    client.destroy();
  }
}

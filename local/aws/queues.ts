import { ChangeMessageVisibilityCommand, CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { buildApp } from "fauxqs";
import * as z from "zod";
import { closeToPages } from "./loopback.ts";
import { arn, CREDENTIALS, REGION } from "./account.ts";
import type { QueueSpec } from "./template.ts";

const message = z.object({ messageId: z.string(), body: z.string(), sentTimestamp: z.number(),
  approximateReceiveCount: z.number(), messageGroupId: z.string().optional(),
  messageDeduplicationId: z.string().optional() });
const inspection = z.object({
  messages: z.object({ ready: z.array(message), delayed: z.array(message),
    inflight: z.array(z.object({ message, receiptHandle: z.string(), visibilityDeadline: z.number() })) }),
});

/** A message in a queue. */
export type QueuedMessage = z.infer<typeof message>;

/** A message that somebody received and has not deleted; it is visible again at the deadline (epoch ms). */
export type InFlightMessage = z.infer<typeof inspection>["messages"]["inflight"][number];

/** The running SQS double with the template's queues. */
export interface Queues {
  readonly url: string;
  readonly client: SQSClient;
  /** A queue's URL as the template's `!Ref` gives it. */
  queueUrl(name: string): string;
  /** What is in a queue, without touching it. */
  inspect(name: string): Promise<{ waiting: QueuedMessage[]; inFlight: InFlightMessage[] }>;
  /** Makes messages in flight visible at once. */
  release(name: string, messages: readonly InFlightMessage[]): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts fauxqs with the queues, in memory. It is built here and not by its own `startFauxqs`, which listens on all
 * of the machine's addresses.
 */
export async function startQueues(specs: readonly QueueSpec[]): Promise<Queues> {
  const app = buildApp({ logger: false });
  closeToPages(app.server);
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  const client = new SQSClient({ endpoint: url, region: REGION, credentials: CREDENTIALS, maxAttempts: 1 });
  const queueUrl = (name: string): string => `${url}/${arn("sqs", name).split(":")[4] ?? ""}/${name}`;

  async function stop(): Promise<void> {
    client.destroy();
    await app.close();
  }

  try {
    for (const spec of specs) {
      await client.send(new CreateQueueCommand({ QueueName: spec.name, Attributes: spec.attributes }));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, client, queueUrl, stop, inspect: async (name) => {
    const answer = await app.inject({ method: "GET", url: `/_fauxqs/queues/${name}` });
    const { ready, delayed, inflight } = inspection.parse(answer.json()).messages;
    return { waiting: [...ready, ...delayed], inFlight: inflight };
  }, release: async (name, messages) => {
    for (const { receiptHandle } of messages) {
      const command = new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl(name), ReceiptHandle: receiptHandle,
        VisibilityTimeout: 0 });
      await client.send(command).catch((error: unknown) => {
        // Somebody was done with it just now, or let it come back.
        if (!(error instanceof Error && error.name === "MessageNotInflight")) throw error;
      });
    }
  } };
}

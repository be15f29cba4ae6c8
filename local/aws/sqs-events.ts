import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import * as z from "zod";
import { arn, REGION } from "./account.ts";
import { messageOf } from "./errors.ts";
import type { InvocationResult, Lambda } from "./lambda.ts";
import type { Queues } from "./queues.ts";

/** One queue that feeds one function. */
export interface SqsSourceOptions {
  readonly queues: Queues;
  readonly queueName: string;
  readonly lambda: Lambda;
  readonly batchSize: number;
  /** Invocations at once. */
  readonly maximumConcurrency: number;
  /** Whether the answer's `batchItemFailures` counts. */
  readonly partialFailures: boolean;
  /** Told of an invocation that failed as a whole, and of a queue that can't be read. */
  readonly onError?: ((text: string) => void) | undefined;
}

/** A running event source mapping. */
export interface SqsSource {
  /** Receipts of the messages that an invocation has in its hands now. */
  readonly inHand: ReadonlySet<string>;
  /** Receives no more; running invocations finish and what succeeded is deleted. */
  stop(): Promise<void>;
}

const LONG_POLL_SECONDS = 20;
/** Before the queue is asked again after it could not be read. */
const ERROR_PAUSE_MS = 200;

/**
 * Feeds a queue's messages to a function as Lambda's event source mapping does: as many pollers as invocations may run
 * at once, so a message that waits for a free worker uses up no receive. What succeeded is deleted; the rest is left
 * to its visibility time-out, which is the function's own to change.
 */
export function startSqsSource(options: SqsSourceOptions): SqsSource {
  const stopping = new AbortController();
  const inHand = new Set<string>();
  const { client } = options.queues;
  const QueueUrl = options.queues.queueUrl(options.queueName);

  async function receive(): Promise<Message[]> {
    const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: Math.min(options.batchSize, 10),
      WaitTimeSeconds: LONG_POLL_SECONDS, MessageSystemAttributeNames: ["All"], MessageAttributeNames: ["All"] });
    const received = await client.send(command, { abortSignal: stopping.signal });
    return received.Messages ?? [];
  }

  async function work(messages: readonly Message[]): Promise<void> {
    for (const { ReceiptHandle } of messages) inHand.add(ReceiptHandle ?? "");
    try {
      const result = await options.lambda.invoke({
        Records: messages.map((message) => record(message, options.queueName)),
      });
      if (result.kind !== "answer") {
        options.onError?.(`${options.lambda.name}: ${result.errorType}: ${result.message}`);
      }
      const failed = failedIds(result, messages, options.partialFailures);
      const done = messages.filter(({ MessageId }) => !failed.has(MessageId ?? ""));
      if (done.length === 0) return;
      await client.send(
        new DeleteMessageBatchCommand({ QueueUrl,
          Entries: done.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })) }),
      );
    } finally {
      for (const { ReceiptHandle } of messages) inHand.delete(ReceiptHandle ?? "");
    }
  }

  async function poll(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const messages = await receive();
        if (messages.length > 0) await work(messages);
      } catch (error) {
        if (stopping.signal.aborted) return;
        options.onError?.(`${options.queueName} can't be read: ${messageOf(error)}`);
        await new Promise((resolve) => setTimeout(resolve, ERROR_PAUSE_MS));
      }
    }
  }

  const pollers = Array.from({ length: options.maximumConcurrency }, poll);
  return { inHand, stop: async () => {
    stopping.abort();
    await Promise.all(pollers);
  } };
}

/** One record of the event, in Lambda's spelling. */
function record(message: Message, queueName: string): Record<string, unknown> {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [
    name,
    { stringValue: value.StringValue, binaryValue: value.BinaryValue, stringListValues: [], binaryListValues: [],
      dataType: value.DataType },
  ]);
  return { messageId: message.MessageId, receiptHandle: message.ReceiptHandle, body: message.Body,
    attributes: { SenderId: "local", ...message.Attributes }, messageAttributes: Object.fromEntries(attributes),
    md5OfBody: message.MD5OfBody, eventSource: "aws:sqs", eventSourceARN: arn("sqs", queueName), awsRegion: REGION };
}

const partial = z.object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish() })
  .nullable();

/**
 * The ids of the messages that failed. All of them if the invocation failed, or if its answer is malformed or names a
 * message that wasn't in the batch (Lambda's documented rule); none for an empty answer.
 */
function failedIds(result: InvocationResult, messages: readonly Message[],
  partialFailures: boolean): ReadonlySet<string> {
  const all = new Set(messages.map(({ MessageId }) => MessageId ?? ""));
  if (result.kind !== "answer") return all;
  if (!partialFailures) return new Set();
  const payload: unknown = JSON.parse(result.payload);
  if (payload === "") return new Set();
  const answer = partial.safeParse(payload);
  if (!answer.success) return all;
  const failed = (answer.data?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
  return failed.every((id) => all.has(id)) ? new Set(failed) : all;
}

import { randomUUID } from "node:crypto";

import { ChangeMessageVisibilityCommand, GetQueueAttributesCommand, SendMessageBatchCommand, SendMessageCommand,
  type SQSClient } from "@aws-sdk/client-sqs";

import { TemporaryError, type RefusedError } from "../errors.ts";
import { log } from "../log.ts";
import { count } from "../metrics.ts";
import { digest, type MessageOf, type Message } from "./message.ts";

/** The FIFO queue of the buyers. Every method of these throws TemporaryError QUEUE_UNREACHABLE. */
export type Queue = ReturnType<typeof sqsQueue>;

/** The queue for what can never be right. */
export type DeadLetterQueue = ReturnType<typeof deadLetterQueue>;

/** Both, for whoever works the first one off. */
export type WorkQueue = ReturnType<typeof workQueue>;

/** The same queue for bulk work, which must hold up nobody. */
export type BulkQueue = ReturnType<typeof bulkQueue>;

/** A message of `reconcile`'s, with an id as for `Queue.send`. */
export type BulkMessage = { readonly message: MessageOf<"due" | "hint">; readonly id: string };

/** SQS takes ten entries a batch. */
const BATCH = 10;
/** Bytes of a body that are kept: in base64 they still fit the first queue (256 KiB), if a letter is moved back. */
const KEPT_BYTES = 160 * 1024;

/** The queue at this URL. */
export function sqsQueue(client: SQSClient, QueueUrl: string) {
  return {
    /** Puts a message into its buyer's group. The same `id` within five minutes is sent once. */
    send: async (message: Message, id: string, signal?: AbortSignal) => {
      await reached(client.send(new SendMessageCommand({ QueueUrl, ...entryOf(message, id) }), until(signal)));
    },
  };
}

/** The dead-letter queue at this URL. */
export function deadLetterQueue(client: SQSClient, QueueUrl: string) {
  return {
    /** Keeps what can never be right, says so in the log and counts it for the alarm. */
    keep: async ({ code, message: reason }: RefusedError, requestId: string, text: string, signal?: AbortSignal) => {
      const body = Buffer.from(text, "utf8");
      const letter = { code, reason, requestId, body: body.subarray(0, KEPT_BYTES).toString("base64"),
        bodyBytes: body.length };
      // Letters have no order, and one that was sent back and came here again within five minutes must not vanish.
      const id = randomUUID();
      const command = new SendMessageCommand({ QueueUrl, MessageBody: asciiJson(letter), MessageGroupId: id,
        MessageDeduplicationId: id });
      await reached(client.send(command, until(signal)));
      count("DeadLettered");
      log.error("kept in the dead-letter queue", { requestId, code, reason });
    },
  };
}

/** The queues at these URLs. */
export function workQueue(client: SQSClient, urls: Readonly<Record<"queue" | "deadLetters", string>>) {
  return {
    ...sqsQueue(client, urls.queue),
    ...deadLetterQueue(client, urls.deadLetters),
    /** Makes a message that failed come back after so many seconds, instead of after the whole visibility time-out. */
    retryIn: async (ReceiptHandle: string, VisibilityTimeout: number, signal?: AbortSignal) => {
      const command = new ChangeMessageVisibilityCommand({ QueueUrl: urls.queue, ReceiptHandle, VisibilityTimeout });
      await reached(client.send(command, until(signal)));
    },
  };
}

/**
 * The queue at this URL, for many messages at once. `counted`: its depth is what waits for a worker, for what rests
 * until its time comes is in nobody's way; or `all`, to see the end of something.
 */
export function bulkQueue(client: SQSClient, QueueUrl: string, counted: "waiting" | "all" = "waiting") {
  return {
    /** Sends many, ten a call. */
    send: async (messages: readonly BulkMessage[], signal?: AbortSignal) => {
      for (let start = 0; start < messages.length; start += BATCH) {
        const Entries = messages.slice(start, start + BATCH).map(({ message, id }, index) => ({ Id: String(index),
          ...entryOf(message, id) })
        );
        const { Failed = [] } = await reached(
          client.send(new SendMessageBatchCommand({ QueueUrl, Entries }), until(signal)),
        );
        if (Failed.length > 0) throw unreachable(new Error(`${String(Failed.length)} of a batch were not taken`));
      }
    },
    /** How many messages it holds. SQS counts with a delay of up to a minute. */
    depth: async (signal?: AbortSignal) => {
      const asked = new GetQueueAttributesCommand({ QueueUrl,
        AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] });
      const { Attributes } = await reached(client.send(asked, until(signal)));
      return Number(Attributes?.ApproximateNumberOfMessages ?? 0) +
        (counted === "all" ? Number(Attributes?.ApproximateNumberOfMessagesNotVisible ?? 0) : 0);
    },
  };
}

/** A message in its buyer's group, which one worker at a time has. */
function entryOf(message: Message, id: string) {
  return { MessageBody: asciiJson(message), MessageGroupId: digest(message.buyer),
    MessageDeduplicationId: digest(id) };
}

/** JSON in ASCII: SQS refuses the characters that XML refuses, such as U+FFFF. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function until(signal: AbortSignal | undefined) {
  return signal === undefined ? {} : { abortSignal: signal };
}

function reached<T>(call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    throw unreachable(error);
  });
}

function unreachable(cause: unknown): TemporaryError {
  const message = "The queue could not be reached, or did not take the message.";
  return new TemporaryError("QUEUE_UNREACHABLE", message, { cause });
}

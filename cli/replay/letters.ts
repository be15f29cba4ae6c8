import { GetFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { ChangeMessageVisibilityBatchCommand, DeleteMessageCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import * as z from "zod";

import { RefusedError } from "../../src/errors.ts";
import { outsideRolesOf, requireSender, SENDER_NOT_OPERATOR, type OutsideRoles } from "../../src/queue/sender.ts";
import { readKeptLetter, readMessage, type Message } from "../../src/queue/message.ts";
import type { Stage } from "../stage/stage.ts";
import { routingOf } from "./pings.ts";

/** What can be done with a letter: its message goes back into the queue, its ping to the front door, or nothing. */
export type LetterContent =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "ping"; readonly body: string }
  | { readonly kind: "unusable"; readonly why: string; readonly buyer: string | null };

/** A message in the dead-letter queue. */
export interface Letter {
  readonly messageId: string;
  readonly receiptHandle: string;
  /** Why it is there: a code of ours, or `TRIED_TEN_TIMES`. */
  readonly code: string;
  readonly reason: string;
  /** When it came there (epoch ms). */
  readonly sentAt: number;
  readonly content: LetterContent;
}

/** The code of what SQS moved there by itself. */
export const TRIED_TEN_TIMES = "TRIED_TEN_TIMES";

/** A command that is killed leaves its letters invisible for so long (seconds), and no longer. */
const HELD_SECONDS = 15 * 60;
const BATCH = 10;

/** The length of the whole body, of which the letter may hold the beginning only. */
const lengthShape = z.object({ bodyBytes: z.number() });

/**
 * Takes letters out of the dead-letter queue for a while, until none is left that can be seen. Of a buyer's messages,
 * later ones show only when the earlier are dealt with: ask again then. Errors of the AWS SDK go through.
 */
export async function takeLetters(
  stage: Pick<Stage, "sqs" | "lambda" | "name" | "deadLetters" | "emulators">,
): Promise<readonly Letter[]> {
  const { sqs, deadLetters, emulators } = stage;
  const letters: Letter[] = [];
  const roles = await outsideRolesAt(stage);
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({
      QueueUrl: deadLetters,
      MaxNumberOfMessages: BATCH,
      VisibilityTimeout: HELD_SECONDS,
      // Without waiting, AWS asks only some of its servers, and what they don't have looks like nothing.
      WaitTimeSeconds: emulators === null ? 2 : 0,
      MessageSystemAttributeNames: ["SentTimestamp", "SenderId"],
    }));
    if (Messages.length === 0) return letters;
    for (const { MessageId = "", ReceiptHandle = "", Body = "", Attributes } of Messages) {
      letters.push({ messageId: MessageId, receiptHandle: ReceiptHandle,
        sentAt: Number(Attributes?.SentTimestamp ?? 0), ...readLetter(Body, Attributes?.SenderId ?? "", roles) });
    }
  }
}

/** So much of a letter's id as tells it from the others, in a list and for `discard`. */
export function shortId({ messageId }: Pick<Letter, "messageId">): string {
  return messageId.slice(0, 8);
}

/** Deletes a letter that is dealt with. */
export async function dropLetter({ sqs, deadLetters }: Pick<Stage, "sqs" | "deadLetters">,
  { receiptHandle }: Letter): Promise<void> {
  await sqs.send(new DeleteMessageCommand({ QueueUrl: deadLetters, ReceiptHandle: receiptHandle }));
}

/** Puts letters back at once, as they were. */
export async function giveBack({ sqs, deadLetters }: Pick<Stage, "sqs" | "deadLetters">,
  letters: readonly Letter[]): Promise<void> {
  for (let start = 0; start < letters.length; start += BATCH) {
    const Entries = letters.slice(start, start + BATCH).map(({ receiptHandle }, index) => ({ Id: String(index),
      ReceiptHandle: receiptHandle, VisibilityTimeout: 0 })
    );
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: deadLetters, Entries }));
  }
}

/** The roles of the functions that take calls from outside, as the one knows them that works the messages off. */
async function outsideRolesAt(
  { lambda, name, emulators }: Pick<Stage, "lambda" | "name" | "emulators">,
): Promise<OutsideRoles> {
  if (emulators !== null) return new Map();
  const command = new GetFunctionConfigurationCommand({ FunctionName: `gumroad-auth0-${name}-provision` });
  return outsideRolesOf((await lambda.send(command)).Environment?.Variables?.["OUTSIDE_ROLES"] ?? "");
}

/**
 * What a message in the dead-letter queue is, and why it is there. What a function had no business to send is not sent
 * again in an operator's name; `senderId` as SQS says it.
 */
export function readLetter(body: string, senderId: string,
  outsideRoles: OutsideRoles): Pick<Letter, "code" | "reason" | "content"> {
  const letter = letterIn(body);
  try {
    if (letter.code === SENDER_NOT_OPERATOR) throw new RefusedError(letter.code, letter.reason);
    if (letter.content.kind === "message") requireSender(letter.content.message, senderId, outsideRoles);
    return letter;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return { ...letter, content: { kind: "unusable", why: error.message, buyer: whatIn(letter).buyer } };
  }
}

function letterIn(body: string): Pick<Letter, "code" | "reason" | "content"> {
  const letter = readKeptLetter(body);
  if (letter === null) {
    return { code: TRIED_TEN_TIMES, reason: "It failed ten times within half an hour.", content: contentOf(body) };
  }
  const { code, reason } = letter;
  const whole = lengthShape.safeParse(JSON.parse(body)).data?.bodyBytes ?? 0;
  if (whole > Buffer.byteLength(letter.body)) {
    return { code, reason,
      content: { kind: "unusable", why: `only the beginning of its ${String(whole)} bytes was kept`,
        buyer: routingOf(letter.body).buyer } };
  }
  if (isNoPing(code, letter.body)) {
    return { code, reason,
      content: { kind: "unusable", why: "no ping of Gumroad's is like that: discard it",
        buyer: routingOf(letter.body).buyer } };
  }
  return { code, reason,
    content: code.startsWith("PING_")
      ? { kind: "ping", body: withoutCustomFields(letter.body) }
      : contentOf(letter.body) };
}

/** Whether the front door refuses it for ever; what came under a wrong Content-Type may be a ping all the same. */
function isNoPing(code: string, body: string): boolean {
  return code === "PING_TOO_LARGE" || (code === "PING_NOT_A_FORM" && routingOf(body).event === "-");
}

/** A message that begins afresh: what was counted against it is forgotten, as its cause is mended. */
export function afresh<M extends Message>(message: M): M {
  if (message.kind === "ping") return { ...message, hops: 0, misses: 0, again: false };
  return message.kind === "hint" || message.kind === "act" ? { ...message, hops: 0 } : message;
}

/** What a letter is about, in a word or two, and whom; null: nobody is named. */
export function whatIn(
  { content }: Pick<Letter, "content">,
): { readonly what: string; readonly buyer: string | null } {
  switch (content.kind) {
    case "ping": {
      const { event, buyer } = routingOf(content.body);
      return { what: `ping ${event}`, buyer };
    }
    case "message": {
      const { message } = content;
      return { what: message.kind === "ping" ? `ping ${message.ping.event}` : message.kind, buyer: message.buyer };
    }
    case "unusable":
      return { what: "unusable", buyer: content.buyer };
  }
}

function contentOf(body: string): LetterContent {
  try {
    return { kind: "message", message: readMessage(body) };
  } catch (error) {
    if (error instanceof RefusedError) {
      return { kind: "unusable", why: "it is no message of this version of the service", buyer: null };
    }
    throw error;
  }
}

/** Of these only the names were kept; an answer called like one of Gumroad's own fields would be taken for it. */
function withoutCustomFields(body: string): string {
  return body
    .split("&")
    .filter((pair) => !/^custom_fields(?:\[|%5B)/i.test(pair))
    .join("&");
}

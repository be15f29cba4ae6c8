import { createHash } from "node:crypto";

import * as z from "zod/mini";

import { RefusedError } from "../errors.ts";
import { pingShape } from "../gumroad/ping.ts";

const envelope = { v: z.literal(1), requestId: z.string() };

const pingMessage = z.object({
  ...envelope,
  kind: z.literal("ping"),
  /** When the ping came in (epoch ms). */
  receivedAt: z.number(),
  /** Names the ping in the history, so that the same one twice is one line. */
  pingId: z.string(),
  /** The buyer (normalized email) whose record it goes to: the ping's own, or, once forwarded, the source's owner. */
  buyer: z.string(),
  /** How often it was forwarded. */
  hops: z.number(),
  ping: pingShape,
});

const dueMessage = z.object({ ...envelope, kind: z.literal("due"), buyer: z.string() });

const messageShape = z.discriminatedUnion("kind", [pingMessage, dueMessage]);

/** A ping on its way to its buyer's record. */
export type PingMessage = z.infer<typeof pingMessage>;

/** Word that a buyer's record is due: something waits, failed, or changes with time. */
export type DueMessage = z.infer<typeof dueMessage>;

/** What the queue carries: only the fields that are used; no card, address or IP. */
export type Message = PingMessage | DueMessage;

const deadLetter = z.object({ code: z.string(), reason: z.string(), requestId: z.string(), body: z.string() });

/** What stands in the dead-letter queue by our own hand: see `Queue.keep`. */
export type KeptLetter = z.infer<typeof deadLetter>;

/** Reads a letter that somebody sent back from the dead-letter queue, with its body decoded; null for any other message. */
export function readKeptLetter(body: string): KeptLetter | null {
  try {
    const letter = deadLetter.parse(JSON.parse(body));
    return { ...letter, body: Buffer.from(letter.body, "base64").toString("utf8") };
  } catch {
    return null;
  }
}

/** The FIFO group of a buyer: SQS hands out one group to one worker at a time. A hash, because group ids take no free text. */
export function groupOf(email: string): string {
  return digest(email);
}

/** A deduplication id: 64 hexadecimal characters. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/**
 * Reads a message from the queue.
 * @throws {RefusedError} MESSAGE_INVALID: not written by this service, or by a newer one
 */
export function readMessage(body: string): Message {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (error) {
    throw new RefusedError("MESSAGE_INVALID", "The message is not JSON.", { cause: error });
  }
  const parsed = messageShape.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new RefusedError("MESSAGE_INVALID", `The message has a wrong value at "${issue?.path.join(".") ?? ""}".`);
}

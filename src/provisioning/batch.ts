import type { SQSRecord } from "aws-lambda";

import { RefusedError } from "../errors.ts";
import { buyerTag, causesOf, log } from "../log.ts";
import { keepRefused } from "../queue/keep.ts";
import { readKeptLetter, readMessage, type Message } from "../queue/message.ts";
import { provisionBuyer, type Provisioning } from "./provision.ts";
import { retrySeconds } from "./timing.ts";

/** The last call of an invocation: it must end before the function's time does. */
const COME_BACK_MS = 3_000;

interface Delivery {
  readonly record: SQSRecord;
  readonly message: Message;
}

/**
 * Works off a batch from the queue: the buyers in it side by side, all messages of one buyer in one go. Returns the ids
 * of the messages that must be delivered again. Each of those comes back after seconds, then longer; meanwhile only its
 * own buyer waits.
 */
export async function provisionBatch(records: readonly SQSRecord[], work: Provisioning, signal: AbortSignal): Promise<readonly string[]> {
  const { buyers, failed } = await sorted(records, work, signal);
  const outcomes = await Promise.all([...buyers].map(([buyer, deliveries]) => provisionOne(buyer, deliveries, work, signal)));
  const again = [...failed, ...outcomes.flat()];
  await Promise.all(again.map((record) => comeBack(record, work)));
  return again.map((record) => record.messageId);
}

/** Messages by buyer. One that can't be read is kept aside at once: it would never be right. */
async function sorted(records: readonly SQSRecord[], { queue }: Provisioning, signal: AbortSignal) {
  const buyers = new Map<string, Delivery[]>();
  const failed: SQSRecord[] = [];
  for (const record of records) {
    // A letter sent back from the dead-letter queue: its message is tried again; a ping in it has to come in by the front door.
    const letter = readKeptLetter(record.body);
    try {
      const message = readMessage(letter?.body ?? record.body);
      buyers.set(message.buyer, [...(buyers.get(message.buyer) ?? []), { record, message }]);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      const refused = letter === null ? error : new RefusedError(letter.code, letter.reason);
      await keepRefused(queue, refused, letter?.requestId ?? record.messageId, letter?.body ?? record.body, signal).catch(() => failed.push(record));
    }
  }
  return { buyers, failed };
}

async function provisionOne(buyer: string, deliveries: readonly Delivery[], work: Provisioning, signal: AbortSignal): Promise<readonly SQSRecord[]> {
  const done = new Set<Message>();
  try {
    await provisionBuyer(
      buyer,
      deliveries.map(({ message }) => message),
      { ...work, signal, done: (message) => done.add(message) },
    );
    return [];
  } catch (error) {
    log.warn("a buyer's messages will be delivered again", { buyer: buyerTag(buyer), messages: deliveries.length, causes: causesOf(error) });
    return deliveries.filter(({ message }) => !done.has(message)).map(({ record }) => record);
  }
}

/** Without this, a failed message would stay away for the whole visibility time-out. If it fails, that is what happens. */
async function comeBack(record: SQSRecord, { queue }: Provisioning): Promise<void> {
  const receives = Number(record.attributes.ApproximateReceiveCount);
  await queue.retryIn(record.receiptHandle, retrySeconds(receives), AbortSignal.timeout(COME_BACK_MS)).catch(() => {
    log.warn("could not shorten the wait of a failed message", { messageId: record.messageId });
  });
}

import type { SQSRecord } from "aws-lambda";

import { RefusedError } from "../errors.ts";
import { buyerTag, causesOf, log } from "../log.ts";
import { keepRefused } from "../queue/keep.ts";
import { readKeptLetter, readMessage, type BuyerMessage, type LaterMessage } from "../queue/message.ts";
import { provisionBuyer, type Provisioning } from "./provision.ts";
import { retrySeconds } from "./timing.ts";

/** The last call of an invocation: it must end before the function's time does. */
const COME_BACK_MS = 3_000;

interface Delivery {
  readonly record: SQSRecord;
  readonly message: BuyerMessage;
}

/** A message that must come back, and after how many seconds. */
interface Return {
  readonly record: SQSRecord;
  readonly seconds: number;
}

/**
 * Works off a batch from the queue: the buyers in it side by side, all messages of one buyer in one go. Returns the
 * ids of the messages that must be delivered again. Each of those comes back after seconds, then longer; meanwhile
 * only its own buyer waits.
 */
export async function provisionBatch(records: readonly SQSRecord[], work: Provisioning,
  signal: AbortSignal): Promise<readonly string[]> {
  const { buyers, returns } = await sorted(records, work, signal);
  const outcomes = await Promise.all(
    [...buyers].map(([buyer, deliveries]) => provisionOne(buyer, deliveries, work, signal)),
  );
  const again = [...returns, ...outcomes.flat()];
  await Promise.all(again.map((back) => comeBack(back, work)));
  return again.map(({ record }) => record.messageId);
}

/**
 * Messages by buyer. One that can't be read is kept aside at once: it would never be right. One whose time hasn't come
 * goes back.
 */
async function sorted(records: readonly SQSRecord[], work: Provisioning, signal: AbortSignal) {
  const buyers = new Map<string, Delivery[]>();
  const returns: Return[] = [];
  for (const record of records) {
    // A letter sent back from the dead-letter queue: its message is tried again; a ping in it has to come in by the
    // front door.
    const letter = readKeptLetter(record.body);
    try {
      const message = readMessage(letter?.body ?? record.body);
      if (message.kind === "later") {
        const seconds = await wakeUp(message, work, signal).catch(() => retryOf(record));
        if (seconds > 0) returns.push({ record, seconds });
      } else {
        buyers.set(message.buyer, [...(buyers.get(message.buyer) ?? []), { record, message }]);
      }
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      const refused = letter === null ? error : new RefusedError(letter.code, letter.reason);
      await keepRefused(work.queue, refused, letter?.requestId ?? record.messageId, letter?.body ?? record.body,
        signal).catch(() => returns.push({ record, seconds: retryOf(record) }));
    }
  }
  return { buyers, returns };
}

/** Sends a ping that waited to its buyer, once its time has come. Gives the seconds until then, or 0. */
async function wakeUp({ notBefore, message }: LaterMessage, { queue, now }: Provisioning,
  signal: AbortSignal): Promise<number> {
  const left = Math.ceil((notBefore - now()) / 1_000);
  if (left > 0) return left;
  await queue.send(message, `woken ${message.pingId} ${String(message.misses)} ${String(message.again)}`, signal);
  return 0;
}

async function provisionOne(buyer: string, deliveries: readonly Delivery[], work: Provisioning,
  signal: AbortSignal): Promise<readonly Return[]> {
  const done = new Set<BuyerMessage>();
  try {
    await provisionBuyer(
      buyer,
      deliveries.map(({ message }) => message),
      { ...work, signal, done: (message) => done.add(message) },
    );
    return [];
  } catch (error) {
    log.warn("a buyer's messages will be delivered again", { buyer: buyerTag(buyer), messages: deliveries.length,
      causes: causesOf(error) });
    return deliveries.filter(({ message }) => !done.has(message)).map(({ record }) => ({ record,
      seconds: retryOf(record) })
    );
  }
}

function retryOf({ attributes }: SQSRecord): number {
  return retrySeconds(Number(attributes.ApproximateReceiveCount));
}

/** Without this, a message would stay away for the whole visibility time-out. If it fails, that is what happens. */
async function comeBack({ record, seconds }: Return, { queue }: Provisioning): Promise<void> {
  await queue.retryIn(record.receiptHandle, seconds, AbortSignal.timeout(COME_BACK_MS)).catch(() => {
    log.warn("could not shorten the wait of a message", { messageId: record.messageId });
  });
}

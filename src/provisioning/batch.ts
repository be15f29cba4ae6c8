import type { SQSRecord } from "aws-lambda";

import { RefusedError } from "../errors.ts";
import { buyerTag } from "../log.ts";
import { readKeptLetter, readMessage, type Message } from "../queue/message.ts";
import { requireSender, SENDER_NOT_OPERATOR, type OutsideRoles } from "../queue/sender.ts";
import type { Provisioning } from "./context.ts";
import { provisionBuyer } from "./provision.ts";
import { loggedAs } from "./telling.ts";
import { retrySeconds } from "./timing.ts";

/** The last call of an invocation: it must end before the function's time does. */
const COME_BACK_MS = 3_000;

type Delivery = { readonly record: SQSRecord; readonly message: Message };

/**
 * Works off a batch from the queue: the buyers in it side by side, all messages of one buyer in one go. Gives the ids
 * of those that must be delivered again, after seconds, then longer; only their own buyer waits. `outsideRoles`: of
 * functions that may not tell what an operator decided.
 */
export async function provisionBatch(records: readonly SQSRecord[], work: Provisioning,
  outsideRoles: OutsideRoles): Promise<readonly string[]> {
  const { buyers, returns } = await sorted(records, work, outsideRoles);
  const outcomes = await Promise.all([...buyers].map(([buyer, deliveries]) => provisionOne(buyer, deliveries, work)));
  const again = [...returns, ...outcomes.flat()];
  await Promise.all(again.map((record) => comeBack(record, work)));
  return again.map(({ messageId }) => messageId);
}

/** Messages by buyer. One that can't be read would never be right, and is kept aside. `returns` must come back. */
async function sorted(records: readonly SQSRecord[], work: Provisioning, outsideRoles: OutsideRoles) {
  const buyers = new Map<string, Delivery[]>();
  const returns: SQSRecord[] = [];
  for (const record of records) {
    // A letter sent back from the dead-letter queue is tried again; but a ping has to come in by the front door, and
    // what its sender had no right to send stays refused, whoever sends it back.
    const letter = readKeptLetter(record.body);
    try {
      if (letter?.code.startsWith("PING_") === true || letter?.code === SENDER_NOT_OPERATOR) {
        throw new RefusedError(letter.code, letter.reason);
      }
      const message = readMessage(letter?.body ?? record.body);
      requireSender(message, record.attributes.SenderId, outsideRoles);
      buyers.set(message.buyer, [...(buyers.get(message.buyer) ?? []), { record, message }]);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      const refused = letter === null ? error : new RefusedError(letter.code, letter.reason);
      await work.queue.keep(refused, letter?.requestId ?? record.messageId, letter?.body ?? record.body, work.signal)
        .catch(() => returns.push(record));
    }
  }
  return { buyers, returns };
}

async function provisionOne(buyer: string, deliveries: readonly Delivery[], work: Provisioning) {
  const messages = deliveries.map(({ message }) => message);
  const receives = Math.max(...deliveries.map(({ record }) => Number(record.attributes.ApproximateReceiveCount)));
  const again = await provisionBuyer(buyer, messages, work, receives)
    .catch(loggedAs("a buyer's messages will be delivered again", { buyer: buyerTag(buyer) }));
  return deliveries.filter(({ message }) => (again ?? messages).includes(message)).map(({ record }) => record);
}

/** Without this, a message would stay away for the whole visibility time-out. If it fails, that is what happens. */
async function comeBack(record: SQSRecord, { queue }: Provisioning): Promise<void> {
  const seconds = retrySeconds(Number(record.attributes.ApproximateReceiveCount));
  await queue.retryIn(record.receiptHandle, seconds, AbortSignal.timeout(COME_BACK_MS))
    .catch(loggedAs("could not shorten the wait of a message", { messageId: record.messageId }));
}

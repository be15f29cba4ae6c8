/** Messages that workers get past the queue, which would never let two of them have one buyer. */
import type { GateCall, GateHook } from "../../local/aws/gate.ts";
import type { Stack } from "../../local/stack.ts";
import { parseForm } from "../../src/gumroad/form.ts";
import { readPing } from "../../src/gumroad/ping.ts";
import type { Message, MessageOf } from "../../src/queue/message.ts";

/** A ping as the ping function queues it, for whom it names. */
export function pingMessage(text: string, receivedAt = Date.now()): MessageOf<"ping"> {
  const ping = readPing(parseForm(text));
  return { v: 1, kind: "ping", requestId: "crafted", receivedAt, pingId: text, buyer: ping.email, hops: 0, misses: 0,
    again: false, given: false, ping };
}

/** A batch as the queue hands one over: the messages' bodies by their ids. */
export function batchOf(bodies: Readonly<Record<string, string>>) {
  return {
    Records: Object.entries(bodies).map(([messageId, text]) => ({ messageId, receiptHandle: "none", body: text,
      attributes: { ApproximateReceiveCount: "1", SenderId: "AIDAOPERATOR" } })
    ),
  };
}

/** The deliveries again, of all messages that must come back. */
let again: Promise<unknown> = Promise.resolve();
/** Only what hangs is delivered so often: each time takes a write by a worker who has a message for the first time. */
const MOST_DELIVERIES = 50;

/**
 * Has a worker take a message; if it says that it must come back, it does. Those that come back have their turns one
 * after the other, in place of the queue's waits: two at once would only meet again, however often.
 */
export async function provision(stack: Stack, message: Message): Promise<void> {
  const isTaken = async () => {
    const result = await stack.invoke("provision", batchOf({ m: JSON.stringify(message) }));
    return result.kind === "answer" && result.payload === '{"batchItemFailures":[]}';
  };
  if (await isTaken()) return;
  const taken = again.then(async () => {
    for (let delivery = 2; delivery <= MOST_DELIVERIES; delivery += 1) if (await isTaken()) return;
    throw new Error(`the batch failed ${String(MOST_DELIVERIES)} times`);
  });
  again = taken.catch(() => undefined);
  await taken;
}

/** From now on holds the first call of a kind until `release`, and tells when it is held. */
export function holdFirst(wanted: string, setHook: (hook: GateHook) => void) {
  const held = Promise.withResolvers<undefined>();
  const released = Promise.withResolvers<undefined>();
  let seen = false;
  setHook(async ({ service, operation, phase }: GateCall) => {
    if (!seen && `${service} ${operation} ${phase}` === wanted) {
      seen = true;
      held.resolve(undefined);
      await released.promise;
    }
    return "go" as const;
  });
  return { held: held.promise, release: () => {
    released.resolve(undefined);
  } };
}

import { SQSClient } from "@aws-sdk/client-sqs";

import type { Act, Decision, SourceId } from "../../src/access/facts.ts";
import { CREDENTIALS, REGION } from "../../local/aws/account.ts";
import type { Stack } from "../../local/stack.ts";
import type { MessageOf, Message } from "../../src/queue/message.ts";
import { sqsQueue } from "../../src/queue/queue.ts";
import { untilNothingInHand } from "./local-stack.ts";

/** Puts a message into the queue as an operator's command does. The same `id` within five minutes is sent once. */
export async function send(stack: Stack, message: Message, id: string): Promise<void> {
  const client = new SQSClient({ endpoint: stack.endpoints.sqs, region: REGION, credentials: CREDENTIALS });
  await sqsQueue(client, stack.queueUrl("ProvisionQueue"))
    .send(message, id);
  client.destroy();
}

let acts = 0;

/** An operator's decision of this moment (`at`, epoch ms), under an id that no other has. */
export function actOf(decision: Decision, at: number): Act {
  acts += 1;
  return { at, id: `act-${String(acts).padStart(4, "0")}`, by: "dee", why: "asked by mail", decision };
}

/** Word of an act about a source, for the buyer that the operator named. */
export function actMessage(buyer: string, source: SourceId, act: Act): MessageOf<"act"> {
  return { v: 1, kind: "act", requestId: `cli-${act.id}`, buyer, hops: 0, source, act };
}

/** Sends an operator's act. */
export async function sendAct(stack: Stack, buyer: string, source: SourceId, act: Act): Promise<void> {
  await send(stack, actMessage(buyer, source, act), act.id);
}

/** Sends what an operator decided about held removals of a product. */
export async function sendHeld(stack: Stack, buyer: string, productId: string, decision: MessageOf<"held">["decision"],
  at: number): Promise<void> {
  const requestId = `cli-${decision}-${buyer}-${productId}`;
  await send(stack, { v: 1, kind: "held", requestId, buyer, productId, decision, at, by: "dee", why: "asked by mail" },
    requestId);
}

/**
 * What a worker has in hand stays invisible for longer than this (ms); what waits to be tried again, for less at
 * first.
 */
const RESTING_MS = 5 * 60_000;

/** Waits until the queue is empty; what waits to be tried again need not wait. */
export async function workedOff(stack: Stack): Promise<void> {
  for (;;) {
    const { waiting, inFlight } = await stack.sqs.inspect("ProvisionQueue");
    if (waiting.length + inFlight.length === 0) return;
    const isResting = inFlight.every(({ visibilityDeadline }) => visibilityDeadline < Date.now() + RESTING_MS);
    if (inFlight.length > 0 && stack.inHand() === 0 && isResting) await stack.redeliver();
    await untilNothingInHand(stack);
  }
}

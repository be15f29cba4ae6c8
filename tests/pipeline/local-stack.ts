import { readFileSync } from "node:fs";
import path from "node:path";

import * as z from "zod";

import { roleNames } from "../../tenant/role-names.ts";
import { startStack, type Stack, type StackOptions } from "../../local/stack.ts";
import { recordShape, type BuyerRecord } from "../../src/ledger/record.ts";
import policy from "../../fixtures/policy.ts";

/** Where the bundles of the tests are: apart from `.build`, which packaging writes. */
export const TEST_BUNDLES = path.resolve(import.meta.dirname, "../../.build/tests");

/**
 * Starts the deployed functions over embedded parts, with the policy's roles in the tenant. One worker a function
 * unless the options say otherwise: each has to warm up.
 */
export async function startLocal(options: Partial<StackOptions> = {}): Promise<Stack> {
  return startStack({ bundlesDir: TEST_BUNDLES, roles: roleNames(policy), maxWorkers: 1, ...options });
}

/** A wire body. */
export function body(file: string): string {
  return readFileSync(`fixtures/pings/${file.replace(/\.txt$/, "")}.txt`, "utf8");
}

/** A wire body with some fields changed, or left out (null). */
export function changed(file: string, changes: Readonly<Record<string, string | null>>): string {
  const fields = new URLSearchParams(body(file));
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) fields.delete(key);
    else fields.set(key, value);
  }
  return fields.toString();
}

/** Another sale by the same or another buyer. */
export function saleBy(email: string, changes: Readonly<Record<string, string>> = {}): string {
  return changed("sale", { email, sale_id: `sale-of-${email}`, ...changes });
}

/** Posts a body as Gumroad does. */
export async function post(stack: Stack, text: string,
  headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(stack.pingUrl, { method: "POST", body: text,
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers } });
}

/** Posts bodies one after the other, expects 200 for each, and waits until the queue is empty. */
export async function deliver(stack: Stack, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    const answer = await post(stack, text);
    if (answer.status !== 200) {
      throw new Error(`a ping was answered with ${String(answer.status)}: ${await answer.text()}`);
    }
  }
  await stack.sqs.idle();
}

/** How long a message that somebody has just received stays invisible: the queue's own time-out (ms). */
const JUST_RECEIVED_MS = 360_000;
const RESTING_LIMIT_MS = 120_000;

/**
 * Until no invocation holds a message: what the queue then holds is worth a look, which costs more than to wait. Says
 * whether one did.
 */
export async function untilNothingInHand(stack: Stack): Promise<boolean> {
  for (let held = false;; held = true) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (stack.inHand() === 0) return held;
  }
}

/** Waits until the queue holds nothing but so many messages that were put back for a while. */
export async function untilResting(stack: Stack, count: number): Promise<void> {
  const deadline = performance.now() + RESTING_LIMIT_MS;
  for (;;) {
    const { waiting, inFlight } = await stack.sqs.inspect("ProvisionQueue");
    const resting = inFlight.filter(({ visibilityDeadline }) =>
      Math.abs(visibilityDeadline - Date.now() - JUST_RECEIVED_MS) > 10_000
    );
    if (waiting.length === 0 && resting.length === count && inFlight.length === count && stack.inHand() === 0) return;
    if (performance.now() > deadline) {
      throw new Error(
        `${String(waiting.length)} messages wait and ${String(inFlight.length)} are in flight, of which ${
          String(resting.length)
        } rest, not ${String(count)}`,
      );
    }
    await untilNothingInHand(stack);
  }
}

/** Polls what another thread does; the test's own time-out bounds it. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Lets time pass, and the minute's reconcile send what is due. */
export async function later(stack: Stack, ms: number): Promise<void> {
  await stack.advance(ms);
  const result = await stack.invoke("reconcile");
  if (result.kind !== "answer") throw new Error(`reconcile: ${JSON.stringify(result)}`);
  await stack.sqs.idle();
}

/** A buyer's record as stored, or undefined. */
export async function recordOf(stack: Stack, email: string): Promise<BuyerRecord | undefined> {
  const item = (await stack.ledger()).find(({ pk, sk }) => pk === `buyer#${email}` && sk === "record");
  return item === undefined ? undefined : recordShape.parse(item["record"]);
}

/** The Management calls so far as `METHOD /path`, without the token and the role names. */
export function managementCalls(stack: Stack): readonly string[] {
  const calls = stack.auth0.calls.filter(({ api }) => api === "management");
  return calls.map(({ method, path: called }) => `${method} ${called}`).filter((call) => call !== "GET /roles");
}

const deadLetter = z.looseObject({ code: z.string(), reason: z.string(), body: z.string() });

/** What was kept in the dead-letter queue, with the bodies decoded. */
export async function kept(
  stack: Stack,
): Promise<readonly { readonly code: string; readonly reason: string; readonly body: string }[]> {
  return (await stack.sqs.deadLetters()).map((letter) => {
    const { code, reason, body: encoded } = deadLetter.parse(letter);
    return { code, reason, body: Buffer.from(encoded, "base64").toString("utf8") };
  });
}

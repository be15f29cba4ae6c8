import { expect } from "@jest/globals";

import type { GateCall } from "../../src/emulators/aws/gate.ts";
import { roleNames } from "../../src/access/policy.ts";
import type { Stack } from "../../src/emulators/stack.ts";
import policy from "../../src/products.ts";
import { changed, post, recordOf, startLocal } from "../pipeline/local-stack.ts";

/** The role of the fixture sale. */
export const HANDBOOK = "serverless-handbook";

/** A story during which everything stops once, at each of its calls in turn. */
export interface Story {
  readonly name: string;
  /** What was before: done without a crash. */
  readonly before: (stack: Stack, email: string) => Promise<void>;
  /** The ping during which everything stops once. */
  readonly ping: (email: string) => string;
  /** What happens after it, and may be stopped as well. */
  readonly after?: (stack: Stack, email: string) => Promise<void>;
  readonly roles: readonly string[];
  /** Which calls are crashed at; what another story covers need not be covered again. `provisioning`: the ping is queued, its buyer's record was asked for. */
  readonly at: (call: GateCall, provisioning: boolean) => boolean;
  /** The calls that must have been among those crashed at. */
  readonly passes: readonly string[];
}

/** Crash at the calls of the ping itself. */
export const inPing = (_call: GateCall, provisioning: boolean) => !provisioning;
/** A purchase of this buyer's own. */
export const sale = (email: string) => changed("sale", { email, sale_id: `of ${email}` });
/** The minute's reconcile; if it is stopped, the next minute's. */
export async function reconcile(stack: Stack): Promise<void> {
  while ((await stack.invoke("reconcile")).kind !== "answer");
}

/** Delivers pings before the story begins. */
export async function settle(stack: Stack, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) expect((await post(stack, text)).status).toBe(200);
  await stack.sqs.idle();
}

/**
 * Tells a story again and again, each time stopping everything at the next of its calls, and expects it to end right: its
 * roles, one user, no foreign role touched, nothing left to do, nothing in the dead-letter queue.
 */
export async function stopEverywhere({ before, ping, after, roles, at, passes }: Story): Promise<void> {
  let countdown = Number.POSITIVE_INFINITY;
  let crashedAt: string | undefined;
  let provisioning = false;
  const stack = await startLocal({
    roles: [...roleNames(policy), "vip"],
    maxWorkers: 1,
    onCall: (call: GateCall) => {
      provisioning ||= call.service === "dynamodb";
      if (at(call, provisioning)) countdown -= 1;
      if (countdown !== 0) return "go";
      countdown = Number.POSITIVE_INFINITY;
      crashedAt = `${call.service} ${call.operation} ${call.phase}`;
      return "crash";
    },
  });
  const points: string[] = [];
  try {
    for (let point = 1; ; point += 1) {
      const email = `buyer${String(point)}@example.com`;
      countdown = Number.POSITIVE_INFINITY;
      await before(stack, email);
      crashedAt = undefined;
      provisioning = false;
      countdown = point;
      // Gumroad sends again after a 5xx.
      let status = (await post(stack, ping(email))).status;
      for (let retry = 1; status !== 200 && retry <= 3; retry += 1) status = (await post(stack, `${ping(email)}&retry_count=${String(retry)}`)).status;
      expect(status).toBe(200);
      await untilDone(stack);
      await after?.(stack, email);

      const told = `${crashedAt ?? "nowhere"} (point ${String(point)})`;
      expect({ told, roles: stack.auth0.rolesOfEmail(email) }).toEqual({ told, roles });
      expect({ told, users: stack.auth0.users().filter((user) => user.email === email).length }).toEqual({ told, users: 1 });
      expect({ told, record: await recordOf(stack, email) }).toMatchObject({ told, record: { unsettled: null, dueAt: null } });
      if (crashedAt === undefined) break;
      points.push(crashedAt);
    }
    expect(await stack.sqs.deadLetters()).toEqual([]);
    for (const call of passes) expect(points).toEqual(expect.arrayContaining([`${call} before`, `${call} after`]));
  } finally {
    await stack.stop();
  }
}

/** Waits until the queue is empty; what a crashed worker held comes back as if its visibility time-out had passed. */
export async function untilDone(stack: Stack): Promise<void> {
  for (;;) {
    const { waiting, inFlight } = await stack.sqs.inspect("ProvisionQueue");
    if (waiting.length + inFlight.length === 0) return;
    if (inFlight.length > 0 && stack.inHand() === 0) await stack.redeliver();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

import { afterEach, describe, expect, it } from "@jest/globals";

import type { GateCall } from "../../src/emulators/aws/gate.ts";
import type { Stack } from "../../src/emulators/stack.ts";
import { parseForm } from "../../src/gumroad/form.ts";
import { readPing } from "../../src/gumroad/ping.ts";
import type { PingMessage } from "../../src/queue/message.ts";
import { body, changed, deliver, recordOf, startLocal } from "../pipeline/local-stack.ts";

const ANN = "ann@example.com";
const HANDBOOK = "serverless-handbook";

let stack: Stack;
afterEach(async () => {
  await stack.stop();
});

/** A batch with one ping, handed to a worker past the queue: SQS itself would never let two workers have one buyer. */
function batchOf(text: string) {
  const ping = readPing(parseForm(text));
  const message: PingMessage = { v: 1, kind: "ping", requestId: "race", receivedAt: Date.now(), pingId: text, buyer: ping.email, hops: 0, misses: 0, again: false, given: false, ping };
  return { Records: [{ messageId: "m", receiptHandle: "none", body: JSON.stringify(message), attributes: { ApproximateReceiveCount: "1" } }] };
}

/** Holds the first call of a kind until `release`, and tells when it is held. */
function holdFirst(wanted: string) {
  const held = Promise.withResolvers<undefined>();
  const released = Promise.withResolvers<undefined>();
  let seen = false;
  const onCall = async ({ service, operation, phase }: GateCall) => {
    if (!seen && `${service} ${operation} ${phase}` === wanted) {
      seen = true;
      held.resolve(undefined);
      await released.promise;
    }
    return "go" as const;
  };
  return { onCall, held: held.promise, release: () => { released.resolve(undefined); } };
}

/** Has a worker take the batch; if it says that it must come back, it does, as from the queue. */
async function provision(text: string): Promise<void> {
  for (let delivery = 1; delivery <= 10; delivery += 1) {
    const result = await stack.invoke("provision", batchOf(text));
    if (result.kind === "answer" && result.payload === '{"batchItemFailures":[]}') return;
  }
  throw new Error("the batch failed ten times");
}

describe("two workers on one buyer", () => {
  it("make one user with all roles, however their calls fall", async () => {
    stack = await startLocal();
    const other = changed("sale", { sale_id: "other", product_id: "Z7kcrf7WgiSjiBnsGYi45w==" });
    await Promise.all([provision(body("sale")), provision(other), provision(body("sale")), provision(other)]);
    expect(stack.auth0.users()).toMatchObject([{ email: ANN, roles: ["react-for-dataviz", HANDBOOK] }]);
    expect(await recordOf(stack, ANN)).toMatchObject({ unsettled: null, dueAt: null });
  });

  it.each([
    ["before it gives the role", "auth0 POST /api/v2/users/{id}/roles before"],
    ["after it gave the role, before it knows", "auth0 POST /api/v2/users/{id}/roles after"],
    ["before it creates the user", "auth0 POST /api/v2/users before"],
    ["after it looked for users", "auth0 GET /api/v2/users-by-email after"],
  ])("leave no role behind when a refund overtakes a sale that was stopped %s", async (_when, at) => {
    const { onCall, held, release } = holdFirst(at);
    stack = await startLocal({ onCall });
    const slow = provision(body("sale"));
    await held;
    await provision(body("refund-full"));
    release();
    await slow;
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual([]);
    expect(stack.auth0.users().length).toBeLessThanOrEqual(1);
    expect(await recordOf(stack, ANN)).toMatchObject({ unsettled: null, dueAt: null });
  });

  it("lose no role when a sale overtakes a refund that was stopped before it takes the role", async () => {
    const { onCall, held, release } = holdFirst("auth0 DELETE /api/v2/users/{id}/roles before");
    stack = await startLocal({ onCall });
    await deliver(stack, body("sale"));
    const slow = provision(body("refund-full"));
    await held;
    await provision(changed("sale", { sale_id: "bought again" }));
    release();
    await slow;
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual([HANDBOOK]);
    expect(await recordOf(stack, ANN)).toMatchObject({ unsettled: null, dueAt: null });
  });
});

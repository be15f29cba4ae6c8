import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import type { GateCall } from "../../local/aws/gate.ts";
import type { Stack, StackOptions } from "../../local/stack.ts";
import { parseForm } from "../../src/gumroad/form.ts";
import { readPing } from "../../src/gumroad/ping.ts";
import type { MessageOf } from "../../src/queue/message.ts";
import { changed, deliver, recordOf, startLocal } from "../pipeline/local-stack.ts";
import { changeEmail } from "../pipeline/login-address.ts";

const HANDBOOK = "serverless-handbook";

/**
 * One stack for all races, with a worker for each of four at once: each race has a buyer of its own, and sets what
 * happens at the calls.
 */
let stack: Stack;
let onCall: StackOptions["onCall"];
let buyer: string;
let races = 0;
let returns = 0;
beforeAll(async () => {
  stack = await startLocal({ maxWorkers: 4, onCall: (call) => onCall?.(call) ?? "go" });
});
beforeEach(() => {
  races += 1;
  buyer = `buyer${String(races)}@example.com`;
  onCall = undefined;
});
afterAll(async () => {
  await stack.stop();
});

/** A ping about this race's buyer. */
function ping(file: "sale" | "refund-full", changes: Readonly<Record<string, string>> = {}): string {
  return changed(file, { email: buyer, sale_id: `of ${buyer}`, ...changes });
}

/** All users of this race's buyer. */
function users() {
  return stack.auth0.users().filter(({ email }) => email === buyer);
}

/** A batch with one ping, handed to a worker past the queue: SQS itself would never let two workers have one buyer. */
function batchOf(text: string) {
  const read = readPing(parseForm(text));
  const message: MessageOf<"ping"> = { v: 1, kind: "ping", requestId: "race", receivedAt: Date.now(), pingId: text,
    buyer: read.email, hops: 0, misses: 0, again: false, given: false, ping: read };
  return {
    Records: [{ messageId: "m", receiptHandle: "none", body: JSON.stringify(message),
      attributes: { ApproximateReceiveCount: "1", SenderId: "AIDAOPERATOR" } }],
  };
}

/** From now on holds the first call of a kind until `release`, and tells when it is held. */
function holdFirst(wanted: string) {
  const held = Promise.withResolvers<undefined>();
  const released = Promise.withResolvers<undefined>();
  let seen = false;
  onCall = async ({ service, operation, phase }: GateCall) => {
    if (!seen && `${service} ${operation} ${phase}` === wanted) {
      seen = true;
      held.resolve(undefined);
      await released.promise;
    }
    return "go" as const;
  };
  return { held: held.promise, release: () => {
    released.resolve(undefined);
  } };
}

/** Has a worker take the batch; if it says that it must come back, it does, as from the queue. */
async function provision(text: string): Promise<void> {
  for (let delivery = 1; delivery <= 10; delivery += 1) {
    const result = await stack.invoke("provision", batchOf(text));
    if (result.kind === "answer" && result.payload === '{"batchItemFailures":[]}') return;
    // As the queue does, though it waits for seconds: two that come back at once would meet again.
    await new Promise((resolve) => setTimeout(resolve, (returns += 17) % 80));
  }
  throw new Error("the batch failed ten times");
}

describe("two workers on one buyer", () => {
  it("make one user with all roles, however their calls fall", async () => {
    const other = ping("sale", { sale_id: `other of ${buyer}`, product_id: "Z7kcrf7WgiSjiBnsGYi45w==" });
    await Promise.all([provision(ping("sale")), provision(other), provision(ping("sale")), provision(other)]);
    expect(users()).toMatchObject([{ email: buyer, roles: ["react-for-dataviz", HANDBOOK] }]);
    expect(await recordOf(stack, buyer)).toMatchObject({ unsettled: null, dueAt: null });
  });

  it.each([
    ["before it gives the role", "auth0 POST /api/v2/users/{id}/roles before"],
    ["after it gave the role, before it knows", "auth0 POST /api/v2/users/{id}/roles after"],
    ["before it creates the user", "auth0 POST /api/v2/users before"],
    ["after it looked for users", "auth0 GET /api/v2/users-by-email after"],
  ])("leave no role behind when a refund overtakes a sale that was stopped %s", async (_when, at) => {
    const { held, release } = holdFirst(at);
    const slow = provision(ping("sale"));
    await held;
    await provision(ping("refund-full"));
    release();
    await slow;
    expect(stack.auth0.rolesOfEmail(buyer)).toEqual([]);
    expect(users().length).toBeLessThanOrEqual(1);
    expect(await recordOf(stack, buyer)).toMatchObject({ unsettled: null, dueAt: null });
  });

  it("lose no role when a sale overtakes a refund that was stopped before it takes the role", async () => {
    const { held, release } = holdFirst("auth0 DELETE /api/v2/users/{id}/roles before");
    await deliver(stack, ping("sale"));
    const slow = provision(ping("refund-full"));
    await held;
    await provision(ping("sale", { sale_id: `bought again by ${buyer}` }));
    release();
    await slow;
    expect(stack.auth0.rolesOfEmail(buyer)).toEqual([HANDBOOK]);
    expect(await recordOf(stack, buyer)).toMatchObject({ unsettled: null, dueAt: null });
  });
});

describe("two buyers' records about one user, whose address was changed", () => {
  const other = () => `new.${buyer}`;
  const DATAVIZ = { product_id: "Z7kcrf7WgiSjiBnsGYi45w==" };
  const rolesOf = () => users().length === 0 ? stack.auth0.rolesOfEmail(other()) : stack.auth0.rolesOfEmail(buyer);
  const bundle = () => changed("sale", { email: other(), sale_id: `of ${other()}` });

  /** The buyer has bought, and the login's address is another since. */
  async function moved(): Promise<void> {
    await deliver(stack, ping("sale"));
    await changeEmail(stack.auth0, users()[0]!.user_id, other());
  }

  it("leave the role while either gives it, and take it with the last", async () => {
    await moved();
    await deliver(stack, bundle(), ping("refund-full"));
    expect(rolesOf()).toEqual([HANDBOOK]);
    expect(await recordOf(stack, buyer)).toMatchObject({ unsettled: null, dueAt: null });
    await deliver(stack, changed("refund-full", { email: other(), sale_id: `of ${other()}` }));
    expect(rolesOf()).toEqual([]);
    expect(await recordOf(stack, other())).toMatchObject({ unsettled: null, dueAt: null });
  });

  it("never take a role that the user had before either", async () => {
    stack.auth0.addUser({ email: buyer, verified: true, roles: [HANDBOOK] });
    await moved();
    await deliver(stack, bundle(), ping("refund-full"),
      changed("refund-full", { email: other(), sale_id: `of ${other()}` }));
    expect(rolesOf()).toEqual([HANDBOOK]);
  });

  it.each(["auth0 DELETE /api/v2/users/{id}/roles before", "auth0 DELETE /api/v2/users/{id}/roles after"])(
    "lose no role that one gives while the other takes it: %s",
    async (at) => {
      await moved();
      await deliver(stack, changed("sale", { email: other(), sale_id: `first of ${other()}`, ...DATAVIZ }));
      const { held, release } = holdFirst(at);
      const slow = provision(ping("refund-full"));
      await held;
      await provision(bundle());
      release();
      await slow;
      expect(rolesOf()).toEqual(["react-for-dataviz", HANDBOOK]);
      // And what one gave is ours for the other, too.
      await deliver(stack, changed("refund-full", { email: other(), sale_id: `of ${other()}` }));
      expect(rolesOf()).toEqual(["react-for-dataviz"]);
    },
  );

  it.each(["auth0 POST /api/v2/users/{id}/roles before", "auth0 POST /api/v2/users/{id}/roles after"])(
    "leave no role that one takes while the other gives it: %s",
    async (at) => {
      await moved();
      await deliver(stack, changed("sale", { email: other(), sale_id: `first of ${other()}`, ...DATAVIZ }));
      const { held, release } = holdFirst(at);
      const slow = provision(bundle());
      await held;
      await provision(ping("refund-full"));
      release();
      await slow;
      expect(rolesOf()).toEqual(["react-for-dataviz", HANDBOOK]);
      await deliver(stack, changed("refund-full", { email: other(), sale_id: `of ${other()}` }));
      expect(rolesOf()).toEqual(["react-for-dataviz"]);
    },
  );
});

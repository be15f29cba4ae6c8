import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { summaryOf } from "../../src/ledger/record.ts";
import type { Stack, StackOptions } from "../../local/stack.ts";
import { changed, deliver, recordOf, startLocal } from "../pipeline/local-stack.ts";
import { changeEmail } from "../pipeline/login-address.ts";
import { holdFirst, pingMessage, provision as provisionPastQueue } from "../pipeline/past-the-queue.ts";

const HANDBOOK = "serverless-handbook";

/**
 * One stack for all races, with a worker for each of four at once: each race has a buyer of its own, and sets what
 * happens at the calls.
 */
let stack: Stack;
let onCall: StackOptions["onCall"];
let buyer: string;
let races = 0;
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

const provision = async (text: string) => provisionPastQueue(stack, pingMessage(text));

/** Has one worker be stopped at a call, another work off a ping meanwhile, and the first go on. */
async function overtaken(at: string, slow: string, fast: string): Promise<void> {
  const { held, release } = holdFirst(at, (hook) => {
    onCall = hook;
  });
  const stopped = provision(slow);
  await held;
  await provision(fast);
  release();
  await stopped;
}

describe("two workers on one buyer", () => {
  it("make one user with all roles, however their calls fall", async () => {
    const other = ping("sale", { sale_id: `other of ${buyer}`, product_id: "Z7kcrf7WgiSjiBnsGYi45w==" });
    await Promise.all([provision(ping("sale")), provision(other), provision(ping("sale")), provision(other)]);
    expect(users()).toMatchObject([{ email: buyer, roles: ["react-for-dataviz", HANDBOOK] }]);
    expect(summaryOf((await recordOf(stack, buyer))!).waits).toEqual([]);
  });

  it.each([
    ["before it gives the role", "auth0 POST /api/v2/users/{id}/roles before"],
    ["after it gave the role, before it knows", "auth0 POST /api/v2/users/{id}/roles after"],
    ["before it creates the user", "auth0 POST /api/v2/users before"],
    ["after it looked for users", "auth0 GET /api/v2/users-by-email after"],
  ])("leave no role behind when a refund overtakes a sale that was stopped %s", async (_when, at) => {
    await overtaken(at, ping("sale"), ping("refund-full"));
    expect(stack.auth0.rolesOfEmail(buyer)).toEqual([]);
    expect(users().length).toBeLessThanOrEqual(1);
    expect(summaryOf((await recordOf(stack, buyer))!).waits).toEqual([]);
  });

  it("lose no role when a sale overtakes a refund that was stopped before it takes the role", async () => {
    await deliver(stack, ping("sale"));
    await overtaken("auth0 DELETE /api/v2/users/{id}/roles before", ping("refund-full"),
      ping("sale", { sale_id: `bought again by ${buyer}` }));
    expect(stack.auth0.rolesOfEmail(buyer)).toEqual([HANDBOOK]);
    expect(summaryOf((await recordOf(stack, buyer))!).waits).toEqual([]);
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
    expect(summaryOf((await recordOf(stack, buyer))!).waits).toEqual([]);
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
      await overtaken(at, ping("refund-full"), bundle());
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
      await overtaken(at, bundle(), ping("refund-full"));
      expect(rolesOf()).toEqual(["react-for-dataviz", HANDBOOK]);
      await deliver(stack, changed("refund-full", { email: other(), sale_id: `of ${other()}` }));
      expect(rolesOf()).toEqual(["react-for-dataviz"]);
    },
  );
});

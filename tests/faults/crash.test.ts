import { describe, expect, it } from "@jest/globals";

import type { GateCall } from "../../src/emulators/aws/gate.ts";
import { roleNames } from "../../src/access/policy.ts";
import type { Stack } from "../../src/emulators/stack.ts";
import policy from "../../src/products.ts";
import { changed, post, recordOf, startLocal } from "../pipeline/local-stack.ts";

const HANDBOOK = "serverless-handbook";
const product = { product_id: "Z7kcrf7WgiSjiBnsGYi45w==" };

interface Story {
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

const inPing = (_call: GateCall, provisioning: boolean) => !provisioning;
const inProvision = (_call: GateCall, provisioning: boolean) => provisioning;
const whereItDiffers = ({ service, operation }: GateCall) => operation === "PutItem" || (service === "auth0" && !["POST /oauth/token", "GET /api/v2/roles"].includes(operation));
const sale = (email: string) => changed("sale", { email, sale_id: `of ${email}` });
const stories: readonly Story[] = [
  {
    name: "a buyer never seen",
    before: async () => Promise.resolve(),
    ping: sale,
    roles: [HANDBOOK],
    at: inProvision,
    passes: ["secretsmanager GetSecretValue", "dynamodb GetItem", "dynamodb UpdateItem", "dynamodb PutItem", "auth0 POST /oauth/token", "auth0 GET /api/v2/users-by-email", "auth0 POST /api/v2/users", "auth0 POST /api/v2/users/{id}/roles"],
  },
  {
    name: "the ping itself",
    before: async () => Promise.resolve(),
    ping: sale,
    roles: [HANDBOOK],
    at: inPing,
    passes: ["secretsmanager GetSecretValue", "sqs SendMessage"],
  },
  {
    name: "a buyer whose own user brings a role",
    before: async (stack, email) => {
      stack.auth0.addUser({ email, verified: true, roles: ["vip"] });
      return Promise.resolve();
    },
    ping: sale,
    roles: [HANDBOOK, "vip"],
    at: whereItDiffers,
    passes: ["auth0 GET /api/v2/users/{id}/roles", "auth0 POST /api/v2/users/{id}/roles"],
  },
  {
    name: "a refund beside another purchase",
    before: async (stack, email) => {
      await settle(stack, sale(email), changed("sale", { email, sale_id: `other of ${email}`, ...product }));
    },
    ping: (email) => changed("refund-full", { email, sale_id: `of ${email}` }),
    roles: ["react-for-dataviz"],
    at: whereItDiffers,
    passes: ["auth0 DELETE /api/v2/users/{id}/roles"],
  },
  {
    name: "an email that must be verified first",
    before: async (stack, email) => {
      stack.auth0.addUser({ email, verified: false });
      return Promise.resolve();
    },
    ping: sale,
    after: async (stack, email) => {
      const [user] = stack.auth0.users().filter((each) => each.email === email);
      stack.auth0.verifyEmail(user!.user_id);
      await stack.advance(60 * 60_000);
      const changes = () => stack.auth0.calls.filter(({ method, path, status }) => method === "PATCH" && path === "/users/{id}" && status === 200).length;
      const before = changes();
      await reconcile(stack);
      await untilDone(stack);
      // However the way there was broken off: no role before the password that a stranger may know is gone.
      expect(changes()).toBeGreaterThan(before);
    },
    roles: [HANDBOOK],
    at: (call, provisioning) => whereItDiffers(call) || (provisioning && ["Query", "SendMessageBatch"].includes(call.operation)),
    passes: ["auth0 POST /api/v2/jobs/verification-email", "auth0 PATCH /api/v2/users/{id}", "dynamodb Query", "sqs SendMessageBatch"],
  },
  {
    name: "a renewal under another address",
    before: async (stack, email) => {
      await settle(stack, changed("membership-sale", { email, subscription_id: `of ${email}`, sale_id: `first of ${email}` }));
    },
    ping: (email) => changed("membership-renewal", { email: `new.${email}`, subscription_id: `of ${email}`, "variants[Tier]": "Premium" }),
    roles: ["club", "club-premium"],
    at: (call, provisioning) => provisioning && (whereItDiffers(call) || call.service === "sqs" || call.operation === "UpdateItem"),
    passes: ["sqs SendMessage", "dynamodb UpdateItem"],
  },
];

/** The minute's reconcile; if it is stopped, the next minute's. */
async function reconcile(stack: Stack): Promise<void> {
  while ((await stack.invoke("reconcile")).kind !== "answer");
}

async function settle(stack: Stack, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) expect((await post(stack, text)).status).toBe(200);
  await stack.sqs.idle();
}

describe.each(stories)("$name", ({ before, ping, after, roles, at, passes }) => {
  it("ends right, with no user twice and no foreign role touched, wherever everything stops", async () => {
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
        // A cold start makes the most calls: it also fetches secrets, a token and the role names.
        if (at === inPing) await stack.crash("ping");
        if (at === inProvision) await stack.crash("provision");
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
  }, 60_000);
});

/** Waits until the queue is empty; what a crashed worker held comes back as if its visibility time-out had passed. */
async function untilDone(stack: Stack): Promise<void> {
  for (;;) {
    const { waiting, inFlight } = await stack.sqs.inspect("ProvisionQueue");
    if (waiting.length + inFlight.length === 0) return;
    if (inFlight.length > 0 && stack.inHand() === 0) await stack.redeliver();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

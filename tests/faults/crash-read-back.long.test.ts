import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import type { SourceId } from "../../src/access/facts.ts";
import type { GateCall } from "../../local/aws/gate.ts";
import type { Order } from "gumroad-emulator/order";
import type { Stack } from "../../local/stack.ts";
import type { Message, MessageOf } from "../../src/queue/message.ts";
import { changed, post, recordOf } from "../pipeline/local-stack.ts";
import { actMessage, actOf, sendAct, workedOff } from "../pipeline/operator-messages.ts";
import { batchOf, holdFirst as holdFirstCall, pingMessage,
  provision as provisionPastQueue } from "../pipeline/past-the-queue.ts";
import { HANDBOOK, reconcile, sale, startStoppable, stopEverywhere, untilDone, type Stoppable,
  type Story } from "./stop-everywhere.ts";

const MINUTE = 60_000;
const PRODUCT = "zGyG_1JQunZuizwqd9CP7g==";
const typed = (email: string) => `typed.${email}`;
const giver = (email: string) => `giver.${email}`;
const former = (email: string) => `former.${email}`;
const sourceOf = (email: string): SourceId => `sale:of ${email}`;

/**
 * The shop sells without a word to us. The sale's id is that of the ping of this buyer, and of a gift that of the
 * receiver's side.
 */
function sold(stack: Stack, email: string, order: Partial<Order> = {}): void {
  const row = { saleId: `of ${email}`, orderNumber: 1 };
  quietly(stack,
    () =>
      stack.gumroad.sell({ product: PRODUCT, email,
        ids: { rows: order.gift === undefined ? [row] : [{ ...row, saleId: `given to ${email}` }, row] }, ...order }));
}

function quietly(stack: Stack, act: () => void): void {
  stack.gumroad.setDeliver(() => 200);
  act();
  stack.gumroad.setDeliver("http");
}

/**
 * Crash at these of the calls that a story brings. What is missing is the same state: a call that only reads changes
 * nothing, and to stop before a write is to stop after the call that came before it.
 */
const atPoints = (...points: readonly string[]) => ({
  at: ({ service, operation, phase }: GateCall, provisioning: boolean) =>
    provisioning && points.includes(`${service} ${operation} ${phase}`),
  passes: points,
});

const stories: readonly Story[] = [
  { name: "a sale read back by a cold worker, with its secrets", before: async (stack, email) => {
    sold(stack, email);
    await stack.crash("provision");
  }, ping: sale, roles: [HANDBOOK],
    ...atPoints("secretsmanager GetSecretValue after", "gumroad GET /sales/:id after") },
  { name: "a ping whose email somebody typed, forwarded to who bought",
    before: async (stack, email) => Promise.resolve(sold(stack, email)),
    ping: (email) => changed("sale", { email: typed(email), sale_id: `of ${email}` }), after: async (stack, email) => {
      expect(await recordOf(stack, typed(email))).toBeUndefined();
    }, roles: [HANDBOOK], ...atPoints("sqs SendMessage before", "sqs SendMessage after") },
  { name: "a sale that Gumroad's API doesn't know at first", before: async () => Promise.resolve(),
    ping: async (email, stack) => {
      await post(stack, sale(email));
      await untilDone(stack);
      sold(stack, email);
      await stack.advance(3 * MINUTE);
      await reconcile(stack);
    }, roles: [HANDBOOK], ...atPoints("dynamodb PutItem after", "dynamodb Query after", "dynamodb DeleteItem after") },
  { name: "a purchase that an operator moves", before: async (stack, email) => {
    quietly(stack,
      () =>
        stack.gumroad.sell({ product: PRODUCT, email: former(email),
          ids: { rows: [{ saleId: `of ${email}`, orderNumber: 1 }] } }));
    expect((await post(stack, changed("sale", { email: former(email), sale_id: `of ${email}` }))).status).toBe(200);
    await untilDone(stack);
  },
    ping: (email, stack) =>
      sendAct(stack, former(email), sourceOf(email), actOf({ kind: "move", to: email }, stack.gumroad.now())),
    after: async (stack, email) => {
      expect(stack.auth0.rolesOfEmail(former(email))).toEqual([]);
      expect(await recordOf(stack, former(email))).toMatchObject({ unsettled: null });
    }, roles: [HANDBOOK], ...atPoints("sqs SendMessage before", "sqs SendMessage after") },
  { name: "a lost sale that a sweep finds", before: async (stack, email) => Promise.resolve(sold(stack, email)),
    ping: async (_email, stack) => {
      while ((await stack.invoke("reconcile", { sweep: "recent" })).kind !== "answer");
    }, roles: [HANDBOOK], ...atPoints("gumroad GET /sales after", "sqs SendMessageBatch after") },
  { name: "a gift, whose giver's sale is looked for",
    before: async (stack, email) => Promise.resolve(sold(stack, email, { email: giver(email), gift: { to: email } })),
    ping: (email) => changed("sale-gift", { email, gifter_email: giver(email), sale_id: `of ${email}` }),
    after: async (stack, email) => {
      expect(await recordOf(stack, email)).toMatchObject({
        sources: { [`sale:given to ${email}`]: { charges: [{ gift: "given" }] } },
      });
    }, roles: [HANDBOOK], ...atPoints("gumroad GET /sales after", "dynamodb UpdateItem after") },
];

/** One stack for all: each story and each race has buyers of its own. */
let stoppable: Stoppable;
let stack: Stack;
beforeAll(async () => {
  stoppable = await startStoppable({ readBack: true, maxWorkers: 3 });
  ({ stack } = stoppable);
});
afterAll(async () => {
  await stack.stop();
});

describe("wherever everything stops, this ends right, with no user twice and nothing lost", () => {
  it.each(stories)("$name", (story) => stopEverywhere(stoppable, story));
});

describe("several on one buyer", () => {
  let buyer: string;
  beforeEach(() => {
    buyer = `racer${String(stoppable.nextStory())}@example.com`;
    stoppable.setHook(() => "go");
  });

  const users = () => stack.auth0.users().filter(({ email }) => email === buyer);
  const refund = () => {
    quietly(stack, () => stack.gumroad.refund(`of ${buyer}`));
  };

  const holdFirst = (wanted: string) => holdFirstCall(wanted, stoppable.setHook);
  const provision = async (message: Message) => provisionPastQueue(stack, message);
  const ping = (file: "sale" | "refund-full") => pingMessage(changed(file, { email: buyer, sale_id: `of ${buyer}` }));
  const hint = (): MessageOf<"hint"> => ({ v: 1, kind: "hint", requestId: "race", buyer, hops: 0,
    saleId: `of ${buyer}`, subscriptionId: null, sweep: "recent 2026-11-22T00:00:00.000Z", foundAt: Date.now() });
  const act = (kind: "take" | "follow") => actMessage(buyer, sourceOf(buyer), actOf({ kind }, Date.now()));

  it.each([
    ["before its first write", "dynamodb PutItem before"],
    ["after it read the sale", "gumroad GET /sales/:id after"],
    ["before it takes the record up", "dynamodb GetItem after"],
  ])("a worker that read of no refund, stopped %s while another read of one, leaves no role", async (_when, at) => {
    sold(stack, buyer);
    const { held, release } = holdFirst(at);
    const slow = provision(ping("sale"));
    await held;
    refund();
    await provision(ping("refund-full"));
    const reads = stack.gumroad.calls.length;
    release();
    await slow;
    // What it had read was stale by then: it asked again.
    expect(stack.gumroad.calls.length).toBeGreaterThan(reads);
    expect(stack.auth0.rolesOfEmail(buyer)).toEqual([]);
    expect(await recordOf(stack, buyer)).toMatchObject({ unsettled: null,
      sources: { [sourceOf(buyer)]: { charges: [{ read: { refunded: true } }] } } });
  });

  it.each([
    ["a worker is stopped before it gives the role", "auth0 POST /api/v2/users/{id}/roles before"],
    ["a worker is stopped after it gave the role", "auth0 POST /api/v2/users/{id}/roles after"],
    ["a worker is stopped before it creates the user", "auth0 POST /api/v2/users before"],
    ["a worker is stopped after it read the sale", "gumroad GET /sales/:id after"],
    ["nobody is stopped", "never"],
  ])("two workers, a sweep's hint and an operator who takes it, while %s, leave no role and one user at most",
    async (_when, at) => {
      sold(stack, buyer);
      const { held, release } = holdFirst(at);
      const slow = provision(ping("sale"));
      if (at !== "never") await held;
      const others = Promise.all([provision(hint()), provision(ping("sale")), takenOnceKnown()]);
      if (at !== "never") await others;
      release();
      await Promise.all([slow, others]);
      await workedOff(stack);
      expect(stack.auth0.rolesOfEmail(buyer)).toEqual([]);
      expect(users().length).toBeLessThanOrEqual(1);
      expect(await recordOf(stack, buyer)).toMatchObject({ unsettled: null,
        sources: { [sourceOf(buyer)]: { act: { decision: { kind: "take" } } } } });
      await provision(act("follow"));
      expect(stack.auth0.rolesOfEmail(buyer)).toEqual([HANDBOOK]);
      expect(users()).toHaveLength(1);
      expect(await stack.sqs.deadLetters()).toEqual([]);
    });

  /** An operator can only act on what was sold: once somebody owns it. */
  async function takenOnceKnown(): Promise<void> {
    while (!(await stack.ledger()).some(({ pk }) => pk === `source#${sourceOf(buyer)}`)) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await provision(act("take"));
  }

  it("an act for the new owner, while the move is under way, waits for it", async () => {
    sold(stack, buyer);
    await provision(ping("sale"));
    const next = `next.${buyer}`;
    const { held, release } = holdFirst("sqs SendMessage before");
    const now = Date.now();
    const slow = provision(actMessage(buyer, sourceOf(buyer), actOf({ kind: "move", to: next }, now)));
    await held;
    const early = await stack.invoke("provision",
      batchOf({ m: JSON.stringify(actMessage(next, sourceOf(buyer), actOf({ kind: "take" }, now + 1))) }));
    expect(early).toMatchObject({ kind: "answer", payload: expect.stringContaining('"itemIdentifier":"m"') });
    release();
    await slow;
    await workedOff(stack);
    expect([stack.auth0.rolesOfEmail(buyer), stack.auth0.rolesOfEmail(next)]).toEqual([[], [HANDBOOK]]);
    expect(await stack.sqs.deadLetters()).toEqual([]);
  });
});

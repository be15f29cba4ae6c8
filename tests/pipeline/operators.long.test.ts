import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { type Decision, type SourceId } from "../../src/access/facts.ts";
import type { Stack } from "../../local/stack.ts";
import { changed, kept, post, recordOf, startLocal } from "./local-stack.ts";
import { actMessage, actOf, send, sendAct, workedOff } from "./operator-messages.ts";
import { batchOf, pingMessage } from "./past-the-queue.ts";

const HANDBOOK = "serverless-handbook";
const DATAVIZ = "react-for-dataviz";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let stack: Stack;
let nth = 0;
let lines: string[] = [];
let lettersBefore = 0;
beforeAll(async () => {
  stack = await startLocal({ maxWorkers: 1, onLog: (_function, line) => lines.push(line) });
});
afterAll(async () => {
  await stack.stop();
});
beforeEach(async () => {
  nth += 1;
  lines = [];
  lettersBefore = (await kept(stack)).length;
});
afterEach(() => {
  for (const line of lines) expect(line).not.toMatch(/@example|%40example|asked by mail/);
});

/** A buyer whom no other test knows. */
const someone = (name: string) => `${name}.${String(nth)}@example.com`;
const saleId = () => `bought.${String(nth)}`;
const bought = (): SourceId => `sale:${saleId()}`;
const rolesOf = (name: string) => stack.auth0.rolesOfEmail(someone(name));
const now = () => stack.gumroad.now();
const newLetters = async () => (await kept(stack)).slice(lettersBefore);

const saleBy = (name: string, changes: Readonly<Record<string, string>> = {}) =>
  changed("sale", { email: someone(name), sale_id: saleId(), ...changes });
const refundOf = (name: string, changes: Readonly<Record<string, string>> = {}) =>
  changed("refund-full", { email: someone(name), sale_id: saleId(), ...changes });

/** An operator decides, and it is done. `at` is epoch ms: this moment, if left out. */
async function decides(name: string, source: SourceId, decision: Decision, at = now()): Promise<void> {
  await sendAct(stack, someone(name), source, actOf(decision, at));
  await workedOff(stack);
}

/** Pings arrive one after the other, and are worked off. */
async function deliver(...texts: readonly string[]): Promise<void> {
  for (const text of texts) expect((await post(stack, text)).status).toBe(200);
  await workedOff(stack);
}

async function reconciled(): Promise<void> {
  expect((await stack.invoke("reconcile")).kind).toBe("answer");
  await workedOff(stack);
}

describe("a complimentary role", () => {
  it("is given to somebody who bought nothing, and taken back when it is revoked", async () => {
    await decides("ann", `grant:${HANDBOOK}`, { kind: "give", until: null });
    expect(rolesOf("ann")).toEqual([HANDBOOK]);
    await decides("ann", `grant:${HANDBOOK}`, { kind: "follow" });
    expect(rolesOf("ann")).toEqual([]);
    await decides("ann", `grant:${HANDBOOK}`, { kind: "give", until: null });
    await decides("ann", `grant:${HANDBOOK}`, { kind: "take" });
    expect(rolesOf("ann")).toEqual([]);
    expect(await recordOf(stack, someone("ann"))).toMatchObject({ unsettled: null, dueAt: null, held: {} });
  });

  it("goes by itself when its time is over, and what was bought besides stays", async () => {
    await deliver(saleBy("ann"));
    for (const role of [HANDBOOK, DATAVIZ]) {
      await decides("ann", `grant:${role}`, { kind: "give", until: now() + HOUR });
    }
    expect(rolesOf("ann")).toEqual([DATAVIZ, HANDBOOK]);
    await stack.advance(HOUR - MINUTE);
    await reconciled();
    expect(rolesOf("ann")).toEqual([DATAVIZ, HANDBOOK]);
    await stack.advance(2 * MINUTE);
    await reconciled();
    expect(rolesOf("ann")).toEqual([HANDBOOK]);
    expect(await recordOf(stack, someone("ann"))).toMatchObject({ unsettled: null, dueAt: null });
  });

  it("isn't moved to somebody else: that is kept for the operator to see", async () => {
    await decides("ann", `grant:${HANDBOOK}`, { kind: "give", until: null });
    await decides("ann", `grant:${HANDBOOK}`, { kind: "move", to: someone("bo") });
    expect(await newLetters()).toMatchObject([{ code: "SOURCE_NOT_OWNED" }]);
    expect(rolesOf("ann")).toEqual([HANDBOOK]);
    expect(rolesOf("bo")).toEqual([]);
  });
});

describe("an operator's act about a purchase", () => {
  it("takes a paid one, and gives it back to the facts", async () => {
    await deliver(saleBy("ann"));
    await decides("ann", bought(), { kind: "take" });
    expect(rolesOf("ann")).toEqual([]);
    await deliver(saleBy("ann", { referrer: "sent again" }));
    expect(rolesOf("ann")).toEqual([]);
    await decides("ann", bought(), { kind: "follow" });
    expect(rolesOf("ann")).toEqual([HANDBOOK]);
  });

  it("gives a refunded one back, whatever pings come later, and for as long as it says", async () => {
    await deliver(saleBy("ann"), refundOf("ann"));
    expect(rolesOf("ann")).toEqual([]);
    await decides("ann", bought(), { kind: "give", until: now() + HOUR });
    expect(rolesOf("ann")).toEqual([HANDBOOK]);
    await deliver(refundOf("ann", { referrer: "sent again" }));
    expect(rolesOf("ann")).toEqual([HANDBOOK]);
    await stack.advance(HOUR + MINUTE);
    await reconciled();
    expect(rolesOf("ann")).toEqual([]);
  });

  it("counts by when it was decided, not by when it arrives", async () => {
    await deliver(saleBy("ann"));
    const early = now();
    await decides("ann", bought(), { kind: "take" }, early + 1_000);
    await decides("ann", bought(), { kind: "give", until: null }, early);
    expect(rolesOf("ann")).toEqual([]);
    await decides("ann", bought(), { kind: "move", to: someone("bo") }, early);
    expect(rolesOf("ann")).toEqual([]);
    expect(rolesOf("bo")).toEqual([]);
    expect(await newLetters()).toEqual([]);
  });

  it("takes a refunded one too: nothing to take, and nothing comes back with a dispute won", async () => {
    await deliver(saleBy("ann"), changed("dispute", { email: someone("ann"), sale_id: saleId() }));
    await decides("ann", bought(), { kind: "take" });
    await deliver(changed("dispute-won", { email: someone("ann"), sale_id: saleId() }));
    expect(rolesOf("ann")).toEqual([]);
  });

  it("about what nobody bought is kept for the operator to see", async () => {
    await decides("ann", bought(), { kind: "take" });
    expect(await newLetters()).toMatchObject([{ code: "SOURCE_UNKNOWN" }]);
    expect(rolesOf("ann")).toEqual([]);
  });

  it("reaches the owner when it names the wrong buyer", async () => {
    await deliver(saleBy("ann"));
    await decides("bo", bought(), { kind: "take" });
    expect(rolesOf("ann")).toEqual([]);
    expect(await recordOf(stack, someone("bo"))).toBeUndefined();
    expect(await newLetters()).toEqual([]);
  });
});

describe("a purchase that is moved", () => {
  it("takes its role along, and later pings under the old email follow it", async () => {
    await deliver(saleBy("ann"));
    await decides("ann", bought(), { kind: "move", to: someone("bo") });
    expect([rolesOf("ann"), rolesOf("bo")]).toEqual([[], [HANDBOOK]]);
    await deliver(saleBy("ann", { referrer: "sent again" }));
    expect([rolesOf("ann"), rolesOf("bo")]).toEqual([[], [HANDBOOK]]);
    await deliver(refundOf("ann"));
    expect([rolesOf("ann"), rolesOf("bo")]).toEqual([[], []]);
    expect(await newLetters()).toEqual([]);
  });

  it("takes along what was known of it: a dispute won later gives the role to the new owner", async () => {
    await deliver(saleBy("ann"), changed("dispute", { email: someone("ann"), sale_id: saleId() }));
    await decides("ann", bought(), { kind: "move", to: someone("bo") });
    expect([rolesOf("ann"), rolesOf("bo")]).toEqual([[], []]);
    await deliver(changed("dispute-won", { email: someone("ann"), sale_id: saleId() }));
    expect([rolesOf("ann"), rolesOf("bo")]).toEqual([[], [HANDBOOK]]);
  });

  it("can be moved back, and there and back again", async () => {
    await deliver(saleBy("ann"));
    for (const [from, to] of [["ann", "bo"], ["bo", "ann"], ["ann", "bo"], ["bo", "ann"]] as const) {
      await decides(from, bought(), { kind: "move", to: someone(to) });
      expect([rolesOf(from), rolesOf(to)]).toEqual([[], [HANDBOOK]]);
      await deliver(saleBy("ann", { referrer: `moved to ${to} at ${String(now())}` }));
      expect([rolesOf(from), rolesOf(to)]).toEqual([[], [HANDBOOK]]);
    }
    await deliver(refundOf("ann"));
    expect([rolesOf("ann"), rolesOf("bo")]).toEqual([[], []]);
    expect(await newLetters()).toEqual([]);
  });

  it.each([["in order", false], ["the later one first", true]])("twice, %s, ends with who was named last",
    async (_order, reversed) => {
      await deliver(saleBy("ann"));
      const moves = [actOf({ kind: "move", to: someone("bo") }, now()),
        actOf({ kind: "move", to: someone("cy") }, now() + 1_000)];
      for (const act of reversed ? [...moves].reverse() : moves) {
        await sendAct(stack, someone("ann"), bought(), act);
        await workedOff(stack);
      }
      expect([rolesOf("ann"), rolesOf("bo"), rolesOf("cy")]).toEqual([[], [], [HANDBOOK]]);
      await deliver(refundOf("ann"));
      expect([rolesOf("ann"), rolesOf("bo"), rolesOf("cy")]).toEqual([[], [], []]);
      expect(await newLetters()).toEqual([]);
    });

  it("twice, all at once, with a refund between, leaves nobody with the role", async () => {
    await deliver(saleBy("ann"));
    await sendAct(stack, someone("ann"), bought(), actOf({ kind: "move", to: someone("bo") }, now()));
    await sendAct(stack, someone("ann"), bought(), actOf({ kind: "move", to: someone("cy") }, now() + 1_000));
    await deliver(refundOf("ann"));
    expect([rolesOf("ann"), rolesOf("bo"), rolesOf("cy")]).toEqual([[], [], []]);
    expect(await newLetters()).toEqual([]);
  });

  it("isn't moved again by the same act, delivered once more after it was moved back", async () => {
    await deliver(saleBy("ann"));
    const first = actOf({ kind: "move", to: someone("bo") }, now());
    await sendAct(stack, someone("ann"), bought(), first);
    await workedOff(stack);
    await decides("bo", bought(), { kind: "move", to: someone("ann") }, now() + 1_000);
    await send(stack, actMessage(someone("ann"), bought(), first), `${first.id} again`);
    await workedOff(stack);
    expect([rolesOf("ann"), rolesOf("bo")]).toEqual([[HANDBOOK], []]);
  });

  it("takes along a refund that came in the same breath", async () => {
    await deliver(saleBy("ann"));
    const act = actOf({ kind: "move", to: someone("bo") }, now());
    // One batch: the refund is in no stored record yet when the move is told.
    await stack.invoke("provision",
      batchOf({ refund: JSON.stringify(pingMessage(refundOf("ann"), now())),
        move: JSON.stringify(actMessage(someone("ann"), bought(), act)) }));
    await workedOff(stack);
    expect([rolesOf("ann"), rolesOf("bo")]).toEqual([[], []]);
    expect(await recordOf(stack, someone("bo"))).toMatchObject({
      sources: { [bought()]: { charges: [{ refunded: true }] } },
    });
  });
});

describe("a message for another buyer's group", () => {
  it("is kept once it has gone around too often", async () => {
    await deliver(saleBy("ann"));
    await send(stack, { ...pingMessage(refundOf("bo"), now()), hops: 3 }, saleId());
    await workedOff(stack);
    expect(await newLetters()).toMatchObject([{ code: "OWNER_UNCLEAR" }]);
    expect(rolesOf("ann")).toEqual([HANDBOOK]);
    await send(stack, { ...pingMessage(refundOf("bo"), now()), hops: 2 }, `${saleId()} two`);
    await workedOff(stack);
    expect(rolesOf("ann")).toEqual([]);
  });
});

import { afterAll, beforeAll, expect, it } from "@jest/globals";

import type { Stack } from "../../local/stack.ts";
import { kept, later, startLocal } from "./local-stack.ts";
import { workedOff } from "./operator-messages.ts";

const HANDBOOK = "zGyG_1JQunZuizwqd9CP7g==";
const CLUB = "wg2b8FhyMUKaJ6Eo3PrR5g==";
const MINUTE = 60_000;

let stack: Stack;
beforeAll(async () => {
  stack = await startLocal({ readBack: true });
});
afterAll(async () => {
  await stack.stop();
});

const rolesOf = (email: string) => stack.auth0.rolesOfEmail(email);
/** What waits beside the records, to be read back again. */
const waiting = async () => (await stack.ledger()).filter(({ sk }) => String(sk).startsWith("pending#")).length;

it("while Gumroad is away for an hour, what came waits; then all is right by itself, a change of plan included",
  async () => {
    const { subscription } = stack.gumroad.sell({ product: CLUB, email: "ann@example.com",
      accountEmail: "ann@example.com", tier: "Basic" });
    const { sale } = stack.gumroad.sell({ product: HANDBOOK, email: "bo@example.com" });
    await stack.gumroad.settled();
    await stack.sqs.idle();
    const faults = ["/sales/:id", "/subscribers/:id", "/sales"].map((path) =>
      stack.gumroad.fault({ path, times: 100_000, answer: { status: 503 } })
    );
    stack.gumroad.upgrade(subscription!, { tier: "Premium" });
    stack.gumroad.refund(sale);
    stack.gumroad.sell({ product: HANDBOOK, email: "cy@example.com" });
    await stack.gumroad.settled();
    for (let quarter = 0; quarter < 4; quarter += 1) {
      await stack.advance(15 * MINUTE);
      expect(await stack.invoke("reconcile")).toMatchObject({ kind: "answer" });
      await workedOff(stack);
    }
    // The upgrade is told twice: as a change of plan, and as a charge.
    expect(await waiting()).toBe(4);
    expect([rolesOf("ann@example.com"), rolesOf("bo@example.com"), rolesOf("cy@example.com")]).toEqual([["club"], [
      "serverless-handbook",
    ], []]);
    for (const fault of faults) fault.remove();
    await later(stack, 5 * MINUTE);
    await later(stack, 5 * MINUTE);
    expect(await waiting()).toBe(0);
    expect([rolesOf("ann@example.com"), rolesOf("bo@example.com"), rolesOf("cy@example.com")]).toEqual([["club",
      "club-premium"], [], ["serverless-handbook"]]);
    expect((await kept(stack)).filter(({ body: text }) => text.includes("cy@example.com"))).toEqual([]);
  });

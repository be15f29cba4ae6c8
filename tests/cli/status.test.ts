import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import type { Stack } from "../../local/stack.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoLosses } from "../../src/ledger/losses.ts";
import { body, changed, deliver, post, saleBy, startLocal } from "../pipeline/local-stack.ts";
import { cliOn, emptied, stageOn } from "./local-cli.ts";

const HANDBOOK = "zGyG_1JQunZuizwqd9CP7g==";

let stack: Stack;
beforeAll(async () => {
  stack = await startLocal({ maxWorkers: 1 });
});
afterAll(() => stack.stop());
const run = (line: string) => cliOn(stack)(line);

describe("status", () => {
  it("only notes an upgrade that no charge has confirmed yet, as most are right: doctor lists it", async () => {
    await deliver(stack, body("membership-sale"), body("membership-upgrade"));
    const { code, out } = await run("status");
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^note {6}Pro Club: the tier rests on/m) });
    expect(out).toMatch(
      /\(PLAN_CHANGE_UNCONFIRMED\)\n {10}if it is wrong: npx gumroad-auth0 revoke \S+ --source \S+ --changes/,
    );
    expect((await run("doctor")).out).toContain("(PLAN_CHANGE_UNCONFIRMED)");
    // A downgrade is scheduled, with which all is well: or somebody made it up, for a period to come.
    await deliver(stack,
      changed("membership-upgrade", { type: "downgrade", effective_as_of: "2099-01-01T00:00:00Z" }));
    const ahead = await run("status");
    expect({ code: ahead.code, out: ahead.out }).toEqual({ code: 0,
      out: expect.stringMatching(/^note {6}Pro Club: a change of plan is told ahead.*\(PLAN_CHANGE_AHEAD\)$/m) });
    const revoke = /changes of plan told ahead, for \d{4}-.*: npx gumroad-auth0 (revoke \S+ --source \S+ --changes)$/m
      .exec((await run("explain eve@example.com")).out)?.[1];
    expect(await run(`${revoke ?? ""} --why forged`)).toMatchObject({ code: 0 });
    expect((await run("doctor")).out).not.toContain("PLAN_CHANGE");
    await emptied(stack);
  });

  it("counts what came in, what is done and what waits, in words and for scripts", async () => {
    expect(await run("status")).toEqual({ code: 0, err: "", out: [
      "received  0",
      "applied   0 of 0 buyers",
      "waiting   nobody",
      "queue     0 waiting, 0 being worked on or resting",
      "dead      none",
      "recent    never begun",
      "daily     never begun",
      "weekly    never begun",
    ].join("\n") });
    stack.auth0.addUser({ email: "squat@example.com" });
    await deliver(stack, saleBy("ann@example.com"), saleBy("ann@example.com"), saleBy("squat@example.com"),
      body("refund-full"));
    await run("grant ann@example.com club --until 2099-12-31 --why gift");
    await stack.invoke("reconcile", { sweep: "daily" });
    await stack.sqs.idle();
    const { code, out } = await run("status --json");
    expect({ code, told: JSON.parse(out) }).toEqual({ code: 0,
      told: { stage: "local", at: expect.any(String), queue: { waiting: 0, inFlight: 0 }, deadLetters: 0, late: false,
        ledger: {
          // The second ping of one sale told nothing new.
          received: { sale: 2, give: 1 },
          waitingForSale: 1,
          buyers: 2,
          applied: 1,
          waiting: { EMAIL_UNVERIFIED: 1 },
          unread: 0,
          scheduled: 1,
          held: {},
          earliestDueAt: expect.any(Number),
          oldestUnsettledAt: expect.any(Number),
          findings: [],
        }, sweeps: [
          { sweep: "recent", startedAt: null, finishedAt: null, report: null },
          { sweep: "daily", startedAt: expect.any(Number), finishedAt: expect.any(Number),
            report: expect.objectContaining({ read: 2 }) },
          { sweep: "weekly", startedAt: null, finishedAt: null, report: null },
        ] } });
    expect((await run("status")).out).toMatch(
      new RegExp(
        "received {2}3: given 1, sale 2; no word of its sale yet: 1 purchase\\n" +
          "applied {3}1 of 2 buyers\\n" +
          "waiting {3}EMAIL_UNVERIFIED 1, the oldest since [-0-9: ]{19}; 1 due at a known time",
      ),
    );
  });

  it("is a count of those whom buyers lists", async () => {
    const run = cliOn(stack);
    expect((await run("buyers --waiting")).out).toBe([
      "buyer              roles                bought               waits             lost last",
      "-----------------  -------------------  -------------------  ----------------  ---------",
      "squat@example.com  serverless-handbook  Serverless Handbook  EMAIL_UNVERIFIED",
    ].join("\n"));
    await deliver(stack, saleBy("lost@example.com"),
      changed("refund-full", { email: "lost@example.com", sale_id: "sale-of-lost@example.com" }));
    expect(JSON.parse((await run("buyers --lost-since 2026-01-01 --json")).out)).toMatchObject({ next: null,
      buyers: [{ email: "lost@example.com", roles: [], lost: { roles: ["serverless-handbook"] } }] });
    expect((await run("buyers example.com --limit 1")).out).toContain(
      "1 shown; there are more: npx gumroad-auth0 buyers example.com --limit 1 --after ann@example.com",
    );
    expect((await run("buyers LOST --csv")).out).toMatch(
      /^buyer,roles,bought,waits,lost last\nlost@example.com,,Serverless Handbook,,serverless-handbook \(\d/,
    );
    expect(await run("buyers --role masterclass")).toMatchObject({ code: 0, out: "nobody" });
    expect(await run("buyers --role nobody-has")).toMatchObject({ code: 0,
      out: expect.stringMatching(/^nobody; src\/products\.ts gives no such role, but club, club-premium, /) });
    expect(await run("buyers --lost-since yesterday")).toMatchObject({ code: 2,
      err: expect.stringContaining("--lost-since yesterday is no day") });
  });

  it("points at what needs a person, and exits with 1: dead letters, held removals", async () => {
    const { dynamo, ledger } = stageOn(stack);
    await dynamoLosses(ledgerTable(dynamo, ledger)).noteHeld(HANDBOOK, "ann@example.com");
    await post(stack, "seller_id=somebody-else&resource_name=sale");
    const { code, out } = await run("status");
    expect(code).toBe(1);
    expect(out).toContain(
      'held      Serverless Handbook: 1 buyer. Say npx gumroad-auth0 release "Serverless Handbook" or npx ' +
        'gumroad-auth0 keep "Serverless Handbook"',
    );
    await post(stack, changed("sale", { seller_id: "somebody-else", email: "lost@example.com" }));
    expect((await run("explain lost@example.com")).out).toMatch(
      /In the dead-letter queue\n {2}ping sale \(PING_OF_ANOTHER_SELLER, since .+\n.*replay --dead-letters --dry-run$/,
    );
    expect(out).toMatch(/dead {6}1: npx gumroad-auth0 replay --dead-letters --dry-run says of what kind/);
    await dynamoLosses(ledgerTable(dynamo, ledger)).noteReleased(HANDBOOK, "ann@example.com");
  });

  it("says once for all buyers what a person has to see to, how to mend it, and exits with 1", async () => {
    for (const name of ["g1", "g2"]) {
      await deliver(stack,
        saleBy(`${name}@example.com`, { product_id: "wg2b8FhyMUKaJ6Eo3PrR5g==", "variants[Tier]": "Gold" }));
    }
    const { code, out } = await run("status");
    expect(code).toBe(1);
    expect(out).toContain(
      'found     Pro Club: src/products.ts doesn\'t list the Tier "Gold": add it there, under "also" if it is a new ' +
        "name. It concerns 2 buyers: g",
    );
    expect(out).toContain("(OPTION_UNLISTED)\n          mend it: npx gumroad-auth0 products");
    expect(JSON.parse((await run("status --json")).out).ledger.findings).toMatchObject([
      { code: "OPTION_UNLISTED", product: "Pro Club",
        buyers: expect.arrayContaining(["g1@example.com", "g2@example.com"]) },
    ]);
  });

  it("takes a buyer who didn't verify an email for a day for one who needs a person", async () => {
    await stack.advance(25 * 60 * 60_000);
    expect((await run("status")).out).toContain("mend it: npx gumroad-auth0 invite squat@example.com");
  });

  it("leaves the table alone where that would take too long", async () => {
    const told = JSON.parse((await run("status --quick --json")).out);
    expect(Object.keys(told).sort()).toEqual(["at", "deadLetters", "late", "queue", "stage", "sweeps"]);
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import type { Stack } from "../../local/stack.ts";
import { body, changed, deliver as deliverAll, later, managementCalls, post as postPing, recordOf, saleBy, startLocal,
  until } from "./local-stack.ts";
import { batchOf, pingMessage } from "./past-the-queue.ts";

const ANN = "ann@example.com";
const HANDBOOK = "serverless-handbook";
const DATAVIZ = { product_id: "Z7kcrf7WgiSjiBnsGYi45w==" };
const MINUTE = 60_000;

let shared: Stack;
let stack: Stack;
let test = 0;
let lettersBefore = 0;
let leavesTraces = false;
const logged: string[] = [];
const listened = { onLog: (_function: string, line: string) => logged.push(line) };

beforeAll(async () => {
  shared = await startLocal(listened);
});
afterAll(async () => {
  await shared.stop();
});
beforeEach(() => {
  test += 1;
  logged.length = 0;
});
afterEach(async () => {
  expect(stack.auth0.failures).toEqual([]);
  for (const line of logged) expect(line).not.toMatch(/@example|%40example/);
  if (leavesTraces) await shared.crash("provision");
  leavesTraces = false;
});

/** The stack of these tests, with nobody in Auth0 and nothing in the ledger. */
async function start(): Promise<void> {
  stack = shared;
  stack.auth0.reset();
  await stack.forget("LedgerTable");
  lettersBefore = (await stack.sqs.deadLetters()).length;
}

/**
 * The same with a worker of the test's own: for what leaves traces in the function's memory, or must find none there.
 */
async function startAfresh(): Promise<void> {
  await start();
  await stack.crash("provision");
  leavesTraces = true;
}

/** A body that SQS has not seen in another test: it would drop it as a duplicate. */
const fresh = (text: string) => `${text}&url_params%5Btest%5D=${String(test)}`;
/** What this test brought into the dead-letter queue. */
const newLetters = async () => (await stack.sqs.deadLetters()).slice(lettersBefore);
const post = async (to: Stack, text: string) => postPing(to, fresh(text));
const deliver = async (to: Stack, ...texts: readonly string[]) => deliverAll(to, ...texts.map(fresh));

describe("a buyer never seen", () => {
  it("costs three Management calls: look up, create, assign", async () => {
    await start();
    await deliver(stack, body("sale"));
    expect(managementCalls(stack)).toEqual(["GET /users-by-email", "POST /users", "POST /users/{id}/roles"]);
    expect(stack.auth0.users()).toMatchObject([{ email: ANN, email_verified: false, roles: [HANDBOOK] }]);
    expect(await recordOf(stack, ANN)).toMatchObject({ unsettled: null, dueAt: null });
  });

  it("who has a verified user keeps it, and costs three: look up, list roles, assign", async () => {
    await start();
    stack.auth0.addUser({ email: ANN, verified: true, roles: ["vip"] });
    await deliver(stack, body("sale"));
    expect(managementCalls(stack)).toEqual(["GET /users-by-email", "GET /users/{id}/roles", "POST /users/{id}/roles"]);
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual([HANDBOOK, "vip"]);
    expect(stack.auth0.users()).toHaveLength(1);
  });

  it("with several verified users gets the role on each", async () => {
    await start();
    stack.auth0.addUser({ email: ANN, verified: true });
    stack.auth0.addUser({ email: ANN, verified: true, connection: "google-oauth2", provider: "google-oauth2" });
    await deliver(stack, body("sale"));
    expect(stack.auth0.users().map(({ roles }) => roles)).toEqual([[HANDBOOK], [HANDBOOK]]);
  });

  it.each(["Ann@Example.COM", " ann@example.com "])("is one buyer however the email is written: %p", async (email) => {
    await start();
    await deliver(stack, body("sale"), saleBy(email, DATAVIZ));
    expect(stack.auth0.users().map((user) => user.email)).toEqual([ANN]);
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual(["react-for-dataviz", HANDBOOK]);
  });

  it("is also looked up as they wrote their email: a social user keeps its capitals", async () => {
    await start();
    stack.auth0.addUser({ email: "Ann@Example.com", verified: true, connection: "google-oauth2",
      provider: "google-oauth2" });
    await deliver(stack, saleBy("Ann@Example.com"));
    expect(stack.auth0.users()).toMatchObject([{ email: "Ann@Example.com", roles: [HANDBOOK] }]);
  });

  it("with a plus sign is another person than without", async () => {
    await start();
    await deliver(stack, body("sale"), saleBy("ann+courses@example.com", DATAVIZ));
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual([HANDBOOK]);
    expect(stack.auth0.rolesOfEmail("ann+courses@example.com")).toEqual(["react-for-dataviz"]);
  });

  it("who signs up between our look-up and our create is looked up again", async () => {
    await start();
    stack.auth0.onCall(({ path }, phase) => {
      if (path === "/users-by-email" && phase === "after" && stack.auth0.users().length === 0) {
        stack.auth0.addUser({ email: ANN, verified: true });
      }
    });
    await deliver(stack, body("sale"));
    expect(stack.auth0.users()).toMatchObject([{ email: ANN, roles: [HANDBOOK] }]);
  });
});

describe("a known buyer", () => {
  it("costs one call for the next product, and none for a duplicate", async () => {
    await start();
    await deliver(stack, body("sale"));
    const first = managementCalls(stack).length;
    await deliver(stack, saleBy(ANN, DATAVIZ));
    expect(managementCalls(stack).slice(first)).toEqual(["POST /users/{id}/roles"]);
    // Sent again after SQS has forgotten it: the ledger knows it.
    await stack.advance(6 * MINUTE);
    await deliver(stack, changed("sale", { referrer: "resent" }),
      changed("sale", { retry_count: "2", referrer: "again" }));
    expect(managementCalls(stack)).toHaveLength(first + 1);
  });

  it("fifty copies at once are one user, one role and three calls", async () => {
    await start();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        post(stack, changed(index % 2 === 0 ? "sale" : "sale-retry", { referrer: `copy ${String(index)}` }))),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    await stack.sqs.idle();
    expect(stack.auth0.users()).toMatchObject([{ email: ANN, roles: [HANDBOOK] }]);
    expect(managementCalls(stack)).toHaveLength(3);
  });

  it("twenty products bought at once end in all their roles", async () => {
    await start();
    await Promise.all(
      ["zGyG_1JQunZuizwqd9CP7g==", "Z7kcrf7WgiSjiBnsGYi45w==", "lnHn8l0Cn_FH_VuURa1aEw=="].flatMap((product_id) =>
        Array.from({ length: 7 }, (_, index) =>
          post(stack, changed("sale", { product_id, sale_id: `${product_id}${String(index)}` })))
      ),
    );
    await stack.sqs.idle();
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual(["masterclass", "react-for-dataviz", HANDBOOK]);
    expect(stack.auth0.users()).toHaveLength(1);
  });

  it("whose user was deleted at Auth0 gets a new one with all roles", async () => {
    await start();
    await deliver(stack, body("sale"));
    stack.auth0.removeUser(stack.auth0.users()[0]!.user_id);
    await deliver(stack, saleBy(ANN, DATAVIZ));
    expect(stack.auth0.users()).toMatchObject([{ email: ANN, roles: ["react-for-dataviz", HANDBOOK] }]);
  });

  it("loses only what we gave: a role that was there before stays through a refund", async () => {
    await start();
    stack.auth0.addUser({ email: ANN, verified: true, roles: ["vip", HANDBOOK] });
    await deliver(stack, body("sale"), body("refund-full"));
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual([HANDBOOK, "vip"]);
  });

  it("loses one role though another can't be given, and gets the other one once it exists", async () => {
    await startAfresh();
    await deliver(stack, body("sale"));
    stack.auth0.removeRole("react-for-dataviz");
    await deliver(stack, saleBy(ANN, DATAVIZ), body("refund-full"));
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual([]);
    expect(await recordOf(stack, ANN)).toMatchObject({ unsettled: { code: "AUTH0_ROLE_MISSING" } });
    stack.auth0.addRole("react-for-dataviz");
    await later(stack, 5 * MINUTE);
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual(["react-for-dataviz"]);
  });

  it("is given what their option gives; an option that the policy doesn't list raises an alarm, once", async () => {
    await start();
    await deliver(stack, changed("membership-sale", { "variants[Tier]": "Gold" }));
    await deliver(stack, changed("membership-sale", { "variants[Tier]": "Gold", referrer: "resent" }));
    expect(logged.filter((line) => line.includes("src/products.ts does not list") && line.includes("Gold")))
      .toHaveLength(1);
    expect(logged.filter((line) => line.includes('"NeedsPerson":1'))).toHaveLength(1);
    expect(await recordOf(stack, "eve@example.com")).toMatchObject({ unsettled: { code: "OPTION_UNLISTED" } });
    // Looked at again by itself, for the day that the policy is mended; without another alarm.
    await later(stack, 6 * 60 * MINUTE);
    expect(logged.filter((line) => line.includes('"NeedsPerson":1'))).toHaveLength(1);
    expect((await recordOf(stack, "eve@example.com"))?.dueAt).toBeGreaterThan(Date.now() + 11 * 60 * MINUTE);
  });

  it("keeps the history of what came, each ping once, also from before the sale", async () => {
    await start();
    await deliver(stack, body("refund-partial"));
    await deliver(stack, body("sale"), changed("sale", { referrer: "resent" }));
    const history = (await stack.ledger()).filter(({ sk }) => String(sk).startsWith("event#"));
    expect(history.map(({ pk, detail }) => ({ pk, detail }))).toEqual(expect.arrayContaining([
      { pk: "buyer#ann@example.com", detail: expect.objectContaining({ event: "sale" }) },
      { pk: "source#sale:fH9XoNJ-gQtcIacRpiKnyg==", detail: expect.objectContaining({ event: "refund" }) },
    ]));
    expect(history).toHaveLength(2);
  });
});

describe("an email that somebody registered and never verified", () => {
  it("gets nothing; Auth0 mails a verification once, and the role follows the verification", async () => {
    await start();
    const squatter = stack.auth0.addUser({ email: ANN, verified: false });
    await deliver(stack, body("sale"));
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual([]);
    expect(await recordOf(stack, ANN)).toMatchObject({ unsettled: { code: "EMAIL_UNVERIFIED", attempts: 1 } });
    await later(stack, MINUTE);
    await deliver(stack, changed("sale", { referrer: "resent" }));
    expect(stack.auth0.mails).toMatchObject([{ userId: squatter.user_id }]);
    expect(await recordOf(stack, ANN)).toMatchObject({ unsettled: { attempts: 2 } });

    stack.auth0.verifyEmail(squatter.user_id);
    await later(stack, 2 * MINUTE);
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual([HANDBOOK]);
    expect(await recordOf(stack, ANN)).toMatchObject({ unsettled: null, dueAt: null });
    expect(stack.auth0.mails).toHaveLength(1);
    // The buyer proved to own the address. Whoever chose the password did not: it is gone before the role is given.
    const calls = managementCalls(stack);
    expect(calls.indexOf("PATCH /users/{id}")).toBeGreaterThan(-1);
    expect(calls.indexOf("PATCH /users/{id}")).toBeLessThan(calls.indexOf("POST /users/{id}/roles"));
  });

  it.each([{ connection: "Username-Password-Authentication", isReplaced: true }, { connection: "google-oauth2",
    isReplaced: false }])(
      "but was made after our first look: the password of a user of $connection is replaced: $isReplaced",
      async ({ connection, isReplaced }) => {
        await start();
        const squatter = stack.auth0.addUser({ email: ANN, verified: false });
        await deliver(stack, body("sale"));
        stack.auth0.removeUser(squatter.user_id);
        await stack.advance(1_000);
        // Signed up, and followed the mail of the sign-up itself: we never saw it unverified.
        stack.auth0.addUser({ email: ANN, verified: true, connection });
        await later(stack, 2 * MINUTE);
        expect(stack.auth0.rolesOfEmail(ANN)).toEqual([HANDBOOK]);
        const calls = managementCalls(stack);
        expect(calls.includes("PATCH /users/{id}")).toBe(isReplaced);
        if (isReplaced) {
          expect(calls.indexOf("PATCH /users/{id}")).toBeLessThan(calls.indexOf("POST /users/{id}/roles"));
        }
      },
    );

  it("is asked to verify once Auth0 can mail again", async () => {
    await start();
    stack.auth0.addUser({ email: ANN, verified: false });
    const outage = stack.auth0.fault({ path: "/jobs/verification-email", times: 1, answer: { status: 503 } });
    expect((await post(stack, body("sale"))).status).toBe(200);
    await until(async () => outage.hits === 1 && stack.inHand() === 0);
    expect(stack.auth0.mails).toEqual([]);
    expect(await recordOf(stack, ANN)).toMatchObject({ unverified: [expect.any(String)], mailed: [] });
    await stack.advance(2_100);
    await stack.sqs.idle();
    expect(stack.auth0.mails).toHaveLength(1);
  });

  it("waits no longer once the purchase is refunded", async () => {
    await start();
    stack.auth0.addUser({ email: ANN, verified: false });
    await deliver(stack, body("sale"), body("refund-full"));
    expect(await recordOf(stack, ANN)).toMatchObject({ unsettled: null, dueAt: null });
  });

  it("can't be claimed by a mark in the metadata that users write themselves", async () => {
    await start();
    stack.auth0.addUser({ email: ANN, verified: false, user_metadata: { gumroad_auth0: { created: true } } });
    await deliver(stack, body("sale"));
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual([]);
  });
});

describe("a source's owner", () => {
  it("is the first buyer: a renewal under another email changes nothing for that email", async () => {
    await start();
    await deliver(stack, body("membership-sale"));
    await deliver(stack, changed("membership-renewal", { email: "new@example.com" }));
    expect(stack.auth0.rolesOfEmail("eve@example.com")).toEqual(["club"]);
    expect(stack.auth0.users()).toHaveLength(1);
    expect((await recordOf(stack, "eve@example.com"))?.sources["subscription:DACURTKJMxmvflxqHGySZQ=="]?.charges)
      .toHaveLength(2);
  });

  it("is found when events name an account's other email, and come before the sale", async () => {
    await start();
    await deliver(stack, changed("membership-ended", { user_email: "account@example.com" }),
      changed("membership-upgrade", { user_email: "account@example.com" }));
    expect(stack.auth0.calls).toEqual([]);
    await deliver(stack, body("membership-sale"));
    expect(stack.auth0.users()).toEqual([]);
    await deliver(stack, changed("membership-restarted", { user_email: "account@example.com" }));
    expect(stack.auth0.rolesOfEmail("eve@example.com")).toEqual(["club", "club-premium"]);
    expect(stack.auth0.users()).toHaveLength(1);
  });
});

describe("time", () => {
  it("brings a downgrade on its day, without a ping", async () => {
    await start();
    const day = new Date(Date.now() + 20 * 24 * 60 * MINUTE).toISOString();
    const downgrade = changed("membership-upgrade", { type: "downgrade", effective_as_of: day,
      "old_plan[tier][name]": "Premium", "new_plan[tier][name]": "Basic" });
    await deliver(stack, changed("membership-sale", { "variants[Tier]": "Premium" }), downgrade);
    expect(stack.auth0.rolesOfEmail("eve@example.com")).toEqual(["club", "club-premium"]);
    await later(stack, 19 * 24 * 60 * MINUTE);
    expect(stack.auth0.rolesOfEmail("eve@example.com")).toEqual(["club", "club-premium"]);
    await later(stack, 2 * 24 * 60 * MINUTE);
    expect(stack.auth0.rolesOfEmail("eve@example.com")).toEqual(["club"]);
    expect(await recordOf(stack, "eve@example.com")).toMatchObject({ dueAt: null });
  });
});

describe("what is put aside, or comes back alone", () => {
  it("does not hide what nobody expected: it is noted on the record, and the message is kept", async () => {
    await start();
    const fault = stack.auth0.fault({ path: "/users-by-email", times: 1_000,
      answer: { status: 200, body: [{ user_id: 7 }] } });
    await deliver(stack, body("sale"));
    expect(await recordOf(stack, ANN)).toMatchObject({ unsettled: { code: "AUTH0_NOT_UNDERSTOOD" } });
    fault.remove();
    await later(stack, MINUTE);
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual([HANDBOOK]);
  });

  it("lets what was put aside, or went to another buyer, be, while the rest of its batch comes back", async () => {
    await start();
    stack.auth0.fault({ path: "/users-by-email", times: 5, answer: { status: 503 } });
    const message = (text: string) => JSON.stringify({ ...pingMessage(text, 1), buyer: ANN });
    const typed = `${changed("sale", { sale_id: "typed" })}&custom_fields%5Bemail%5D=x`;
    const result = await stack.invoke("provision",
      batchOf({ good: message(body("sale")), typed: message(typed), parked: message(body("membership-ended")) }));
    expect(result).toMatchObject({ kind: "answer", payload: '{"batchItemFailures":[{"itemIdentifier":"good"}]}' });
  });

  it("what was kept and is sent back is read again, and never wrapped twice", async () => {
    await start();
    await deliver(stack, `${body("sale")}&custom_fields%5Bemail%5D=x`);
    for (let round = 0; round < 3; round += 1) {
      const [letter] = await newLetters();
      expect(await stack.invoke("provision", batchOf({ m1: JSON.stringify(letter) }))).toMatchObject({ kind: "answer",
        payload: '{"batchItemFailures":[]}' });
    }
    const letters = await newLetters();
    expect(letters).toHaveLength(4);
    for (const letter of letters) expect(letter).toMatchObject({ code: "EMAIL_TYPED", body: expect.anything() });
    expect(new Set(letters.map((letter) => JSON.stringify(letter).length)).size).toBe(1);
  });

  it("a message that nobody can read is put aside at once, with the reason; its batch goes on", async () => {
    await start();
    const result = await stack.invoke("provision", batchOf({ m1: "{not json", m2: '{"v":2,"kind":"ping"}' }));
    expect(result).toMatchObject({ kind: "answer", payload: '{"batchItemFailures":[]}' });
    expect(await newLetters()).toMatchObject([{ code: "MESSAGE_INVALID" }, { code: "MESSAGE_INVALID" }]);
  });
});

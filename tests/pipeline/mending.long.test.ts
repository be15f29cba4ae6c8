import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { summaryOf } from "../../src/ledger/record.ts";
import { MANAGEMENT_SCOPES } from "../../tenant/scopes.ts";
import type { Stack } from "../../local/stack.ts";
import { LOCAL_CLIENT } from "../../local/known-values.ts";
import { body, deliver, kept, later, post, recordOf, saleBy, startLocal, until } from "./local-stack.ts";

const ANN = "ann@example.com";
const HANDBOOK = "serverless-handbook";
const MINUTE = 60_000;

let stack: Stack;
let test = 0;
let lettersBefore = 0;
const logged: string[] = [];

beforeAll(async () => {
  stack = await startLocal({ onLog: (_function, line) => logged.push(line) });
});
afterAll(() => stack.stop());
beforeEach(async () => {
  test += 1;
  stack.auth0.reset();
  await stack.forget("LedgerTable");
  // Nothing of another test in the function's memory.
  await stack.crash("provision");
  lettersBefore = (await kept(stack)).length;
  logged.length = 0;
});
afterEach(() => {
  expect(stack.auth0.failures).toEqual([]);
  for (const line of logged) expect(line).not.toMatch(/@example|%40example/);
});

/** A body that SQS has not seen in another test: it would drop it as a duplicate. */
const fresh = (text: string) => `${text}&url_params%5Btest%5D=${String(test)}`;
/** What this test brought into the dead-letter queue. */
const newLetters = async () => (await kept(stack)).slice(lettersBefore);

describe("what retrying can't mend", () => {
  it.each<{ wrong: string; code: string; says: string; break: () => void; mend: () => void }>([
    { wrong: "an unknown role", code: "AUTH0_ROLE_MISSING", says: HANDBOOK,
      break: () => stack.auth0.removeRole(HANDBOOK), mend: () => void stack.auth0.addRole(HANDBOOK) },
    { wrong: "a missing scope", code: "AUTH0_SCOPE", says: "create:users",
      break: () => stack.auth0.setScopes(MANAGEMENT_SCOPES.filter((scope) => scope !== "create:users")),
      mend: () => stack.auth0.setScopes(MANAGEMENT_SCOPES) },
    { wrong: "a wrong client secret", code: "AUTH0_CREDENTIALS", says: "client_secret",
      break: () => void stack.auth0.rotateSecret("another"),
      mend: () =>
        stack.secrets.set("auth0", { domain: stack.gates.auth0, client_id: LOCAL_CLIENT.id,
          client_secret: "another" }) },
  ])("$wrong raises an alarm that says what to mend, leaves the queue free, and settles by itself once mended",
    async ({ code, says, break: breakIt, mend }) => {
      breakIt();
      await deliver(stack, fresh(body("sale")));
      expect(stack.auth0.rolesOfEmail(ANN)).toEqual([]);
      expect(await recordOf(stack, ANN)).toMatchObject({
        unsettled: { code, message: expect.stringContaining(says), attempts: 1 },
      });
      expect(logged.some((line) => line.includes('"NeedsPerson":1'))).toBe(true);
      expect(logged.some((line) => line.includes(code) && line.includes(says))).toBe(true);
      await later(stack, MINUTE);
      expect(await recordOf(stack, ANN)).toMatchObject({ unsettled: { code, attempts: 2 } });

      mend();
      await later(stack, 5 * MINUTE);
      expect(stack.auth0.rolesOfEmail(ANN)).toEqual([HANDBOOK]);
      expect(summaryOf((await recordOf(stack, ANN))!).waits).toEqual([]);
      expect(await newLetters()).toEqual([]);
      stack.secrets.set("auth0", { domain: stack.gates.auth0, client_id: LOCAL_CLIENT.id,
        client_secret: LOCAL_CLIENT.secret });
    });
});

describe("what mends itself", () => {
  it("is tried again at once, and comes back after seconds; it delays no other buyer", async () => {
    const outage = stack.auth0.fault({ path: "/users-by-email", times: 5, answer: { status: 503 } });
    expect((await post(stack, fresh(body("sale")))).status).toBe(200);
    let failing = 0;
    await until(async () => {
      if (outage.hits < 5) failing = Date.now();
      return outage.hits >= 5 && stack.inHand() === 0;
    });
    const { inFlight } = await stack.sqs.inspect("ProvisionQueue");
    expect(inFlight).toHaveLength(1);
    const comesBack = inFlight[0]!.visibilityDeadline;
    expect(comesBack).toBeGreaterThanOrEqual(failing + 2_000);
    expect(comesBack).toBeLessThanOrEqual(Date.now() + 2_000);
    expect((await post(stack, fresh(saleBy("bo@example.com")))).status).toBe(200);
    await until(async () => stack.auth0.rolesOfEmail("bo@example.com").length > 0 && stack.inHand() === 0);
    const hasRole = stack.auth0.rolesOfEmail(ANN).length > 0;
    // Where the machine took its time, it has come back.
    expect(hasRole && Date.now() < comesBack).toBe(false);
    await stack.advance(2_100);
    await stack.sqs.idle();
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual([HANDBOOK]);
    expect(await recordOf(stack, ANN)).toMatchObject({ unsettled: null });
  });

  it("is left to the record once five calls in a row failed, and settles by itself", async () => {
    const outage = stack.auth0.fault({ path: "/users-by-email", times: 1_000, answer: { status: 503 } });
    expect((await post(stack, fresh(body("sale")))).status).toBe(200);
    await until(async () => outage.hits >= 5 && stack.inHand() === 0);
    await stack.redeliver();
    await stack.sqs.idle();
    expect(await recordOf(stack, ANN)).toMatchObject({ unsettled: { code: "AUTH0_AWAY" } });
    await later(stack, 45 * MINUTE);
    expect(outage.hits).toBe(7);
    outage.remove();
    await later(stack, 20 * MINUTE);
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual([HANDBOOK]);
    expect(await newLetters()).toEqual([]);
  });

  it("is left to the record from the fifth receive on, and settles by itself", async () => {
    const outage = stack.auth0.fault({ path: "/jobs/verification-email", times: 1_000, answer: { status: 503 } });
    const { user_id: userId } = stack.auth0.addUser({ email: ANN, verified: false });
    expect((await post(stack, fresh(body("sale")))).status).toBe(200);
    for (let receive = 1; receive <= 5; receive += 1) {
      await until(async () => outage.hits >= receive && stack.inHand() === 0);
      // Between two mails that fail, others are asked and answer: nobody is away.
      if (receive < 5) await stack.redeliver();
    }
    await stack.sqs.idle();
    expect(await recordOf(stack, ANN)).toMatchObject({ unsettled: { code: "AUTH0_UNREACHABLE" } });
    outage.remove();
    await later(stack, 20 * MINUTE);
    expect(stack.auth0.mails).toMatchObject([{ userId }]);
    expect(await newLetters()).toEqual([]);
  });
});

describe("Auth0's rate limit", () => {
  it("is waited for, not failed on: two buyers at once all get their role, and nothing is delivered twice",
    async () => {
      // As tight as the free plan, which has room for less than one new buyer; ten times as fast. Somebody else uses
      // it up once: a slow machine alone may never come to its end.
      stack.auth0.setLimits({ burst: 2, perSecond: 20 });
      stack.auth0.fault({ method: "POST", path: "/users", times: 1, answer: { status: 429 } });
      const buyers = Array.from({ length: 2 }, (_, index) => `buyer${String(index)}@example.com`);
      await Promise.all(buyers.map((email) => post(stack, fresh(saleBy(email)))));
      await stack.sqs.idle();
      for (const email of buyers) expect(stack.auth0.rolesOfEmail(email)).toEqual([HANDBOOK]);
      const done = stack.auth0.calls.filter(({ api, status, path }) =>
        api === "management" && status !== 429 && path !== "/roles"
      );
      expect(done).toHaveLength(6);
      expect(logged.some((line) => line.includes('"Throttled":1'))).toBe(true);
      expect(await newLetters()).toEqual([]);
    });
});

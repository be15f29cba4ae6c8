import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import type { Stack } from "../../local/stack.ts";
import { body, deliver as deliverAll, managementCalls, recordOf, saleBy, startLocal } from "./local-stack.ts";

const ANN = "ann@example.com";
const HANDBOOK = "serverless-handbook";
const DATAVIZ = { product_id: "Z7kcrf7WgiSjiBnsGYi45w==" };
const MAIL = "/dbconnections/change_password";
const MINUTE = 60_000;

let stack: Stack;
let test = 0;
const logged: string[] = [];
/** What the functions are given besides serverless.yml; read whenever a worker starts. */
const environment: Record<string, Record<string, string>> = {};

beforeAll(async () => {
  stack = await startLocal({ environment, onLog: (_function, line) => logged.push(line) });
});
afterAll(async () => {
  await stack.stop();
});
beforeEach(async () => {
  test += 1;
  logged.length = 0;
  stack.auth0.reset();
  await stack.forget("LedgerTable");
});
afterEach(() => {
  expect(stack.auth0.failures).toEqual([]);
  for (const line of logged) expect(line).not.toMatch(/@example|%40example/);
});

/** A stage with other settings. */
async function setting(provision: Record<string, string>): Promise<void> {
  environment["provision"] = provision;
  await stack.crash("provision");
}

/** Delivers bodies that SQS has not seen in another test. */
const deliver = async (...texts: readonly string[]) =>
  deliverAll(stack, ...texts.map((text) => `${text}&url_params%5Btest%5D=${String(test)}`));

async function mailsShown(): Promise<unknown> {
  return (await fetch(`${stack.auth0.url}/_emulator/mails`)).json();
}

describe("a new buyer", () => {
  it("is mailed one invitation, which is no Management call, and shows in the emulator", async () => {
    await deliver(body("sale"), saleBy(ANN, DATAVIZ));
    expect(managementCalls(stack)).toEqual(["GET /users-by-email", "POST /users", "POST /users/{id}/roles",
      "POST /users/{id}/roles"]);
    expect(stack.auth0.managementCalls()).toBe(4);
    expect(await mailsShown()).toEqual([{ kind: "password", to: ANN, userId: stack.auth0.users()[0]?.user_id,
      at: expect.any(String), clientId: "local-client", welcomes: true }]);
    expect(await recordOf(stack, ANN)).toMatchObject({ invited: { outcome: "sent" }, unsettled: null, dueAt: null });
  });

  it("has the role though the invitation fails, and the record says why", async () => {
    stack.auth0.fault({ path: MAIL, answer: { status: 400 } });
    await deliver(body("sale"));
    expect(stack.auth0.rolesOfEmail(ANN)).toEqual([HANDBOOK]);
    expect(await recordOf(stack, ANN)).toMatchObject({ invited: { outcome: "failed" }, unsettled: null });
    expect(logged.some((line) => line.includes('"NeedsPerson":1'))).toBe(true);
  });

  it("is invited a while later where Auth0 mails too many just now, without a further ping", async () => {
    stack.auth0.fault({ path: MAIL, answer: { status: 429 } });
    await deliver(body("sale"));
    expect(stack.auth0.passwordMails).toEqual([]);
    await stack.advance(3 * MINUTE);
    expect(await stack.invoke("reconcile")).toMatchObject({ kind: "answer" });
    await stack.sqs.idle();
    expect(stack.auth0.passwordMails).toMatchObject([{ to: ANN }]);
  });
});

describe("a stage with other settings", () => {
  it("creates passwordless users and mails nobody", async () => {
    await setting({ GETTING_IN: "passwordless" });
    await deliver(body("sale"));
    expect(stack.auth0.users()).toMatchObject([{ email: ANN, connection: "email", roles: [HANDBOOK] }]);
    expect(await mailsShown()).toEqual([]);
  });

  it("keeps roles in app_metadata with two calls a purchase, and moves those assigned before", async () => {
    await setting({ GETTING_IN: "none" });
    await deliver(body("sale"));
    await setting({ GETTING_IN: "invite", ACCESS: "app_metadata" });
    const first = managementCalls(stack).length;
    await deliver(saleBy("bo@example.com"));
    expect(managementCalls(stack).slice(first)).toEqual(["GET /users-by-email", "POST /users"]);
    await deliver(saleBy(ANN, DATAVIZ));
    expect(stack.auth0.users()).toMatchObject([
      { email: ANN, roles: [],
        app_metadata: { gumroad_auth0: { created_for: expect.any(String), roles: ["react-for-dataviz", HANDBOOK] } } },
      { email: "bo@example.com", roles: [],
        app_metadata: { gumroad_auth0: { created_for: expect.any(String), roles: [HANDBOOK] } } },
    ]);
    expect(stack.auth0.passwordMails.map(({ to }) => to)).toEqual(["bo@example.com"]);
  });

  it("refuses to start with a setting that doesn't exist, and names those that do", async () => {
    await setting({ GETTING_IN: "carrier-pigeon" });
    const result = await stack.invoke("provision", { Records: [] });
    expect(JSON.stringify(result)).toContain("invite, passwordless, none");
  });
});

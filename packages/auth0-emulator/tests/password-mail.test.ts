import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "../src/emulator.ts";

const DATABASE = "Username-Password-Authentication";
const body = { client_id: "local-client", email: "Ann@example.com", connection: DATABASE };

let auth0: Auth0Emulator;
beforeAll(async () => {
  auth0 = await startAuth0Emulator({ welcomes: ({ made_by_us: ours, came }) => ours === true && came === undefined });
});
afterAll(async () => {
  await auth0.stop();
});
beforeEach(() => {
  auth0.reset();
});
afterEach(() => {
  expect(auth0.failures).toEqual([]);
});

async function ask(asked: object): Promise<Response> {
  return fetch(`${auth0.url}/dbconnections/change_password`, { method: "POST",
    headers: { "content-type": "application/json" }, body: JSON.stringify(asked) });
}

describe("asking for a change-password mail", () => {
  it("needs no token, is no Management call, and mails the user of that database", async () => {
    const { user_id: userId } = auth0.addUser({ email: "ann@example.com", app_metadata: { made_by_us: true } });
    auth0.addUser({ email: "ann@example.com", connection: "email" });
    expect((await ask(body)).status).toBe(200);
    expect(auth0.passwordMails).toMatchObject([{ to: "ann@example.com", userId, clientId: "local-client",
      welcomes: true }]);
    expect(auth0.managementCalls()).toBe(0);
  });

  it("welcomes nobody whom the template doesn't", async () => {
    auth0.addUser({ email: "ann@example.com", app_metadata: { made_by_us: false } });
    auth0.addUser({ email: "bo@example.com", app_metadata: { made_by_us: true, came: {} } });
    await ask(body);
    await ask({ ...body, email: "bo@example.com" });
    expect(auth0.passwordMails.map(({ welcomes }) => welcomes)).toEqual([false, false]);
  });

  it("answers the same for an address that nobody has", async () => {
    expect(await (await ask(body)).json()).toMatch(/sent you an email/);
    expect(auth0.passwordMails).toEqual([]);
  });

  it.each([
    ["without an email", { ...body, email: undefined }],
    ["without a connection", { ...body, connection: undefined }],
    ["without an application", { ...body, client_id: undefined }],
    ["for an application that it doesn't know", { ...body, client_id: "stranger" }],
    ["for a connection that is no database", { ...body, connection: "email" }],
    ["for a connection that it doesn't have", { ...body, connection: "none" }],
  ])("is refused %s", async (_what, asked) => {
    expect((await ask(asked)).status).toBe(400);
  });

  it("is refused to an application that may not use the connection", async () => {
    auth0.enableConnection(DATABASE, false);
    expect((await ask(body)).status).toBe(400);
    auth0.enableConnection(DATABASE, true);
    expect((await ask(body)).status).toBe(200);
  });
});

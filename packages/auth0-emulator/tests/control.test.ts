import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator } from "../src/emulator.ts";
import type { Auth0Emulator } from "../src/emulator.ts";
import { rawCall, tokenOf } from "./raw-calls.ts";

let auth0: Auth0Emulator;
let token: string;

beforeEach(async () => {
  auth0 = await startAuth0Emulator({ roles: ["club"], now: () => 0 });
  token = await tokenOf(auth0);
});
afterEach(() => auth0.stop());

const roles = () => rawCall(auth0, "GET", "/api/v2/roles", { token });
const look = () => rawCall(auth0, "GET", "/api/v2/users/auth0%7C1/roles", { token });

describe("what another process sees", () => {
  it("is the calls, counted apart", async () => {
    await roles();
    await look();
    await rawCall(auth0, "GET", "/api/v2/nowhere", { token });
    const { body } = await rawCall(auth0, "GET", "/_emulator/calls");
    expect(body).toEqual({ management: 2, token: 1, roles: 1, calls: [
      { api: "token", method: "POST", path: "/oauth/token", url: "/oauth/token", at: 0, status: 200 },
      { api: "management", method: "GET", path: "/roles", url: "/roles", at: 0, status: 200 },
      { api: "management", method: "GET", path: "/users/{id}/roles", url: "/users/auth0|1/roles", at: 0, status: 404 },
      { api: "management", method: "GET", path: "/nowhere", url: "/nowhere", at: 0, status: 404 },
    ] });
    expect(auth0.managementCalls()).toBe(2);
  });

  it("is the users, with the names of their roles", async () => {
    const gus = { email: "Gus@gmail.com", verified: true, connection: "google-oauth2", roles: ["club", "new"],
      app_metadata: { a: 1 } };
    const { user_id } = auth0.addUser(gus);
    expect((await rawCall(auth0, "GET", "/_emulator/users")).body).toEqual([
      { user_id, email: "Gus@gmail.com", email_verified: true, connection: "google-oauth2", provider: "google-oauth2",
        roles: ["club", "new"], app_metadata: { a: 1 }, user_metadata: {} },
    ]);
    expect(auth0.rolesOfEmail("gus@GMAIL.com")).toEqual(["club", "new"]);
    auth0.takeRoles(user_id, ["new"]);
    expect(auth0.rolesOf(user_id)).toEqual(["club"]);
  });
});

describe("what another process can do", () => {
  it("is to change the plan", async () => {
    expect((await rawCall(auth0, "POST", "/_emulator/limits", { body: { plan: "free" } })).status).toBe(204);
    expect([(await roles()).status, (await roles()).status, (await roles()).status]).toEqual([200, 200, 429]);
  });

  it("is not to invent one", async () => {
    expect(await rawCall(auth0, "POST", "/_emulator/limits", { body: { plan: "gold" } })).toMatchObject({ status: 400,
      body: { message: expect.stringContaining('"free" | "essentials" | "enterprise" | "none"') } });
    expect((await rawCall(auth0, "POST", "/_emulator/anything")).status).toBe(404);
  });

  it("is to start over, with tokens and role ids that still hold", async () => {
    const before = (await roles()).body;
    auth0.addUser({ email: "a@example.com", roles: ["other"] });
    auth0.rotateSecret();
    auth0.fault({ answer: { status: 500 } });
    auth0.setLimits("free");
    expect((await rawCall(auth0, "POST", "/_emulator/reset")).status).toBe(204);
    expect(auth0.users()).toEqual([]);
    expect(auth0.calls).toEqual([]);
    const after = await roles();
    expect(after.body).toEqual(before);
    expect(after.headers.get("x-ratelimit-limit")).toBe("1000000");
    expect(await tokenOf(auth0)).toEqual(expect.any(String));
  });
});

describe("starting", () => {
  it("says when the port is taken", async () => {
    await expect(startAuth0Emulator({ port: Number(new URL(auth0.url).port) })).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
  });

  it("takes another client, and tenants beside each other share nothing", async () => {
    const other = await startAuth0Emulator({ clientId: "a", clientSecret: "b", scopes: [], limits: "free" });
    try {
      auth0.addUser({ email: "a@example.com" });
      expect(other.users()).toEqual([]);
      expect((await rawCall(other, "GET", "/api/v2/roles", { token })).status).toBe(401);
      await expect(tokenOf(other)).rejects.toThrow();
    } finally {
      await other.stop();
    }
  });
});

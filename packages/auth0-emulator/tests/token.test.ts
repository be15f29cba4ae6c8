import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator } from "../src/emulator.ts";
import type { Auth0Emulator } from "../src/emulator.ts";
import { askToken, rawCall, tokenOf } from "./raw-calls.ts";

const DAY = 86_400_000;
let now = Date.UTC(2026, 0, 5);
let auth0: Auth0Emulator;

beforeEach(async () => {
  now = Date.UTC(2026, 0, 5);
  auth0 = await startAuth0Emulator({ now: () => now });
});
afterEach(() => auth0.stop());

const roles = (token: string) => rawCall(auth0, "GET", "/api/v2/roles", { token });

describe("POST /oauth/token", () => {
  it("gives a token of a day with the project's scopes", async () => {
    const { status, body } = await askToken(auth0, {});
    expect(status).toBe(200);
    expect(body).toEqual({ access_token: expect.stringMatching(/^\S{20,}$/), token_type: "Bearer", expires_in: 86_400,
      scope:
        "read:users create:users update:users read:roles read:role_members create:role_members delete:role_members " +
        "delete:sessions delete:refresh_tokens" });
  });

  it("takes a form as well as JSON", async () => {
    const form = new URLSearchParams({ grant_type: "client_credentials", client_id: "local-client",
      client_secret: "local-secret", audience: "http://localhost:9/behind/a/proxy/api/v2/" });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    expect((await rawCall(auth0, "POST", "/oauth/token", { body: form.toString(), headers })).status).toBe(200);
  });

  it.each([
    { $case: "a wrong secret", change: { client_secret: "guess" }, status: 401, error: "access_denied" },
    { $case: "a wrong client", change: { client_id: "other" }, status: 401, error: "access_denied" },
    { $case: "another tenant's audience", change: { audience: "https://other.auth0.com/api/v2/" }, status: 403,
      error: "access_denied" },
    { $case: "an audience without its last slash", change: { audience: "http://127.0.0.1/api/v2" }, status: 403,
      error: "access_denied" },
    { $case: "no audience", change: { audience: undefined }, status: 403, error: "access_denied" },
    { $case: "a scope that was not granted", change: { scope: "read:users delete:users" }, status: 403,
      error: "access_denied" },
    { $case: "another grant", change: { grant_type: "password" }, status: 403, error: "unsupported_grant_type" },
    { $case: "no grant", change: { grant_type: undefined }, status: 400, error: "invalid_request" },
  ])("refuses $case", async ({ change, status, error }) => {
    const answer = await askToken(auth0, change);
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({ error, error_description: expect.any(String) });
  });

  it("gives only the scopes that were asked for", async () => {
    const { body } = await askToken(auth0, { scope: "read:users" });
    expect(body).toMatchObject({ scope: "read:users" });
  });
});

describe("a Management token", () => {
  it("stays valid beside newer ones, and after the secret was rotated", async () => {
    const first = await tokenOf(auth0);
    const second = await tokenOf(auth0);
    expect(auth0.rotateSecret()).toBe("local-secret-rotated");
    expect(first).not.toBe(second);
    expect((await roles(first)).status).toBe(200);
    expect((await roles(second)).status).toBe(200);
    expect((await askToken(auth0, {})).status).toBe(401);
    expect((await askToken(auth0, { client_secret: "local-secret-rotated" })).status).toBe(200);
  });

  it("is good until a day is over, and not a millisecond longer", async () => {
    const token = await tokenOf(auth0);
    now += DAY - 1;
    expect((await roles(token)).status).toBe(200);
    now += 1;
    expect(await roles(token)).toMatchObject({ status: 401,
      body: { statusCode: 401, error: "Unauthorized",
        message: "Expired token received for JSON Web Token validation" } });
  });

  it("is refused when it was revoked, is not ours, or is missing", async () => {
    const token = await tokenOf(auth0);
    auth0.revokeTokens();
    expect(await roles(token)).toMatchObject({ status: 401, body: { message: "Invalid token" } });
    expect(await roles("made-up")).toMatchObject({ status: 401, body: { message: "Invalid token" } });
    expect(await rawCall(auth0, "GET", "/api/v2/roles")).toMatchObject({ status: 401,
      body: { message: "Missing authentication" } });
    const basic = { authorization: "Basic bG9jYWw6bG9jYWw=" };
    expect(await rawCall(auth0, "GET", "/api/v2/roles", { headers: basic })).toMatchObject({ status: 400 });
  });

  it("keeps the scopes it was issued with when the grant changes", async () => {
    const old = await tokenOf(auth0);
    auth0.setScopes(["read:users"]);
    expect((await roles(old)).status).toBe(200);
    const narrow = await tokenOf(auth0);
    auth0.setScopes(["read:users", "read:roles"]);
    expect((await roles(narrow)).status).toBe(403);
    expect((await roles(await tokenOf(auth0))).status).toBe(200);
  });
});

describe("the scopes of a call", () => {
  const user = "auth0%7C0123456789abcdef01234567";
  it.each([
    { call: "GET /users-by-email?email=ann@example.com", needs: ["read:users"] },
    { call: "GET /users", needs: ["read:users"] },
    { call: "POST /users", needs: ["create:users"] },
    { call: `GET /users/${user}`, needs: ["read:users"] },
    { call: `PATCH /users/${user}`, needs: ["update:users"] },
    { call: `DELETE /users/${user}`, needs: ["delete:users"] },
    { call: `GET /users/${user}/roles`, needs: ["read:users", "read:roles", "read:role_members"] },
    { call: `POST /users/${user}/roles`, needs: ["update:users", "create:role_members"] },
    { call: `DELETE /users/${user}/roles`, needs: ["update:users", "delete:role_members"] },
    { call: `DELETE /users/${user}/sessions`, needs: ["delete:sessions"] },
    { call: `DELETE /users/${user}/refresh-tokens`, needs: ["delete:refresh_tokens"] },
    { call: "GET /roles", needs: ["read:roles"] },
    { call: "POST /roles", needs: ["create:roles"] },
    { call: "POST /tickets/password-change", needs: ["create:user_tickets"] },
    { call: "POST /jobs/verification-email", needs: ["update:users"] },
  ])("$call needs all of $needs", async ({ call, needs }) => {
    const [method = "", path = ""] = call.split(" ");
    auth0.setScopes(needs);
    expect((await rawCall(auth0, method, `/api/v2${path}`, { token: await tokenOf(auth0) })).status).not.toBe(403);
    for (const missing of needs) {
      auth0.setScopes(["read:clients", ...needs.filter((scope) => scope !== missing)]);
      expect(await rawCall(auth0, method, `/api/v2${path}`, { token: await tokenOf(auth0) })).toMatchObject({
        status: 403,
        body: { statusCode: 403, error: "Forbidden",
          message: `Insufficient scope, expected any of: ${needs.join(",")}`, errorCode: "insufficient_scope" },
      });
    }
    expect(auth0.failures).toEqual([]);
  });
});

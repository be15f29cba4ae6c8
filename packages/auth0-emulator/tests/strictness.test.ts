import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator } from "../src/emulator.ts";
import type { Auth0Emulator } from "../src/emulator.ts";
import { DEFAULT_CONNECTION } from "../src/options.ts";
import { GOOD_PASSWORD, rawCall, tokenOf } from "./raw-calls.ts";

let auth0: Auth0Emulator;
let token: string;
let user: string;

beforeEach(async () => {
  auth0 = await startAuth0Emulator({ roles: ["club"] });
  token = await tokenOf(auth0);
  user = encodeURIComponent(auth0.addUser({ email: "ann@example.com" }).user_id);
});
afterEach(() => auth0.stop());

const call = (method: string, path: string, body?: unknown) =>
  rawCall(auth0, method, `/api/v2${path}`, { token, body });
const valid = { connection: DEFAULT_CONNECTION, email: "bob@example.com", password: GOOD_PASSWORD };

describe("a request that Auth0's description doesn't allow", () => {
  it.each([
    { $case: "an unknown field", body: { ...valid, plan: "pro" },
      message: "Payload validation error: 'Additional properties not allowed: plan'." },
    { $case: "a missing field", body: { email: "bob@example.com" },
      message: "Payload validation error: 'Missing required property: connection'." },
    { $case: "a wrong type", body: { ...valid, email: 5 },
      message: "Payload validation error: 'Expected type string but found type number' on property email." },
    { $case: "an empty text", body: { ...valid, name: "" },
      message: "Payload validation error: 'String is too short (0 chars), minimum 1' on property name." },
    { $case: "an address that is none", body: { ...valid, picture: "x" },
      message:
        "Payload validation error: 'Object didn't pass validation for format strict-uri: x' on property picture." },
    { $case: "no object", body: [],
      message: "Payload validation error: 'Expected type object but found type array'." },
  ])("is refused: $case", async ({ body, message }) => {
    expect(await call("POST", "/users", body)).toMatchObject({ status: 400,
      body: { statusCode: 400, error: "Bad Request", message, errorCode: "invalid_body" } });
    expect(auth0.users()).toHaveLength(1);
  });

  it("is refused for an unknown field of a change, which the description forgets", async () => {
    expect(await call("PATCH", `/users/${user}`, { last_ip: "127.0.0.1" })).toMatchObject({ status: 400,
      body: { message: "Payload validation error: 'Additional properties not allowed: last_ip'.",
        errorCode: "invalid_body" } });
  });

  it.each([{}, { roles: [] }, { roles: "club" }, { roles: [""] }, { roles: ["rol_1"], more: 1 }])(
    "is refused: roles %j",
    async (body) => {
      expect(await call("POST", `/users/${user}/roles`, body)).toMatchObject({ status: 400,
        body: { errorCode: "invalid_body" } });
      expect(await call("DELETE", `/users/${user}/roles`, body)).toMatchObject({ status: 400,
        body: { errorCode: "invalid_body" } });
    },
  );

  it("is refused without a body", async () => {
    expect(await call("POST", `/users/${user}/roles`)).toMatchObject({ status: 400,
      body: { message: "Payload validation error: 'Missing required property: roles'." } });
  });

  it.each([
    { path: "/users-by-email", message: "Query validation error: 'Missing required property: email'." },
    { path: "/users-by-email?email=a@example.com&q=x",
      message: "Query validation error: 'Additional properties not allowed: q'." },
    { path: "/roles?per_page=101",
      message: "Query validation error: 'Value 101 is greater than maximum 100' on property per_page." },
    { path: "/roles?page=x",
      message: "Query validation error: 'Expected type integer but found type string' on property page." },
    { path: "/users-by-email?email=a@example.com&email=b@example.com",
      message: /^Query validation error: 'Expected type string/ },
  ])("is refused: GET $path", async ({ path, message }) => {
    expect(await call("GET", path)).toMatchObject({ status: 400,
      body: { message: typeof message === "string" ? message : expect.stringMatching(message),
        errorCode: "invalid_query_string" } });
  });

  it.each(["nobody", "%zz", "auth0%7C"])("is refused: the user id %s", async (id) => {
    expect(await call("GET", `/users/${id}`)).toMatchObject({ status: 400, body: { errorCode: "invalid_uri" } });
  });

  it("is refused: broken JSON, another content type, a huge body", async () => {
    const post = (body: string, type: string) =>
      rawCall(auth0, "POST", "/api/v2/users", { token, body, headers: { "content-type": type } });
    expect(await post("{", "application/json")).toMatchObject({ status: 400,
      body: { message: "Invalid request payload JSON format" } });
    expect(await post("<user/>", "text/xml")).toMatchObject({ status: 415 });
    expect(await post(JSON.stringify("x".repeat(1_100_000)), "application/json")).toMatchObject({ status: 413 });
  });

  it.each(["GET /api/v2/clients", "PUT /api/v2/users", "GET /api/v2/users/", "GET /userinfo", "GET /oauth/token"])(
    "is a 404: %s",
    async (line) => {
      const [method = "", path = ""] = line.split(" ");
      expect(await rawCall(auth0, method, path, { token })).toMatchObject({ status: 404,
        body: { statusCode: 404, error: "Not Found" } });
    },
  );

  it("is a 501 where the description has what the emulator doesn't offer", async () => {
    expect(await call("POST", `/users/${user}/identities`, { user_id: "1" })).toMatchObject({ status: 501 });
  });
});

describe("the emulator's own answers", () => {
  it("are checked too: one that breaks the description is a 500 that tests can see", async () => {
    auth0.addUser({ email: "not an address" });
    const { status, body } = await call("GET", "/users-by-email?email=not%20an%20address");
    expect(status).toBe(500);
    expect(body).toMatchObject({
      message: expect.stringContaining("breaks Auth0's description: get_users-by-email answered 200, but"),
    });
    expect(auth0.failures).toEqual([expect.stringContaining("format email")]);
  });

  it("are not blamed for what they refuse", async () => {
    await call("GET", "/users/auth0%7C1");
    await call("POST", "/users", valid);
    await call("POST", "/users", valid);
    expect(auth0.calls.map(({ status }) => status)).toEqual([200, 404, 201, 409]);
    expect(auth0.failures).toEqual([]);
  });
});

import { createServer, type Server } from "node:http";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { compiledAction } from "../../scripts/tenant-build.ts";
import { close, listen, readRequest, type RawRequest } from "emulator-server/json-server";
import { loadAction, loginApi, loginEvent, type LoginParts } from "./login-doubles.ts";

const CLAIM = "https://shop.test/roles";
const MINUTE = 60_000;

let code: string;
let server: Server;
let bindUrl: string;
/** How `bind` answers; null: never. */
let answer: { status: number; body: string } | null;
let onAsked: () => void;
let asked: RawRequest[];
let clock: number;
let logged: string[];

beforeAll(async () => {
  code = await compiledAction();
  server = createServer((request, response) => {
    void readRequest(request).then((read) => {
      asked.push(read);
      if (answer !== null) response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
      onAsked();
    });
  });
  bindUrl = `${await listen(server, 0)}/bind`;
});
afterAll(async () => {
  await close(server);
});
beforeEach(() => {
  answer = { status: 200, body: '{"roles":["reader"]}' };
  onAsked = () => undefined;
  asked = [];
  clock = Date.parse("2026-01-05T20:00:00Z");
  logged = [];
});

const secrets = () => ({ ROLES_CLAIM: CLAIM, BIND_URL: bindUrl, BIND_TOKEN: "bind-token" });

async function logIn(parts: LoginParts = {}, timeout?: (ms: number) => AbortSignal) {
  const event = loginEvent({ secrets: secrets(), ...parts });
  const api = loginApi(event.user.app_metadata);
  const action = loadAction(code, { now: () => clock, onLog: (line) => logged.push(line),
    ...(timeout === undefined ? {} : { timeout }) });
  await action(event, api);
  return { roles: api.claims[CLAIM], claims: api.claims, metadata: api.metadata };
}

describe("the roles in the access token", () => {
  it("are those assigned, those of the metadata, and those that bind knows, each once", async () => {
    const { claims } = await logIn({ roles: ["vip", "reader"],
      user: { app_metadata: { gumroad_auth0: { roles: ["member", "vip"] } } } });
    expect(claims).toEqual({ [CLAIM]: ["member", "reader", "vip"], [`${CLAIM}_email`]: "ann@shop.test" });
  });

  it("are an empty list for a verified user without any, also where the tenant has no roles", async () => {
    answer = { status: 200, body: '{"roles":[]}' };
    expect(await logIn()).toMatchObject({ roles: [] });
    expect(await logIn({ roles: undefined })).toMatchObject({ roles: [] });
  });

  it.each([
    ["an unverified email", { email_verified: false }],
    ["an email of which nothing is said", { email_verified: undefined }],
    ["no email", { email: undefined }],
  ])("are left out for a user with %s, and bind isn't asked", async (_what, user) => {
    expect(await logIn({ roles: ["vip"], user })).toMatchObject({ claims: {}, metadata: {} });
    expect(asked).toEqual([]);
  });

  it("are left out without a name for the claim, which the log says", async () => {
    expect(await logIn({ roles: ["vip"], secrets: {} })).toMatchObject({ claims: {} });
    expect(logged).toEqual([expect.stringContaining("ROLES_CLAIM")]);
  });

  it.each([null, "gone", { gumroad_auth0: "x" }, { gumroad_auth0: { roles: "vip" }, gumroad_auth0_bound: 1 }])(
    "bear metadata of any shape: %j",
    async (metadata) => {
      expect(await logIn({ roles: ["vip"], user: { app_metadata: metadata } })).toMatchObject({
        roles: ["reader", "vip"],
      });
    },
  );
});

describe("asking bind", () => {
  it("tells the token, the user and the verified email", async () => {
    await logIn();
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ method: "POST", path: "/bind", contentType: "application/json",
      headers: { authorization: "Bearer bind-token" } });
    expect(JSON.parse(asked[0]?.body ?? "")).toEqual({ user_id: "google-oauth2|1", email: "ann@shop.test",
      email_verified: true });
  });

  it("is done once: the user is marked, beside what the service keeps there, without the email", async () => {
    const first = await logIn({ user: { app_metadata: { gumroad_auth0: { created_for: "x" }, plan: "pro" } } });
    expect(first.metadata).toMatchObject({ gumroad_auth0: { created_for: "x" }, plan: "pro",
      gumroad_auth0_bound: { at: clock } });
    expect(JSON.stringify(first.metadata)).not.toContain("ann@");
    clock += 365 * 24 * 60 * MINUTE;
    expect(await logIn({ roles: ["reader"], user: { app_metadata: first.metadata } })).toMatchObject({
      roles: ["reader"],
    });
    expect(asked).toHaveLength(1);
  });

  it("is done again for somebody who still has no role, ten minutes later", async () => {
    answer = { status: 200, body: '{"roles":[]}' };
    const { metadata } = await logIn();
    clock += 9 * MINUTE;
    await logIn({ user: { app_metadata: metadata } });
    expect(asked).toHaveLength(1);
    clock += MINUTE;
    answer = { status: 200, body: '{"roles":["reader"]}' };
    expect(await logIn({ user: { app_metadata: metadata } })).toMatchObject({ roles: ["reader"] });
  });

  it("that has to ask Auth0 first is told to pages as pending, isn't noted, and is asked again", async () => {
    answer = { status: 200, body: '{"roles":[],"pending":true}' };
    const first = await logIn();
    expect(first).toMatchObject({ claims: { [CLAIM]: [], [`${CLAIM}_pending`]: true }, metadata: {} });
    answer = { status: 200, body: '{"roles":["reader"],"pending":false}' };
    const { claims } = await logIn({ user: { app_metadata: first.metadata } });
    expect(claims).toEqual({ [CLAIM]: ["reader"], [`${CLAIM}_email`]: "ann@shop.test" });
    expect(asked).toHaveLength(2);
  });

  it("is done again once the user has another email", async () => {
    const { metadata } = await logIn();
    await logIn({ roles: ["reader"], user: { app_metadata: metadata, email: "bo@shop.test" } });
    expect(asked).toHaveLength(2);
  });

  it.each([
    ["no URL", { BIND_URL: undefined }],
    ["no token", { BIND_TOKEN: "" }],
    ["a token that the import had no value for", { BIND_TOKEN: "##GUMROAD_AUTH0_BIND_TOKEN##" }],
  ])("is left out with %s", async (_what, changes) => {
    expect(await logIn({ roles: ["vip"], secrets: { ...secrets(), ...changes } })).toMatchObject({ roles: ["vip"],
      metadata: {} });
    expect(asked).toEqual([]);
  });
});

describe("a bind that fails", () => {
  it.each([
    ["refuses", { status: 401, body: "{}" }],
    ["is broken", { status: 503, body: '{"roles":["admin"]}' }],
    ["sends elsewhere", { status: 302, body: "" }],
    ["answers no JSON", { status: 200, body: "<html>" }],
    ["answers nothing", { status: 200, body: "" }],
    ["answers no roles", { status: 200, body: '{"roles":"admin"}' }],
    ["answers null", { status: 200, body: "null" }],
  ])("costs nobody the login or a role, and is asked again, when it %s", async (_what, failed) => {
    answer = failed;
    expect(await logIn({ roles: ["vip"] })).toMatchObject({ metadata: {},
      claims: { [CLAIM]: ["vip"], [`${CLAIM}_pending`]: true } });
    expect(logged).toHaveLength(1);
  });

  it("takes only texts for roles", async () => {
    answer = { status: 200, body: '{"roles":["reader",1,null,{"a":1}]}' };
    expect(await logIn()).toMatchObject({ roles: ["reader"] });
  });

  it("is waited for 3 s, no longer: a cold function takes over one", async () => {
    answer = null;
    const limit = new AbortController();
    const limits: number[] = [];
    onAsked = () => {
      limit.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
    };
    const timeout = (ms: number) => {
      limits.push(ms);
      return limit.signal;
    };
    expect(await logIn({ roles: ["vip"] }, timeout)).toMatchObject({ roles: ["vip"], metadata: {} });
    expect(limits).toEqual([3_000]);
  });

  it("may be gone altogether", async () => {
    expect(await logIn({ roles: ["vip"], secrets: { ...secrets(), BIND_URL: "http://127.0.0.1:1/bind" } }))
      .toMatchObject({ roles: ["vip"] });
    expect(await logIn({ roles: ["vip"], secrets: { ...secrets(), BIND_URL: "no address" } })).toMatchObject({
      roles: ["vip"],
    });
  });

  it("never shows an email, a token or an address in the log, which Auth0 cuts at 256 characters", async () => {
    answer = { status: 500, body: "ann@shop.test" };
    await logIn();
    await logIn({ secrets: { ...secrets(), BIND_URL: "no address" } });
    expect(logged).toHaveLength(2);
    expect(logged.join("")).not.toMatch(/ann@|bind-token|127\.0\.0\.1|no address/);
    expect(logged.join("").length).toBeLessThan(256);
  });
});

describe("the Action", () => {
  it("never fails a login, whatever Auth0 hands it", async () => {
    const action = loadAction(code, { now: () => clock, onLog: (line) => logged.push(line) });
    for (const event of [undefined, {}, { user: null }, { user: { email: "ann@shop.test", email_verified: true } }]) {
      await expect(action(event, loginApi())).resolves.toBeUndefined();
    }
    const refusing = { accessToken: { setCustomClaim: () => {
      throw new Error("ann@shop.test");
    } }, user: { setAppMetadata: () => undefined } };
    await expect(action(loginEvent({ secrets: secrets() }), refusing)).resolves.toBeUndefined();
    expect(logged.join("")).not.toContain("ann@");
  });

  it("is one small file that needs no package", () => {
    expect(code.length).toBeLessThan(20_000);
    expect(code.match(/require\("[^"]*"\)/g)).toEqual(['require("crypto")']);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import * as z from "zod";

import { newAccountsSecret } from "../../scripts/new-accounts-secret.ts";
import type { Stack } from "../../local/stack.ts";
import { startLocal } from "../pipeline/local-stack.ts";
import { httpEvent } from "./http-events.ts";
import { auth0Audience, rolesClaim, Tenant } from "./tenant.ts";

const password = "plum-tree-at-noon";
/** The page that serverless.yml allows to call. */
const page = "http://localhost:8000";
const badCredentials = { status: "error", error: "Bad username/password combination" };
const tokenBody = z.object({ user: z.object({ username: z.string(), createdAt: z.iso.datetime() }),
  token: z.string() });

let stack: Stack;
let tenant: Tenant;
const logged: string[] = [];

beforeAll(async () => {
  tenant = await Tenant.start();
  stack = await startLocal({
    environment: { private: { AUTH0_ISSUER: tenant.issuer, AUTH0_AUDIENCE: auth0Audience, ROLES_CLAIM: rolesClaim } },
    maxWorkers: 2,
    onLog: (_function, line) => logged.push(line),
  });
});
afterAll(async () => {
  await stack.stop();
  await tenant.close();
});

async function call(path: string, init: RequestInit): Promise<{ status: number; headers: Headers; body: unknown }> {
  const answer = await fetch(`${stack.url}${path}`, init);
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

const post = (path: string, body: unknown) =>
  call(path, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });
const enter = (path: string, authorization?: string) =>
  call(path, { headers: authorization === undefined ? {} : { authorization } });

describe("the self-built login, as deployed", () => {
  it("logs in, verifies and lets in", async () => {
    const first = await post("/login", { username: "Ann", password });
    const { user, token } = tokenBody.parse(first.body);

    expect(first).toMatchObject({ status: 200, body: { user: { username: "ann" } } });
    expect(tokenBody.parse((await post("/login", { username: "ann", password })).body).user).toEqual(user);
    expect(await post("/verify", { token })).toMatchObject({ status: 200, body: { status: "valid" } });
    expect(await enter("/private", `Bearer ${token}`)).toMatchObject({ status: 200, body: { message: "Hello ann" } });
    expect(await enter("/private/course", `Bearer ${token}`)).toMatchObject({ status: 403,
      body: { status: "error" } });
  });

  it("refuses a wrong password, a token that is none, and a visitor without one", async () => {
    await post("/login", { username: "bob", password });

    expect(await post("/login", { username: "bob", password: "wrong" })).toMatchObject({ status: 401,
      body: badCredentials });
    expect(await post("/verify", { token: "nonsense" })).toMatchObject({ status: 401,
      body: { status: "error", error: "The token is not valid" } });
    const stranger = await enter("/private");
    expect(stranger).toMatchObject({ status: 401, body: { status: "error", error: "This is a private resource" } });
    expect(stranger.headers.get("www-authenticate")).toBe('Bearer realm="accounts"');
  });

  it.each([
    { path: "/login", body: '{"username":' },
    { path: "/login", body: { username: "ann" } },
    { path: "/password", body: { username: "ann", password } },
    { path: "/verify", body: "token=x" },
    { path: "/verify", body: {} },
  ])("answers 400 to $body at $path", async ({ path, body }) => {
    expect(await post(path, body)).toMatchObject({ status: 400,
      body: { status: "error", error: expect.any(String) } });
  });

  it("changes a password", async () => {
    const newPassword = "pear-tree-at-dusk";
    await post("/login", { username: "carol", password });

    expect(await post("/password", { username: "carol", password: "wrong", newPassword })).toMatchObject({ status: 401,
      body: badCredentials });
    expect(await post("/password", { username: "carol", password, newPassword })).toMatchObject({ status: 200,
      body: { status: "changed" } });
    expect(await post("/login", { username: "carol", password })).toMatchObject({ status: 401 });
    expect(await post("/login", { username: "carol", password: newPassword })).toMatchObject({ status: 200 });
  });

  it("lets Auth0's users in by their roles, and asks for its keys once", async () => {
    const token = await tenant.accessToken(Math.floor(Date.now() / 1_000), { [rolesClaim]: ["course"] });

    expect(await enter("/private/course", `Bearer ${token}`)).toMatchObject({ status: 200,
      body: { message: "Hello auth0|ann" } });
    expect(await enter("/private/club", `Bearer ${token}`)).toMatchObject({ status: 403 });
    expect(await post("/verify", { token })).toMatchObject({ status: 401 });
    expect(tenant.requests).toBe(1);
  });

  it("stores hashes with OWASP's parameters and a pepper", async () => {
    await post("/login", { username: "dan", password });

    const user = (await stack.items("AccountsTable")).find(({ pk, sk }) => pk === "user#dan" && sk === "user");
    expect(user).toMatchObject({
      passwordHash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1,keyid=MQ\$/u),
    });
  });
});

describe("without a value of its secret", () => {
  it("is off: 404 and no alarm's word for our own calls, while Auth0's users get in; then it opens", async () => {
    const value = await newAccountsSecret();
    const forget = () => Promise.all(["login", "verify", "private"].map((name) => stack.crash(name)));
    const { token } = tokenBody.parse((await post("/login", { username: "finn", password })).body);
    const items = (await stack.items("AccountsTable")).length;
    const auth0 = await tenant.accessToken(Math.floor(Date.now() / 1_000));
    stack.secrets.set("accounts", undefined);
    await forget();
    const before = logged.length;

    for (const path of ["/login", "/password"]) {
      expect(await post(path, { username: "greta", password, newPassword: "pear-tree-at-dusk" })).toMatchObject({
        status: 404,
        body: { status: "error", error: "This login is off: its secret has no value." },
      });
    }
    expect(await post("/verify", { token })).toMatchObject({ status: 404 });
    expect(await enter("/private", `Bearer ${token}`)).toMatchObject({ status: 404 });
    expect(await enter("/private")).toMatchObject({ status: 401 });
    expect(await enter("/private", `Bearer ${auth0}`)).toMatchObject({ status: 200 });
    expect(await stack.items("AccountsTable")).toHaveLength(items);

    stack.secrets.set("accounts", value);
    await forget();
    expect(await post("/login", { username: "greta", password })).toMatchObject({ status: 200 });
    expect(logged.slice(before).join("\n")).not.toMatch(/NeedsPerson|"level":"ERROR"/u);
  });
});

describe("a page in a browser", () => {
  const preflight = (origin: string, method = "GET") =>
    fetch(`${stack.url}/private`, { method: "OPTIONS",
      headers: { origin, "access-control-request-method": method,
        "access-control-request-headers": "authorization" } });

  it("of an allowed origin may call with a token, and sees how long to wait", async () => {
    expect((await preflight("http://localhost:5173")).headers.get("access-control-allow-origin")).not.toBeNull();
    const { status, headers } = await preflight(page);

    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe(page);
    expect(headers.get("access-control-allow-headers")?.split(",")).toEqual(
      expect.arrayContaining(["authorization", "content-type"]),
    );
    expect(headers.get("access-control-allow-credentials")).toBeNull();
    const refused = await call("/login", { method: "POST", body: "{", headers: { origin: page } });
    expect(refused.headers.get("access-control-allow-origin")).toBe(page);
    expect(refused.headers.get("access-control-expose-headers")?.split(",")).toContain("retry-after");
  });

  it.each([{ origin: "https://evil.example" }, { origin: "file://" }, { origin: "null" }])("of $origin may not",
    async ({ origin }) => {
      expect((await preflight(origin)).headers.get("access-control-allow-origin")).toBeNull();
    });

  it("may not use other methods", async () => {
    expect((await preflight(page, "DELETE")).headers.get("access-control-allow-methods") ?? "").not.toContain(
      "DELETE",
    );
  });
});

describe("guessing", () => {
  const answerShape = z.object({ statusCode: z.number(), headers: z.record(z.string(), z.unknown()) });

  /** A login from an address: over HTTP all would come from this machine. */
  async function loginFrom(sourceIp: string, username: string, typed: string) {
    const result = await stack.invoke("login",
      httpEvent({ routeKey: "POST /login", body: { username, password: typed }, sourceIp }));
    if (result.kind !== "answer") throw new Error(`${result.errorType}: ${result.message}`);
    return answerShape.parse(JSON.parse(result.payload));
  }

  it("at one user from many addresses ends in 429s; the user at their own still logs in", async () => {
    expect(await loginFrom("203.0.113.7", "eve", password)).toMatchObject({ statusCode: 200 });

    // How many pass hangs on how fast this machine is; throttle.test.ts counts them on a frozen clock.
    const statuses = new Set<number>();
    for (let guess = 0; guess < 100; guess += 20) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          loginFrom(`10.${String((guess + index) >> 8)}.${String((guess + index) & 255)}.1`, "eve",
            `guess ${String(guess + index)}`)),
      );
      for (const { statusCode } of answers) {
        statuses.add(statusCode);
      }
    }

    expect([...statuses].sort()).toEqual([401, 429]);
    expect(await loginFrom("203.0.113.7", "eve", password)).toMatchObject({ statusCode: 200 });
  });

  it("leaves no username and no password in any log line", () => {
    expect(logged.length).toBeGreaterThan(5);
    expect(logged.join("\n")).not.toMatch(/plum-tree|pear-tree|guess \d|\b(ann|bob|carol|dan|eve)\b/iu);
  });
});

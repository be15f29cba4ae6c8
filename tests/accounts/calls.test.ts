import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { argon2, type Argon2Parameters } from "node:crypto";
import { promisify } from "node:util";
import * as z from "zod";

import { createAuth0Verifier } from "../../src/accounts/auth0-tokens.ts";
import { privateCall } from "../../src/accounts/authorize.ts";
import { passwordCall } from "../../src/accounts/change-password.ts";
import { verifyCall } from "../../src/accounts/renew.ts";
import { anyIssuer } from "../../src/accounts/identity.ts";
import { type Accounts, loginCall } from "../../src/accounts/log-in.ts";
import { type Argon2Cost, createPasswords } from "../../src/accounts/password.ts";
import { createThrottle, throttleRules } from "../../src/accounts/throttle.ts";
import { createTokens } from "../../src/accounts/tokens.ts";
import { isOffered } from "../../cli/operations/reset.ts";
import { accountsTable, createUsers, hashOfCode } from "../../src/accounts/users.ts";
import type { Table } from "../../src/dynamo/table.ts";
import { httpHandler } from "../../src/http/handler.ts";
import { log } from "../../src/log.ts";
import { cheapCost, Clock, LocalSecret, type LocalTable, localTable, startOfTests } from "./accounts-stage.ts";
import { type Answer, type RequestParts, send } from "./http-events.ts";
import { auth0Audience, rolesClaim, Tenant } from "./tenant.ts";

const issuer = "https://login.example.com";
const HOUR = 3_600;
const DAY = 24 * HOUR;
const password = "plum-tree-at-noon";
const badCredentials = { status: "error", error: "Bad username/password combination" };
const privateResource = { status: "error", error: "This is a private resource" };
const tokenBody = z.object({ user: z.object({ username: z.string(), createdAt: z.string() }), token: z.string() });

let table: LocalTable;
let secret: LocalSecret;
let tenant: Tenant;
let clock: Clock;
/** A user of this test alone. */
let ann: string;
let tests = 0;
/** The parameters of every hash that was computed in this test. */
let hashes: { memory: number; passes: number }[] = [];
/** The roles that everybody has in this test. */
let roles: readonly string[] = [];
/** The calls to the table in this test. */
let tableCalls: string[] = [];

const compute = promisify(argon2);

beforeAll(async () => {
  [table, secret, tenant] = await Promise.all([localTable(), LocalSecret.create(), Tenant.start()]);
});
afterAll(async () => {
  await Promise.all([table.close(), tenant.close()]);
});
beforeEach(() => {
  tests += 1;
  ann = `ann${String(tests)}@example.com`;
  clock = new Clock();
  hashes = [];
  tableCalls = [];
  roles = [];
  jest.spyOn(log, "warn").mockImplementation(() => undefined);
  jest.spyOn(log, "error").mockImplementation(() => undefined);
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** The table, with a note of every call. */
function watchedTable(): Table {
  const client = new DynamoDBClient(table.settings);
  client.middlewareStack.add((next, { commandName }) => (call) => {
    tableCalls.push(String(commandName));
    return next(call);
  });
  return accountsTable(client, table.name);
}

const derive = (parameters: Argon2Parameters) => {
  hashes.push({ memory: parameters.memory, passes: parameters.passes });
  return compute("argon2id", parameters);
};

interface Terms {
  readonly signUp?: Accounts["signUp"];
  readonly cost?: Argon2Cost;
}

function dependencies({ signUp = "open", cost = cheapCost }: Terms) {
  const watched = watchedTable();
  return { users: createUsers(watched), throttle: createThrottle({ table: watched, now: clock.now }),
    passwords: createPasswords({ cost, secret, derive }), tokens: tokens(), rolesOf: () => Promise.resolve(roles),
    signUp, now: clock.now };
}

const tokens = (now = clock.now) => createTokens({ secret, issuer, audience: "course", lifetimeSeconds: HOUR, now });

const login = (request: RequestParts, terms: Terms = {}): Promise<Answer> =>
  send(httpHandler(loginCall(dependencies(terms))), request);
const changePassword = (request: RequestParts): Promise<Answer> =>
  send(httpHandler(passwordCall(dependencies({}))), request);

function verify(request: RequestParts): Promise<Answer> {
  return send(httpHandler(verifyCall(dependencies({}))), request);
}

function enter(request: RequestParts, now = clock.now): Promise<Answer> {
  const verifyEither = anyIssuer(new Map([
    [issuer, tokens(now).verify],
    [tenant.issuer, createAuth0Verifier({ issuer: tenant.issuer, audience: auth0Audience, rolesClaim, now })],
  ]));
  return send(httpHandler(privateCall(verifyEither, new Map([["club", ["One.", "Two."]]]))), request);
}

const tokenOf = (answer: Answer): string => tokenBody.parse(answer.body).token;

describe("POST /login", () => {
  it("creates the user on the first login, and knows them on the next", async () => {
    const first = await login({ body: { username: ann, password } });
    clock.forward(60);
    const second = await login({ body: { username: ` ${ann.toUpperCase()} `, password } });

    expect(first.status).toBe(200);
    expect(first.body).toEqual({ user: { username: ann, createdAt: "2026-11-22T10:00:00.000Z" },
      token: expect.any(String) });
    expect(second.status).toBe(200);
    expect(tokenBody.parse(second.body).user).toEqual(tokenBody.parse(first.body).user);
    expect(tokenOf(second)).not.toBe(tokenOf(first));
    expect(first.headers).toMatchObject({ "Content-Type": "application/json", "Cache-Control": "no-store" });
  });

  it("answers a wrong password with 401, however wrong", async () => {
    await login({ body: { username: ann, password } });

    for (const wrong of ["wrong", "p", "x".repeat(500), password.toUpperCase()]) {
      expect(await login({ body: { username: ann, password: wrong } })).toMatchObject({ status: 401,
        body: badCredentials });
    }
  });

  it.each([
    { body: { username: "ann" }, error: 'The field "password" is missing or wrong.' },
    { body: { password }, error: 'The field "username" is missing or wrong.' },
    { body: { username: "", password }, error: 'The field "username" is missing or wrong.' },
    { body: { username: ["ann"], password }, error: 'The field "username" is missing or wrong.' },
    { body: { username: "ann", password: 12345678 }, error: 'The field "password" is missing or wrong.' },
    { body: {}, error: 'The field "username" is missing or wrong.' },
    { body: [], error: "The body has to be a JSON object." },
    { body: "null", error: "The body has to be a JSON object." },
    { body: '{"username":', error: "The body is not JSON." },
    { body: "username=ann&password=x", error: "The body is not JSON." },
    { body: undefined, error: "The body is not JSON." },
    { body: { username: " ", password }, error: "The username is empty" },
    { body: { username: "an\u0000n", password }, error: "The username holds characters that can't be seen" },
    { body: { username: "ann", password: "x".repeat(2_000) }, error: "The password is longer than 128 characters" },
    { body: { username: "ann", password: `${password}\ud800` }, error: "The password holds broken characters" },
  ])("answers 400 to $body", async ({ body, error }) => {
    expect(await login({ body })).toMatchObject({ status: 400, body: { status: "error", error } });
    expect(hashes).toEqual([]);
  });

  it("refuses a weak password at sign-up with a reason, and makes no user", async () => {
    const answer = await login({ body: { username: ann, password: "password1" } });

    expect(answer).toMatchObject({ status: 400,
      body: { status: "error", error: expect.stringContaining("This is a commonly used password.") } });
    expect((await login({ body: { username: ann, password: "short" } })).body).toMatchObject({
      error: "The password is shorter than 8 characters",
    });
    expect(await login({ body: { username: ann, password } }, { signUp: "closed" })).toMatchObject({ status: 401 });
  });

  it("reads a body that the gateway has encoded", async () => {
    expect(await login({ body: { username: ann, password }, base64: true })).toMatchObject({ status: 200 });
  });

  it("makes one user of many first logins at once, and only the first password wins", async () => {
    const guesses = Array.from({ length: 4 }, (_, index) => `${password}-${String(index)}`);

    const answers = await Promise.all(
      guesses.map((guess, index) =>
        login({ body: { username: ann, password: guess }, sourceIp: `198.51.${String(index)}.7` })
      ),
    );

    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 401)).toHaveLength(3);
    const winner = guesses[statuses.indexOf(200)];
    expect(await login({ body: { username: ann, password: winner } })).toMatchObject({ status: 200 });
  });

  it("lets both of two first logins with the same password in", async () => {
    const answers = await Promise.all(
      [1, 2].map((network) => login({ body: { username: ann, password }, sourceIp: `198.51.${String(network)}.7` })),
    );

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(tokenBody.parse(answers[0]?.body).user).toEqual(tokenBody.parse(answers[1]?.body).user);
  });

  it("upgrades the hash at the next login when the parameters have changed", async () => {
    const stronger: Argon2Cost = { memory: 64, passes: 2, parallelism: 1 };
    await login({ body: { username: ann, password } });
    const before = await storedHash(ann);

    await login({ body: { username: ann, password: "wrong" } }, { cost: stronger });
    expect(await storedHash(ann)).toBe(before);
    await login({ body: { username: ann, password } }, { cost: stronger });

    expect(before).toContain("m=8,t=1,");
    expect(await storedHash(ann)).toContain("m=64,t=2,");
    hashes = [];
    expect(await login({ body: { username: ann, password } }, { cost: stronger })).toMatchObject({ status: 200 });
    expect(hashes).toEqual([{ memory: 64, passes: 2 }]);
  });

  it("keeps no password, only its hash", async () => {
    await login({ body: { username: ann, password } });
    const { Item } = await table.client.send(
      new GetItemCommand({ TableName: table.name, Key: { pk: { S: `user#${ann}` }, sk: { S: "user" } } }),
    );

    expect(JSON.stringify(Item)).not.toContain(password);
    expect(Object.keys(Item ?? {}).sort()).toEqual(["createdAt", "passwordHash", "pk", "sk", "username"]);
  });

  it("logs neither the username nor the password", async () => {
    const lines: unknown[] = [];
    jest.spyOn(log, "warn").mockImplementation((...line) => lines.push(line));
    await login({ body: { username: ann, password } });
    await login({ body: { username: ann, password: "wrong-password" } });
    await login({ body: `{"username":"${ann}","password":"wrong-password"` });

    expect(lines.length).toBe(2);
    expect(JSON.stringify(lines)).not.toMatch(/ann|wrong-password|plum/u);
  });
});

describe("POST /password", () => {
  const newPassword = "pear-tree-at-dusk";

  it("changes the password: the new one logs in, the old one no more", async () => {
    const { body } = await login({ body: { username: ann, password } });

    expect(await changePassword({ body: { username: ` ${ann.toUpperCase()}`, password, newPassword } })).toMatchObject(
      { status: 200, body: { status: "changed" } },
    );

    expect(await login({ body: { username: ann, password } })).toMatchObject({ status: 401, body: badCredentials });
    const answer = await login({ body: { username: ann, password: newPassword } });
    expect(answer).toMatchObject({ status: 200, body: { user: tokenBody.parse(body).user } });
  });

  it("asks for the current password", async () => {
    await login({ body: { username: ann, password } });

    expect(await changePassword({ body: { username: ann, password: "wrong", newPassword } })).toMatchObject({
      status: 401,
      body: badCredentials,
    });
    expect(await login({ body: { username: ann, password } })).toMatchObject({ status: 200 });
  });

  it.each([
    { body: { username: "ann", password: "x" }, error: 'The field "newPassword" is missing or wrong.' },
    { body: { username: "ann", newPassword: "x" }, error: 'The field "password" is missing or wrong.' },
    { body: { username: "ann", password: "x", newPassword: { length: 12 } },
      error: 'The field "newPassword" is missing or wrong.' },
    { body: { username: "ann", password: "x", newPassword: "x".repeat(2_000) },
      error: "The password is longer than 128 characters" },
    { body: { username: "\u200b", password: "x", newPassword: "x" },
      error: "The username holds characters that can't be seen" },
    { body: "{", error: "The body is not JSON." },
  ])("answers 400 to $body, and computes no hash", async ({ body, error }) => {
    expect(await changePassword({ body })).toMatchObject({ status: 400, body: { status: "error", error } });
    expect(hashes).toEqual([]);
  });

  it("holds the new password to the rules of sign-up, once the current one was right", async () => {
    await login({ body: { username: ann, password } });

    expect(await changePassword({ body: { username: ann, password, newPassword: "password1" } })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining("This is a commonly used password.") },
    });
    expect(await changePassword({ body: { username: ann, password: "wrong", newPassword: "password1" } }))
      .toMatchObject({ status: 401, body: badCredentials });
    expect(await login({ body: { username: ann, password } })).toMatchObject({ status: 200 });
  });

  it("does the same work and answers the same for an unknown user and a wrong password", async () => {
    const stranger = `un${ann}`;
    await login({ body: { username: ann, password }, sourceIp: "198.51.100.1" });

    const [forKnown, forUnknown] = [await measured(ann), await measured(stranger)];

    expect(forUnknown).toEqual(forKnown);
    expect(forKnown).toMatchObject({ answer: { status: 401, body: badCredentials }, hashes: [expect.anything()] });
    expect(await storedHash(stranger)).toBeUndefined();
  });

  async function measured(username: string) {
    [hashes, tableCalls] = [[], []];
    const answer = await changePassword({ body: { username, password: "wrong-password", newPassword } });
    return { answer, hashes, tableCalls };
  }

  it("counts as the same guesses as a login does, before any hash", async () => {
    await login({ body: { username: ann, password }, sourceIp: "198.51.100.1" });
    for (let guess = 1; guess < throttleRules.userAndNetwork.free; guess += 1) {
      await login({ body: { username: ann, password: "wrong" } });
    }
    await changePassword({ body: { username: ann, password: "wrong", newPassword } });
    hashes = [];

    expect(await changePassword({ body: { username: ann, password, newPassword } })).toMatchObject({ status: 429,
      headers: { "Retry-After": "2" } });
    expect(await login({ body: { username: ann, password } })).toMatchObject({ status: 429 });
    expect(hashes).toEqual([]);
  });

  it("takes one of two changes at once: the other one's password is the current one no more", async () => {
    await login({ body: { username: ann, password } });
    const wanted = [newPassword, "fig-tree-at-dawn"];

    const answers = await Promise.all(
      wanted.map((each) => changePassword({ body: { username: ann, password, newPassword: each } })),
    );

    const statuses = answers.map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 401]);
    expect(await login({ body: { username: ann, password } })).toMatchObject({ status: 401 });
  });

  it("is not lost to a login that upgrades the hash meanwhile", async () => {
    await login({ body: { username: ann, password } });
    const { users, ...others } = dependencies({});
    let upgraded = false;
    const find = async (username: string) => {
      const user = await users.find(username);
      if (!upgraded && (upgraded = true)) {
        await login({ body: { username: ann, password } }, { cost: { ...cheapCost, passes: 2 } });
      }
      return user;
    };
    const handler = httpHandler(passwordCall({ ...others, users: { ...users, find } }));

    expect(await send(handler, { body: { username: ann, password, newPassword } })).toMatchObject({ status: 200 });
    expect(await login({ body: { username: ann, password: newPassword } })).toMatchObject({ status: 200 });
  });

  it("takes an operator's one-time code in place of a forgotten password, once and in time", async () => {
    const token = tokenOf(await login({ body: { username: ann, password } }));
    clock.time += 1;
    const accounts = accountsTable(table.client, table.name);
    const [late, code] = ["a-code-that-came-late", "a-code-in-time"];
    const withCode = (typed: string) => changePassword({ body: { username: ann, password: typed, newPassword } });
    await isOffered(accounts, ann, hashOfCode(late), clock.now());
    expect(await withCode(late)).toMatchObject({ status: 401, body: badCredentials });
    await isOffered(accounts, ann, hashOfCode(code), clock.now() + 1);
    expect(await withCode(late)).toMatchObject({ status: 401 });

    expect(await login({ body: { username: ann, password: code } })).toMatchObject({ status: 401 });
    expect(await verify({ body: { token } })).toMatchObject({ status: 200, body: { token: expect.any(String) } });
    expect(await withCode(code)).toMatchObject({ status: 200, body: { status: "changed" } });
    expect(await verify({ body: { token } })).toMatchObject({ status: 401 });

    expect(await withCode(code)).toMatchObject({ status: 401 });
    expect(await login({ body: { username: ann, password } })).toMatchObject({ status: 401 });
    expect(await login({ body: { username: ann, password: newPassword } })).toMatchObject({ status: 200 });
    expect(await isOffered(accounts, `un${ann}`, hashOfCode(code), clock.now() + 1)).toBe(false);
  });

  it("logs neither the username nor a password", async () => {
    const lines: unknown[] = [];
    jest.spyOn(log, "warn").mockImplementation((...line) => lines.push(line));
    await login({ body: { username: ann, password } });
    await changePassword({ body: { username: ann, password, newPassword: "password1" } });
    await changePassword({ body: { username: ann, password: "wrong-password", newPassword } });

    expect(lines.length).toBe(2);
    expect(JSON.stringify(lines)).not.toMatch(/ann|wrong-password|plum|pear|password1/u);
  });
});

describe("POST /login with sign-up closed", () => {
  it("creates nobody", async () => {
    expect(await login({ body: { username: ann, password } }, { signUp: "closed" })).toMatchObject({ status: 401,
      body: badCredentials });
    expect(await storedHash(ann)).toBeUndefined();
  });

  it("does the same work and gives the same answer for an unknown user and a wrong password", async () => {
    const [known, unknown] = [ann, `un${ann}`];
    await login({ body: { username: known, password }, sourceIp: "198.51.100.1" });

    const [forKnown, forUnknown] = [await measured(known), await measured(unknown)];

    expect(forUnknown).toEqual(forKnown);
    expect(forKnown.hashes).toHaveLength(1);
  });

  it("does so for passwords that no user can have, too", async () => {
    for (const wrong of ["p", "password1", "x".repeat(200)]) {
      hashes = [];
      expect(await login({ body: { username: ann, password: wrong } }, { signUp: "closed" })).toMatchObject({
        status: 401,
        body: badCredentials,
      });
      expect(hashes).toHaveLength(1);
    }
  });

  async function measured(username: string) {
    [hashes, tableCalls] = [[], []];
    const answer = await login({ body: { username, password: "wrong-password" } }, { signUp: "closed" });
    return { answer, hashes, tableCalls };
  }
});

describe("POST /login too often", () => {
  it("answers 429 with Retry-After, the same for users who exist and who don't, and computes no hash", async () => {
    await login({ body: { username: ann, password }, sourceIp: "198.51.100.1" });

    for (const username of [ann, `un${ann}`]) {
      for (let guess = 1; guess <= throttleRules.userAndNetwork.free; guess += 1) {
        await login({ body: { username, password: "wrong" } }, { signUp: "closed" });
      }
      hashes = [];
      const answer = await login({ body: { username, password } }, { signUp: "closed" });
      expect(answer).toMatchObject({ status: 429, headers: { "Retry-After": "2" },
        body: { status: "error", error: "Too many attempts. Try again in 2 seconds." } });
      expect(hashes).toEqual([]);
    }
  });

  it("holds none of the 20 logins for a throttled network: the owner, elsewhere, gets in 12 of 12 times", async () => {
    await login({ body: { username: ann, password }, sourceIp: "198.51.100.1" });
    for (let guess = 1; guess <= throttleRules.userAndNetwork.free; guess += 1) {
      await login({ body: { username: ann, password: "wrong" }, sourceIp: "198.51.99.9" });
    }
    hashes = [];
    tableCalls = [];
    const guesses = await Promise.all(
      Array.from({ length: 20 }, () => login({ body: { username: ann, password: "wrong" }, sourceIp: "198.51.99.9" })),
    );
    // No hash, no wait and no write: a refused attempt ends with the one read that refuses it.
    expect(guesses.map(({ status }) => status)).toEqual(guesses.map(() => 429));
    expect(hashes).toEqual([]);
    expect(new Set(tableCalls)).toEqual(new Set(["BatchGetItemCommand"]));
    expect(tableCalls).toHaveLength(20);

    for (let nth = 1; nth <= 12; nth += 1) {
      expect(await login({ body: { username: ann, password }, sourceIp: "198.51.100.1" })).toMatchObject({
        status: 200,
      });
    }
  });

  it("looks at the connection's address and at no header", async () => {
    for (let guess = 1; guess <= throttleRules.userAndNetwork.free; guess += 1) {
      await login({ body: { username: ann, password: "wrong" },
        headers: { "x-forwarded-for": `198.51.100.${String(guess)}` } }, { signUp: "closed" });
    }

    expect(
      await login({ body: { username: ann, password },
        headers: { "x-forwarded-for": "192.0.2.1", forwarded: "for=192.0.2.1" } }),
    ).toMatchObject({ status: 429 });
  });

  it("answers 503, not 401, when the table can't be had", async () => {
    const lost = accountsTable(table.client, "no-such-table");
    const handler = httpHandler(
      loginCall({ users: createUsers(lost), throttle: createThrottle({ table: lost }),
        passwords: createPasswords({ cost: cheapCost }), tokens: tokens(), rolesOf: () => Promise.resolve([]),
        signUp: "open" }),
    );

    expect(await send(handler, { body: { username: ann, password } })).toMatchObject({ status: 503,
      body: { status: "error" } });
  });
});

describe("POST /verify", () => {
  const renewedBody = z.object({ status: z.literal("valid"), token: z.string() });
  /** Renews a token every half an hour, as a page does, for so long (seconds); undefined once there is no new one. */
  async function goOn(first: string, seconds: number): Promise<string | undefined> {
    let token: string | undefined = first;
    for (let passed = 0; passed < seconds && token !== undefined; passed += HOUR / 2) {
      clock.forward(HOUR / 2);
      token = z.object({ token: z.optional(z.string()) }).parse((await verify({ body: { token } })).body).token;
    }
    return token;
  }

  it("answers valid for a token of ours, with a new one that holds the roles of now and the same login", async () => {
    const token = tokenOf(await login({ body: { username: ann, password } }));
    clock.forward(60);
    roles = ["club"];

    const answer = await verify({ body: { token } });

    expect(answer.status).toBe(200);
    expect(await tokens().verify(renewedBody.parse(answer.body).token)).toEqual({ issuer, subject: ann,
      roles: ["club"], loggedInAt: startOfTests / 1_000, passwordSince: "2026-11-22T10:00:00.000Z", remember: false });
    expect(tableCalls.at(-1)).toBe("GetItemCommand");
  });

  it("renews for 12 hours after the login, and then answers valid without a new token", async () => {
    const token = tokenOf(await login({ body: { username: ann, password } }));

    const last = await goOn(token, 12 * HOUR - HOUR / 2);
    expect(last).toEqual(expect.any(String));
    clock.forward(HOUR / 2);
    expect((await verify({ body: { token: last } })).body).toEqual({ status: "valid" });
  });

  it("renews for 30 days where the user asked to be remembered", async () => {
    const token = tokenOf(await login({ body: { username: ann, password, remember: true } }));
    clock.forward(30 * DAY - HOUR);
    // As it would be after all renewals between.
    const late = await tokens().issue({ ...(await tokens(() => startOfTests).verify(token)) });

    expect(renewedBody.safeParse((await verify({ body: { token: late } })).body).success).toBe(true);
    clock.forward(HOUR);
    expect((await verify({ body: { token: late } })).body).toEqual({ status: "valid" });
  });

  it("answers 401 once the account is gone, and to a login from before the password was changed", async () => {
    const token = tokenOf(await login({ body: { username: ann, password } }));
    const ofNobody = await tokens().issue({ subject: "nobody", roles: [], loggedInAt: 0, passwordSince: "",
      remember: false });
    expect(await verify({ body: { token: ofNobody } })).toMatchObject({ status: 401 });
    // In the same second, and in no other: what a login before read of the account is what tells.
    clock.time += 1;
    await changePassword({ body: { username: ann, password, newPassword: "pear-tree-at-dusk" } });

    expect(await verify({ body: { token } })).toMatchObject({ status: 401,
      body: { error: "The account is gone, or its password was changed" } });
    const next = tokenOf(await login({ body: { username: ann, password: "pear-tree-at-dusk" } }));
    expect(await verify({ body: { token: next } })).toMatchObject({ status: 200 });
  });

  it("gives no new token for one of an earlier version, which doesn't say of which password it is", async () => {
    await login({ body: { username: ann, password } });
    const earlier = await tokens().issue({ subject: ann, roles: [], loggedInAt: startOfTests / 1_000,
      remember: true });

    expect(await verify({ body: { token: earlier } })).toMatchObject({ status: 200, body: { status: "valid" } });
    expect((await verify({ body: { token: earlier } })).body).not.toHaveProperty("token");
  });

  it("renews over a hash that was made anew, as the password is the same", async () => {
    const token = tokenOf(await login({ body: { username: ann, password } }));
    await login({ body: { username: ann, password } }, { cost: { memory: 64, passes: 2, parallelism: 1 } });

    expect((await verify({ body: { token } })).body).toHaveProperty("token");
  });

  it("renews no login that was under way while the password was changed", async () => {
    await login({ body: { username: ann, password } });
    const { passwords, ...others } = dependencies({});
    const verifyPassword: typeof passwords.verify = async (...typed) => {
      const isRight = await passwords.verify(...typed);
      clock.time += 1;
      await changePassword({ body: { username: ann, password, newPassword: "pear-tree-at-dusk" } });
      return isRight;
    };
    const slow = httpHandler(loginCall({ ...others, passwords: { ...passwords, verify: verifyPassword } }));
    const token = tokenOf(await send(slow, { body: { username: ann, password } }));

    expect(await verify({ body: { token } })).toMatchObject({ status: 401 });
  });

  it("answers 401 for a token that has expired, and for what is none", async () => {
    const token = tokenOf(await login({ body: { username: ann, password } }));
    clock.forward(HOUR + 6);

    expect(await verify({ body: { token } })).toMatchObject({ status: 401,
      body: { status: "error", error: "The token has expired" } });
    expect(await verify({ body: { token: "nonsense" } })).toMatchObject({ status: 401,
      body: { status: "error", error: "The token is not valid" } });
    expect(await verify({ body: { token: await tenant.accessToken(startOfTests / 1_000) } })).toMatchObject({
      status: 401,
    });
  });

  it.each([{ body: {} }, { body: { token: "" } }, { body: { token: 7 } }, { body: "{" }, { body: undefined }])(
    "answers 400 to $body",
    async ({ body }) => {
      expect(await verify({ body })).toMatchObject({ status: 400, body: { status: "error" } });
    },
  );
});

describe("a body above 8 KB", () => {
  it.each([
    ["/login", login],
    ["/password", changePassword],
    ["/verify", verify],
  ])("is refused at %s before anything looks into it", async (_path, call) => {
    const parse = jest.spyOn(JSON, "parse");
    const filled = { username: ann, password, newPassword: "pear-tree-at-dusk", token: "x" };
    const room = 8_192 - JSON.stringify({ ...filled, more: "" }).length;
    for (const body of ["[".repeat(8_193), JSON.stringify({ ...filled, more: "x".repeat(room + 1) })]) {
      for (const base64 of [false, true]) {
        parse.mockClear();
        const answer = await call({ body, base64, sourceIp: "198.51.98.7" });
        expect(answer).toMatchObject({ status: 413, body: { status: "error" } });
        expect(parse.mock.calls.map(([text]) => text.length)).not.toContain(body.length);
      }
    }
    expect([hashes, tableCalls]).toEqual([[], []]);

    expect(
      (await call({ body: JSON.stringify({ ...filled, more: "x".repeat(room) }), sourceIp: "198.51.98.7" })).status,
    ).not.toBe(413);
  });
});

describe("GET /private", () => {
  it("greets a user with a token of ours", async () => {
    const token = tokenOf(await login({ body: { username: ann, password } }));

    expect(await enter({ headers: { authorization: `Bearer ${token}` } })).toMatchObject({ status: 200,
      body: { message: `Hello ${ann}` } });
    expect(await enter({ headers: { authorization: `bearer ${token}` } })).toMatchObject({ status: 200 });
  });

  it("greets a user with a token of Auth0", async () => {
    const token = await tenant.accessToken(startOfTests / 1_000);

    expect(await enter({ headers: { authorization: `Bearer ${token}` } })).toMatchObject({ status: 200,
      body: { message: "Hello auth0|ann" } });
    const named = await tenant.accessToken(startOfTests / 1_000, { [`${rolesClaim}_email`]: "ann@example.com" });
    expect((await enter({ headers: { authorization: `Bearer ${named}` } })).body).toEqual({
      message: "Hello ann@example.com",
    });
  });

  it.each([{}, { authorization: "" }, { authorization: "Bearer" }, { authorization: "Basic YW5uOng=" }, {
    authorization: "Bearer a b",
  }])("answers 401 with a plain challenge to %j", async (headers) => {
    expect(await enter({ headers })).toMatchObject({ status: 401,
      headers: { "WWW-Authenticate": 'Bearer realm="accounts"' }, body: privateResource });
  });

  it("answers 401 and says so when the token is not valid", async () => {
    const token = tokenOf(await login({ body: { username: ann, password } }));
    clock.forward(HOUR + 6);

    expect(await enter({ headers: { authorization: `Bearer ${token}` } })).toMatchObject({ status: 401,
      headers: {
        "WWW-Authenticate":
          'Bearer realm="accounts", error="invalid_token", error_description="The token has expired"',
      }, body: privateResource });
    expect(await enter({ headers: { authorization: "Bearer nonsense" } })).toMatchObject({ status: 401,
      body: privateResource });
  });

  it("does not let one issuer's keys speak for the other", async () => {
    const token = await tenant.accessToken(startOfTests / 1_000, { iss: issuer, aud: "course" });

    expect(await enter({ headers: { authorization: `Bearer ${token}` } })).toMatchObject({ status: 401 });
    const stranger = await tenant.accessToken(startOfTests / 1_000, { iss: "https://evil.example/" });
    expect(await enter({ headers: { authorization: `Bearer ${stranger}` } })).toMatchObject({ status: 401 });
  });

  it("answers 503 while Auth0's keys can't be had, and goes on serving our own tokens", async () => {
    const token = await tenant.accessToken(startOfTests / 1_000);
    const own = tokenOf(await login({ body: { username: ann, password } }));
    tenant.health = "gone";

    const [forAuth0, forOurs] = [await enter({ headers: { authorization: `Bearer ${token}` } }),
      await enter({ headers: { authorization: `Bearer ${own}` } })];

    tenant.health = "well";
    expect(forAuth0).toMatchObject({ status: 503, headers: { "Retry-After": "60" } });
    expect(forOurs).toMatchObject({ status: 200 });
  });
});

describe("GET /private/{role}", () => {
  const withRoles = async (...roles: string[]) => ({
    authorization: `Bearer ${await tenant.accessToken(startOfTests / 1_000, { [rolesClaim]: roles })}`,
  });

  it("lets in whoever has the role", async () => {
    expect(await enter({ headers: await withRoles("other", "club"), pathParameters: { role: "club" } })).toMatchObject(
      { status: 200, body: { message: "Hello auth0|ann", lesson: ["One.", "Two."] } },
    );
    expect((await enter({ headers: await withRoles("other"), pathParameters: { role: "other" } })).body).toEqual({
      message: "Hello auth0|ann",
    });
  });

  it.each([[[]], [["clubs"]], [["Club"]]])("answers 403 to the roles %j", async (roles) => {
    expect(await enter({ headers: await withRoles(...roles), pathParameters: { role: "club" } })).toMatchObject({
      status: 403,
      headers: { "WWW-Authenticate": 'Bearer realm="accounts", error="insufficient_scope"' },
      body: { status: "error", error: "Your account does not have the role this needs" },
    });
  });

  it("answers 401, not 403, without a token", async () => {
    expect(await enter({ pathParameters: { role: "club" } })).toMatchObject({ status: 401 });
  });
});

async function storedHash(username: string): Promise<string | undefined> {
  const user = await createUsers(accountsTable(table.client, table.name)).find(username);
  return user?.passwordHash;
}

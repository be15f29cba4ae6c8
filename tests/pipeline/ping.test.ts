import { EventEmitter, once } from "node:events";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";

import { LOCAL_SELLER_ID, type Stack } from "../../local/stack.ts";
import { body, changed, deliver, kept, post, startLocal } from "./local-stack.ts";

const LISTED = { tokens: ["local"], seller_id: LOCAL_SELLER_ID };
const logged: string[] = [];
/** Emits `line` when one was logged, which may be after the answer. */
const lines = new EventEmitter();
let hanging: string | undefined;
let secretReadings = 0;
let stack: Stack;

beforeAll(async () => {
  stack = await startLocal({
    maxWorkers: 1,
    onLog: (_function, line) => {
      logged.push(line);
      lines.emit("line");
    },
    // A service that doesn't answer in time: the call goes nowhere until the worker gives up.
    onCall: async ({ service, phase, operation }) => {
      if (phase === "before" && service === "secretsmanager") secretReadings += 1;
      if (phase === "before" && `${service} ${operation}` === hanging) {
        await new Promise((resolve) => setTimeout(resolve, 6_000).unref());
      }
      return "go" as const;
    },
  });
});
afterAll(async () => {
  await stack.stop();
});
afterEach(() => {
  hanging = undefined;
});

async function answerTo(text: string, headers: Record<string, string> = {}, path = "/ping/local") {
  const response = await fetch(`${stack.url}${path}`, { method: "POST", body: text,
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers } });
  return { status: response.status, type: response.headers.get("content-type"), body: await response.text() };
}
async function lineWith(text: string): Promise<string> {
  for (;;) {
    const line = logged.find((each) => each.includes(text));
    if (line !== undefined) return line;
    await once(lines, "line");
  }
}
const lastKept = async () => (await kept(stack)).at(-1);
const basic = (credentials: string) => ({ authorization: `Basic ${Buffer.from(credentials).toString("base64")}` });

describe("a ping", () => {
  it("is answered with 200 {} once it is in the queue", async () => {
    expect(await answerTo(body("sale"))).toEqual({ status: 200, type: "application/json", body: "{}" });
    await stack.sqs.idle();
    expect(stack.auth0.rolesOfEmail("ann@example.com")).toEqual(["serverless-handbook"]);
  });

  it("is taken with a slash at the end of the URL, too", async () => {
    expect((await answerTo(body("sale"), {}, "/ping/local/")).status).toBe(200);
    await stack.sqs.idle();
  });

  it("for a product outside the policy is taken too", async () => {
    expect((await answerTo(body("sale-unmapped-physical"))).status).toBe(200);
    await stack.sqs.idle();
  });

  it("takes the token by Basic auth, as the password or as a lone user name", async () => {
    for (const credentials of ["gumroad:local", "local:", "local"]) {
      expect((await answerTo(body("sale"), basic(credentials), "/ping")).status).toBe(200);
    }
    await stack.sqs.idle();
  });

  it.each<[why: string, path: string, headers: Record<string, string>]>([
    ["a wrong token", "/ping/wrong", {}],
    ["no token", "/ping", {}],
    ["a wrong password", "/ping", basic("gumroad:wrong")],
    ["a token that only begins right", "/ping/loca", {}],
    ["nothing but slashes", "/ping///", {}],
    ["another scheme", "/ping", { authorization: "Bearer local" }],
  ])("with %s is 401, and leaves nothing behind", async (_why, path, headers) => {
    const before = (await kept(stack)).length;
    const answer = await answerTo(body("sale"), headers, path);
    expect(answer).toMatchObject({ status: 401, type: "application/json" });
    expect(JSON.parse(answer.body)).toEqual({ status: "error",
      error: "The token in the ping URL is missing or wrong: copy the whole URL again." });
    expect(await kept(stack)).toHaveLength(before);
  });

  it("of another seller is 403, and kept without its card and address", async () => {
    const answer = await answerTo(changed("sale-unmapped-physical", { seller_id: "somebody-else==" }));
    expect(answer.status).toBe(403);
    expect(await lastKept()).toMatchObject({ code: "PING_OF_ANOTHER_SELLER",
      body: expect.stringContaining("seller_id=somebody-else") });
    expect((await lastKept())?.body).not.toMatch(/card|street_address|4242|High/);
  });

  it.each<{ what: string; text: string; field: string }>([
    { what: "an empty body", text: "", field: "resource_name" },
    { what: "an unknown event", text: changed("sale", { resource_name: "purchase" }), field: "resource_name" },
    { what: "a missing sale_id", text: changed("sale", { sale_id: null }), field: "sale_id" },
    { what: "a missing seller_id", text: changed("sale", { seller_id: null }), field: "seller_id" },
    { what: "a missing product_id", text: changed("sale", { product_id: null }), field: "product_id" },
    { what: "no email", text: changed("sale", { email: "ann" }), field: "email" },
    { what: "a subscription without its id", text: changed("membership-ended", { subscription_id: null }),
      field: "subscription_id" },
    { what: "keys nested too deep", text: `${body("sale")}&a[b][c][d][e]=1`, field: "body" },
    { what: "control characters", text: "\u0000\u0007&%00=%07", field: "resource_name" },
  ])("with $what is 400 naming the field, and kept", async ({ text, field }) => {
    const answer = await answerTo(text);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toEqual({ status: "error", error: expect.stringContaining(`field ${field} `) });
    expect(await lastKept()).toMatchObject({ code: "PING_NOT_UNDERSTOOD", reason: expect.stringContaining(field) });
  });

  it("over 256 KB is 413, and its beginning is kept", async () => {
    const answer = await answerTo(`${body("sale")}&x=${"y".repeat(256 * 1024)}`);
    expect(answer.status).toBe(413);
    expect(await lastKept()).toMatchObject({ code: "PING_TOO_LARGE",
      body: expect.stringContaining("ann%40example.com") });
    expect((await answerTo(`${body("sale")}&x=${"y".repeat(250 * 1024)}`)).status).toBe(200);
    await stack.sqs.idle();
  });

  it.each(["application/json", "text/plain", ""])("of type %p is 415, and kept", async (type) => {
    expect((await answerTo('{"resource_name":"sale"}', { "content-type": type })).status).toBe(415);
    expect(await lastKept()).toMatchObject({ code: "PING_NOT_A_FORM", body: "" });
  });

  it("with characters that SQS refuses is taken all the same", async () => {
    expect((await answerTo(changed("membership-sale", { "variants[Tier]": "Gold\uffff\ufffe\u0001" }))).status).toBe(
      200,
    );
    expect((await answerTo(changed("sale", { email: "\uffff" }))).status).toBe(400);
    await stack.sqs.idle();
  });

  it("may name a charset with its type", async () => {
    expect(
      (await answerTo(body("sale"), { "content-type": "application/x-www-form-urlencoded; charset=UTF-8" })).status,
    ).toBe(200);
    await stack.sqs.idle();
  });

  it('sent by "Send test ping" changes nothing, and the log says what it would have done', async () => {
    const before = stack.auth0.calls.length;
    expect((await answerTo(body("test-ping"))).status).toBe(200);
    expect(await stack.sqs.inspect("ProvisionQueue")).toMatchObject({ waiting: [], inFlight: [] });
    expect(stack.auth0.calls).toHaveLength(before);
    expect(await lineWith("test ping")).toContain('"wouldGrant":["serverless-handbook"]');
  });

  it("is taken whatever is written into a field that only the log shows, and the line stays short", async () => {
    const long = "a".repeat(80_000);
    expect((await answerTo(`${body("sale")}&retry_count=${long}`)).status).toBe(200);
    expect((await answerTo(`${body("test-ping")}&product_id=${long}`)).status).toBe(200);
    expect((await answerTo(changed("test-ping", { product_id: long }))).status).toBe(200);
    expect((await lineWith(`"retry":"aaa`)).length).toBeLessThan(3_000);
    expect((await lineWith(`"product":"aaa`)).length).toBeLessThan(3_000);
    await stack.sqs.idle();
  });

  it("reaches only the declared routes and methods", async () => {
    expect((await answerTo(body("sale"), {}, "/ping/local/more")).status).toBe(401);
    expect((await fetch(`${stack.url}/ping/local`)).status).toBe(404);
  });

  it("with a custom field called email is a dead letter, and nobody gets the role", async () => {
    await deliver(stack,
      `${
        changed("sale", { email: "thief@example.com", sale_id: "typed==" })
      }&custom_fields%5Bemail%5D=thief%40example.com`);
    expect(await lastKept()).toMatchObject({ code: "EMAIL_TYPED" });
    expect(stack.auth0.users().map(({ email }) => email)).not.toContain("thief@example.com");
  });
});

describe("a ping token", () => {
  afterEach(async () => {
    stack.secrets.set("ping", LISTED);
    await stack.crash("ping");
  });

  it("can be changed without losing a ping: the new one works at once, the old one while it is listed", async () => {
    expect((await post(stack, body("sale"))).status).toBe(200);
    stack.secrets.set("ping", { tokens: ["new", "local"], seller_id: LOCAL_SELLER_ID });
    await stack.advance(10_000);
    expect(await answerTo(body("sale"), {}, "/ping/new")).toMatchObject({ status: 200 });
    expect((await post(stack, body("sale"))).status).toBe(200);
    stack.secrets.set("ping", { tokens: ["new"], seller_id: LOCAL_SELLER_ID });
    await stack.advance(5 * 60_000);
    expect((await post(stack, body("sale"))).status).toBe(401);
  });

  it("that is guessed costs one reading of the secret in ten seconds, however many guesses", async () => {
    await stack.crash("ping");
    const before = secretReadings;
    await stack.advance(60_000);
    const began = performance.now();
    for (let guess = 0; guess < 20; guess += 1) {
      expect(await answerTo(body("sale"), {}, `/ping/guess${String(guess)}`)).toMatchObject({ status: 401 });
    }
    const tens = Math.floor((performance.now() - began) / 10_000);
    expect(secretReadings - before).toBeLessThanOrEqual(2 + tens);
  });
});

describe("a ping that can't be stored", () => {
  it.each([
    ["the queue doesn't answer", "sqs SendMessage", (url: string) => `${url}/ping/local`, body("sale")],
    ["what should be kept can't be", "sqs SendMessage", (url: string) => `${url}/ping/local`, ""],
  ])("is 503, and no time-out of the function, when %s", async (_what, operation, urlOf, text) => {
    hanging = operation;
    const response = await fetch(urlOf(stack.url), { method: "POST", body: text,
      headers: { "content-type": "application/x-www-form-urlencoded" } });
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: "error",
      error: "This can't be answered just now. Try again in a minute." });
  });

  it("is 503 when the secret can't be read, is missing, or is broken: Gumroad then sends it again", async () => {
    await stack.crash("ping");
    const answerWith = async (secret: unknown) => {
      stack.secrets.set("ping", secret);
      // What is wrong with a secret is remembered for ten seconds.
      await stack.advance(10_000);
      return (await post(stack, body("sale"))).status;
    };
    expect(await answerWith(undefined)).toBe(503);
    expect(await answerWith('{"tokens": "local"')).toBe(503);
    expect(await answerWith({ tokens: [], seller_id: LOCAL_SELLER_ID })).toBe(503);
    expect(await answerWith(LISTED)).toBe(200);
  });
});

describe("the logs of all that", () => {
  it("hold no email, no token and no address", () => {
    expect(logged.length).toBeGreaterThan(20);
    for (const line of logged) {
      expect(line).not.toMatch(/@example|%40example|\/ping\/(local|wrong)|High St|\* 4242|%2A%204242/);
    }
  });
});

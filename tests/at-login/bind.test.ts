import { readFileSync } from "node:fs";

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { answerLogin, bindSecretShape, type AtLogin } from "../../src/at-login/bind.ts";
import type { MessageOf } from "../../src/queue/message.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { startTables, type Tables } from "../../local/aws/tables.ts";
import { readTemplate } from "../../local/aws/template.ts";
import { NeedsPersonError, TemporaryError } from "../../src/errors.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoLedger, type Ledger } from "../../src/ledger/ledger.ts";
import { newRecord, type BuyerRecord } from "../../src/ledger/record.ts";
import { readMessage } from "../../src/queue/message.ts";
import { charge, JAN_5, source } from "../access/purchases.ts";
import { httpEvent } from "../accounts/http-events.ts";

const spec = readTemplate(readFileSync("serverless.yml", "utf8"), { stage: "test" }).tables.filter(({ logicalId }) =>
  logicalId === "LedgerTable"
);
const policy = defineProducts([
  { id: "book", name: "Book", roles: ["reader"] },
  { id: "club", name: "Club", roles: ["member"] },
]);
const signal = new AbortController().signal;

let tables: Tables;
let ledger: Ledger;
let sent: { message: MessageOf<"bind">; id: string }[];
let current: Awaited<ReturnType<AtLogin["secret"]["get"]>>;
let rotated: Awaited<ReturnType<AtLogin["secret"]["get"]>>;
let rereads: number;
let atLogin: AtLogin;
let buyers = 0;
let email: string;

beforeAll(async () => {
  tables = await startTables(spec);
  ledger = dynamoLedger(
    ledgerTable(
      new DynamoDBClient({ endpoint: tables.url, region: "eu-west-1",
        credentials: { accessKeyId: "a", secretAccessKey: "b" }, maxAttempts: 1 }),
      spec[0]!.TableName!,
    ),
  );
});
afterAll(async () => {
  await tables.stop();
});
beforeEach(() => {
  buyers += 1;
  email = `buyer${String(buyers)}@example.com`;
  sent = [];
  current = { tokens: ["old", "new"] };
  rotated = null;
  rereads = 0;
  atLogin = { secret: { get: async () => Promise.resolve(current), reread: async () => {
    rereads += 1;
    return Promise.resolve(rotated ?? current ?? { tokens: [] });
  } }, load: (buyer) => ledger.load(buyer), queue: { send: async (message, id) => {
    sent.push({ message, id });
    return Promise.resolve();
  } }, policy, now: () => JAN_5 };
});

const login = (changes: Record<string, unknown> = {}) => ({ user_id: "google-oauth2|1", email, email_verified: true,
  ...changes });
const ask = async (body: unknown = login(), token = "Bearer new") =>
  answerLogin(httpEvent({ body, headers: { authorization: token } }), atLogin, signal);
const bought = async (changes: Partial<BuyerRecord> = {}) =>
  ledger.save({ ...newRecord(email), sources: { "sale:s1": source("book", [charge()]) }, ...changes });

describe("a login that is asked about", () => {
  it("is told what the email bought, and provision of the user it doesn't know", async () => {
    await bought({ users: { "auth0|1": { origin: "created", foreign: [], roles: { reader: "has" } } } });
    expect(await ask()).toEqual({ roles: ["reader"], pending: false });
    expect(sent).toEqual([{ message: { v: 1, kind: "bind", requestId: "request", buyer: email, spelling: null },
      id: expect.stringContaining("google-oauth2|1") }]);
    expect(readMessage(JSON.stringify(sent[0]?.message))).toMatchObject({ kind: "bind", buyer: email });
  });

  it("finds the buyer however Auth0 spells the email, and hands the spelling on", async () => {
    await bought();
    const spelled = email.replace("buyer", "Buyer");
    expect(await ask(login({ email: ` ${spelled}` }))).toEqual({ roles: ["reader"], pending: false });
    expect(sent[0]?.message).toMatchObject({ buyer: email, spelling: spelled });
  });

  it("sends nothing for a user that the record knows", async () => {
    await bought({ users: { "google-oauth2|1": { origin: "verified", foreign: [], roles: { reader: "has" } } },
      unverified: ["google-oauth2|1"] });
    expect(await ask()).toEqual({ roles: ["reader"], pending: false });
    expect(sent).toEqual([]);
  });

  it("is told nothing as a stranger, and fills no queue", async () => {
    expect(await ask()).toEqual({ roles: [], pending: false });
    expect(sent).toEqual([]);
  });

  it("is told nothing once the purchase was refunded", async () => {
    await bought({ sources: { "sale:s1": source("book", [charge({ refunded: true })]) } });
    expect(await ask()).toEqual({ roles: [], pending: false });
    expect(sent).toEqual([]);
  });

  it("keeps what is held until a person decides", async () => {
    const gone = { "sale:s1": source("book", [charge({ refunded: true })]),
      "sale:s2": source("club", [charge({ saleId: "s2" })]) } as const;
    await bought({ sources: gone, gave: { "sale:s1": ["reader"], "sale:s2": ["member"] },
      held: { "sale:s1": JAN_5 } });
    expect(await ask()).toEqual({ roles: ["member", "reader"], pending: false });
  });

  it.each([
    { who: "seen unverified", userId: "google-oauth2|squatter", unverified: ["google-oauth2|squatter"] },
    { who: "with a password that somebody else may have chosen", userId: "auth0|squatter", unverified: [] },
  ])("is told nothing yet of a user $who, until provision has looked", async ({ userId, unverified }) => {
    await bought({ unverified });
    expect(await ask(login({ user_id: userId }))).toEqual({ roles: [], pending: true });
    expect(sent).toHaveLength(1);
    await ledger.save({ ...(await ledger.load(email)),
      users: { [userId]: { origin: "verified", foreign: [], roles: { reader: "has" } } } });
    expect(await ask(login({ user_id: userId }))).toEqual({ roles: ["reader"], pending: false });
  });
});

describe("the token", () => {
  it.each(["Bearer old", "Bearer new", "bearer new"])("may be any of the secret's: %s", async (token) => {
    expect(await ask(login(), token)).toEqual({ roles: [], pending: false });
    expect(rereads).toBe(0);
  });

  it.each(["Bearer wrong", "Bearer ", "Basic new", "new", ""])("is refused when it is %j", async (token) => {
    await bought();
    await expect(ask(login(), token)).rejects.toMatchObject({ statusCode: 401,
      headers: { "WWW-Authenticate": expect.stringContaining("Bearer") } });
    expect(sent).toEqual([]);
  });

  it("is found by reading the secret again when it was just rotated", async () => {
    rotated = { tokens: ["newest"] };
    expect(await ask(login(), "Bearer newest")).toEqual({ roles: [], pending: false });
    expect(rereads).toBe(1);
  });

  it("is refused while the secret has no value, without an alarm", async () => {
    current = null;
    await expect(ask()).rejects.toMatchObject({ statusCode: 401 });
  });

  it("needs a secret with at least one token", () => {
    expect(bindSecretShape.safeParse({ tokens: ["a"] }).success).toBe(true);
    expect(bindSecretShape.safeParse({ tokens: [] }).success).toBe(false);
    expect(bindSecretShape.safeParse({ tokens: [""] }).success).toBe(false);
  });
});

describe("the body", () => {
  it.each([
    ["an unverified email", { email_verified: false }],
    ["an email that nobody says is verified", { email_verified: undefined }],
    ["a verified email as text", { email_verified: "true" }],
    ["no user", { user_id: "" }],
    ["an endless user", { user_id: `auth0|${"1".repeat(250)}` }],
    ["no email", { email: undefined }],
    ["something that is no email", { email: "ann" }],
    ["an email that lower case makes another's", { email: "\u212Aim@example.com" }],
    ["an endless email", { email: `${"a".repeat(250)}@example.com` }],
  ])("is refused with %s", async (_what, changes) => {
    await bought();
    await expect(ask(login(changes))).rejects.toMatchObject({ statusCode: 400 });
    expect(sent).toEqual([]);
  });

  it.each(["", "null", "[]", "{", "roles=1"])("is refused when it is %j", async (body) => {
    await expect(ask(body)).rejects.toMatchObject({ statusCode: 400 });
  });

  it("is refused above 8 KB, and never quoted", async () => {
    await expect(ask(login({ more: "x".repeat(8_192) }))).rejects.toMatchObject({ statusCode: 413 });
    await expect(ask(`{"email":"${email}"`)).rejects.not.toThrow(email);
  });
});

describe("what is away", () => {
  it.each([
    ["the secret",
      () => ({
        secret: { ...atLogin.secret, get: async () =>
          Promise.reject(new NeedsPersonError("SECRET_INVALID", "mend it")) },
      })],
    ["the ledger", () => ({ load: async () => Promise.reject(new TemporaryError("LEDGER_UNREACHABLE", "away")) })],
    ["the queue",
      () => ({ queue: { send: async () => Promise.reject(new TemporaryError("QUEUE_UNREACHABLE", "away")) } })],
  ])("is told as such, and the next login asks again: %s", async (_what, without) => {
    await bought();
    atLogin = { ...atLogin, ...without() };
    await expect(ask()).rejects.toMatchObject({ code: expect.stringMatching(/_UNREACHABLE$|^SECRET_INVALID$/) });
  });
});

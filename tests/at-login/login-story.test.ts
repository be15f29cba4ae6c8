/**
 * Logging in by another button than the one of the purchase, from the Action to the role: everything real but Lambda
 * and SQS.
 */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { auth0Directory } from "../../src/auth0/directory.ts";
import { auth0SecretShape } from "../../src/auth0/secret.ts";
import { answerLogin } from "../../src/at-login/bind.ts";
import { compiledAction } from "../../scripts/tenant-build.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import { startTables, type Tables } from "../../local/aws/tables.ts";
import { readTemplate } from "../../local/aws/template.ts";
import { close, listen, readRequest, send } from "emulator-server/json-server";
import { HttpError } from "../../src/http/errors.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { newRecord } from "../../src/ledger/record.ts";
import { storeOn, type Provisioning } from "../../src/provisioning/context.ts";
import { provisionBuyer } from "../../src/provisioning/provision.ts";
import { readMessage, type Message } from "../../src/queue/message.ts";
import { charge, source } from "../access/purchases.ts";
import { httpEvent } from "../accounts/http-events.ts";
import { loadAction, loginApi, loginEvent } from "../tenant/login-doubles.ts";

const CLAIM = "https://shop.test/roles";
const email = "ann@shop.test";
const policy = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }]);
const signal = new AbortController().signal;
const spec = readTemplate(readFileSync("serverless.yml", "utf8"), { stage: "test" }).tables.filter(({ logicalId }) =>
  logicalId === "LedgerTable"
);
const table = spec[0]!.TableName!;

let tables: Tables;
let auth0: Auth0Emulator;
let server: Server;
let bindUrl: string;
let code: string;
let work: Provisioning;
/** The queue, as text. */
let queued: string[];
let asked: number;

beforeAll(async () => {
  [tables, auth0, code] = await Promise.all([startTables(spec), startAuth0Emulator({ roles: ["reader"] }),
    compiledAction()]);
  const dynamo = new DynamoDBClient({ endpoint: tables.url, region: "eu-west-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" }, maxAttempts: 1 });
  const store = storeOn(ledgerTable(dynamo, table));
  const { ledger } = store;
  const credentials = async () =>
    Promise.resolve(
      auth0SecretShape.parse({ domain: auth0.url, client_id: "local-client", client_secret: "local-secret" }),
    );
  const tokens = async () => Promise.resolve({ tokens: ["bind-token"] });
  const queue = { send: async (message: Message) => {
    queued.push(JSON.stringify(message));
    return Promise.resolve();
  }, keep: async () => Promise.resolve(), retryIn: async () => Promise.resolve() };
  work = { store, auth0: auth0Directory({ secret: { get: credentials, reread: credentials } }),
    gumroad: async () => Promise.resolve(null), queue, policy, settings: { place: "roles", gettingIn: "none" },
    now: Date.now, signal };
  server = createServer((request, response) => {
    asked += 1;
    void readRequest(request).then(async ({ body, headers }) => {
      const binding = { secret: { get: tokens, reread: tokens }, load: ledger.load, queue, policy, now: Date.now };
      try {
        send(response, { status: 200, body: await answerLogin(httpEvent({ body, headers }), binding, signal) });
      } catch (error) {
        send(response, { status: error instanceof HttpError ? error.statusCode : 500, body: {} });
      }
    });
  });
  bindUrl = await listen(server, 0);
});
afterAll(async () => {
  await Promise.all([tables.stop(), auth0.stop(), close(server)]);
});
beforeEach(async () => {
  queued = [];
  asked = 0;
  auth0.reset();
  await tables.clear(table);
});

/** The purchase, and the user with a password that comes of it. */
async function buy(): Promise<void> {
  await work.store.ledger.save({ ...newRecord(email), sources: { "sale:s1": source("book", [charge()]) } });
  await provisionBuyer(email, [{ v: 1, kind: "due", requestId: "r", buyer: email }], work);
}

async function provisionQueued(): Promise<void> {
  for (const body of queued.splice(0)) {
    const message = readMessage(body);
    await provisionBuyer(message.buyer, [message], work);
  }
}

function userOf(userId: string) {
  return auth0.users().find(({ user_id }) => user_id === userId);
}

/** A login of a user of the tenant: the roles in the token, and the user's `app_metadata` after it. */
async function logIn(userId: string, metadata: unknown = {}) {
  const user = userOf(userId);
  const api = loginApi(metadata);
  const action = loadAction(code, { now: Date.now, onLog: () => undefined });
  const secrets = { ROLES_CLAIM: CLAIM, BIND_URL: bindUrl, BIND_TOKEN: "bind-token" };
  await action(
    loginEvent({ secrets, roles: user?.roles,
      user: { user_id: userId, email: user?.email, email_verified: user?.email_verified, app_metadata: metadata } }),
    api,
  );
  return { roles: api.claims[CLAIM], metadata: api.metadata };
}

describe("somebody who bought with a password and logs in by Google", () => {
  it("has the role in that very token, and as their own once provision was told", async () => {
    await buy();
    const { user_id: google } = auth0.addUser({ email, verified: true, connection: "google-oauth2" });
    const first = await logIn(google);
    expect(first.roles).toEqual(["reader"]);
    expect(userOf(google)?.roles).toEqual([]);

    await provisionQueued();
    expect(userOf(google)?.roles).toEqual(["reader"]);
    expect(await logIn(google, first.metadata)).toMatchObject({ roles: ["reader"] });
    expect(asked).toBe(1);
    expect(auth0.users()).toHaveLength(2);
  });

  it("has nothing while Google doesn't call the email verified", async () => {
    await buy();
    const { user_id: google } = auth0.addUser({ email, verified: false, connection: "google-oauth2" });
    expect(await logIn(google)).toEqual({ roles: undefined, metadata: {} });
    expect(queued).toEqual([]);
  });
});

describe("a stranger who logs in", () => {
  it("has no role, and fills no queue", async () => {
    const { user_id: google } = auth0.addUser({ email: "bo@shop.test", verified: true, connection: "google-oauth2" });
    expect(await logIn(google)).toMatchObject({ roles: [] });
    expect(queued).toEqual([]);
  });
});

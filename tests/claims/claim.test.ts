import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { GumroadEmulator } from "gumroad-emulator";
import { startGumroadEmulator } from "gumroad-emulator";
import type { Order } from "gumroad-emulator/order";

import type { SourceId } from "../../src/access/facts.ts";
import { createThrottle, throttleRules } from "../../src/accounts/throttle.ts";
import { TokenRefused } from "../../src/accounts/errors.ts";
import type { Identity } from "../../src/accounts/identity.ts";
import { accountsTable, type User } from "../../src/accounts/users.ts";
import { type Claiming, claimCall, requestsCall } from "../../src/claims/claim.ts";
import { linkedRoles } from "../../src/claims/linked.ts";
import { TemporaryError } from "../../src/errors.ts";
import { httpHandler } from "../../src/http/handler.ts";
import { newRecord, type BuyerRecord } from "../../src/ledger/record.ts";
import { log } from "../../src/log.ts";
import type { MessageOf } from "../../src/queue/message.ts";
import policy from "../../fixtures/policy.ts";
import { act, charge, reading, source } from "../access/purchases.ts";
import { Clock, type LocalTable, localTable } from "../accounts/accounts-stage.ts";
import { send } from "../accounts/http-events.ts";

const HANDBOOK = "zGyG_1JQunZuizwqd9CP7g==";
const CLUB = "wg2b8FhyMUKaJ6Eo3PrR5g==";
const BUNDLE = "zdLk8Uz-AIidbazwzX2EkA==";
const KEY = "0A1B2C3D-4E5F6A7B-8C9D0E1F-2A3B4C5D";

const people: Readonly<Record<string, Identity>> = {
  bo: { issuer: "auth0", subject: "auth0|bo", roles: [], email: "Bo@Example.com" },
  ro: { issuer: "auth0", subject: "auth0|ro", roles: [], email: "ro@example.com" },
  lu: { issuer: "own", subject: "lu", roles: [] },
  una: { issuer: "auth0", subject: "auth0|una", roles: [] },
  cy: { issuer: "own", subject: "cy", roles: [] },
  di: { issuer: "own", subject: "di", roles: [] },
};

let shop: GumroadEmulator;
let table: LocalTable;
let clock: Clock;
let sent: MessageOf<"claim">[];
let noted: string[];
let owners: Map<SourceId, string>;
let records: Map<string, BuyerRecord>;
/** How much an account may claim. */
let places: number;
/** How long each answer waited (ms). */
let waited: number[];
let lines: unknown[];
let networks = 0;

beforeAll(async () => {
  [shop, table] = await Promise.all([startGumroadEmulator({ deliver: () => Promise.resolve(200) }), localTable()]);
});
afterAll(async () => {
  await Promise.all([shop.stop(), table.close()]);
});
beforeEach(() => {
  [clock, sent, noted, owners, records, waited, lines] = [new Clock(), [], [], new Map(), new Map(), [], []];
  places = 20;
  networks += 1;
  for (const level of ["info", "warn", "error"] as const) {
    jest.spyOn(log, level).mockImplementation((...line) => void lines.push(line));
  }
});
afterEach(() => {
  expect(JSON.stringify([sent, noted, lines])).not.toContain(KEY.slice(0, 8));
  jest.restoreAllMocks();
});

const ledger = { owner: async (id: SourceId) => owners.get(id) ?? null,
  load: async (email: string) => records.get(email) ?? newRecord(email) };
const userOf = (username: string, ...claims: string[]): User => ({ username, createdAt: "", passwordHash: "",
  claims: new Set(claims) });

function claiming(changes: Partial<Claiming> = {}): Claiming {
  return { verify: async (token) => {
    const identity = people[token];
    if (identity === undefined) throw new TokenRefused("The token is not valid");
    return identity;
  }, ownIssuer: "own", throttle: createThrottle({ table: accountsTable(table.client, table.name), now: clock.now }),
    users: { find: async (name) => userOf(name, ...noted.map((line) => line.split(" ")[1] ?? "")),
      note: async (name, change, ids) => {
        const lines_ = ids.map((id) => `${name} ${id}`);
        if (change === "DELETE") noted = noted.filter((line) => !lines_.includes(line));
        else if (noted.length < places) noted.push(...lines_);
        else return false;
        return true;
      } }, ledger, queue: { send: async (message) => void sent.push(message) }, policy, api: shop.apiUrl,
    now: clock.now, wait: async (ms) => void waited.push(ms), ...changes };
}

const call = (who: string | null, body: unknown, changes: Partial<Claiming> = {}) =>
  send(httpHandler(claimCall(claiming(changes))), { body, sourceIp: `10.0.${String(networks)}.1`,
    ...(who === null ? {} : { headers: { authorization: `Bearer ${who}` } }) });

function sell(order: Partial<Order> = {}, key = KEY): string {
  const { sale } = shop.sell({ product: HANDBOOK, email: "ann@example.com", ids: { licenseKey: key }, ...order });
  owners.set(`sale:${sale.id}`, "ann@example.com");
  return sale.id;
}

/** Keys are of one sale each. */
let keys = 0;
const newKey = (): string => {
  keys += 1;
  return `${KEY}-${String(keys)}`;
};

describe("POST /claim", () => {
  it("tells the owner's group which sale the key is of, and by whom it was shown", async () => {
    const key = newKey();
    const saleId = sell({}, key);
    expect(await call("bo", { licenseKey: ` ${key} ` })).toMatchObject({ status: 202, body: { status: "received" } });
    expect(sent).toEqual([{ v: 1, kind: "claim", requestId: "request", buyer: "ann@example.com", hops: 0, saleId,
      under: null, by: "email:bo@example.com", at: clock.now(), decided: null }]);
    expect(noted).toEqual([]);
  });

  it("notes with an account of the self-built login where to look for the purchase", async () => {
    const key = newKey();
    const saleId = sell({}, key);
    await call("cy", { licenseKey: key });
    expect(noted).toEqual([`cy sale:${saleId}`]);
    expect(sent).toMatchObject([{ by: "name:cy", saleId }]);
  });

  it("finds a membership by its subscription, and names the sale that the key is of", async () => {
    const key = newKey();
    const { sale, subscription } = shop.sell({ product: CLUB, email: "ann@example.com", tier: "Basic",
      ids: { licenseKey: key } });
    owners.set(`subscription:${subscription?.id ?? ""}`, "ann@example.com");
    await call("cy", { licenseKey: key });
    expect(noted).toEqual([`cy subscription:${subscription?.id ?? ""}`]);
    expect(sent).toMatchObject([{ saleId: sale.id, under: `subscription:${subscription?.id ?? ""}` }]);
  });

  it("goes by nothing that a buyer can type into a custom field", async () => {
    const [theirs, key] = [newKey(), newKey()];
    const victim = sell({}, theirs);
    const saleId = sell({ email: "eve@example.com",
      customFields: [["sale_id", victim], ["email", "ann@example.com"], ["id", victim]] }, key);
    await call("bo", { licenseKey: key });
    expect(sent).toMatchObject([{ saleId }]);
  });

  it("counts no use of the key", async () => {
    const key = newKey();
    sell({}, key);
    await call("bo", { licenseKey: key });
    expect(shop.sales.at(-1)?.license?.uses).toBe(0);
  });

  it("answers good, unknown, switched-off and unsold keys alike, after the same time", async () => {
    const [good, off, unknownSale] = [newKey(), newKey(), newKey()];
    sell({}, good);
    shop.disableLicense(sell({}, off));
    owners.delete(`sale:${sell({}, unknownSale)}`);
    const answers = [];
    for (const licenseKey of [good, off, unknownSale, "no-such-key"]) answers.push(await call("bo", { licenseKey }));

    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(waited).toEqual([3_000, 3_000, 3_000, 3_000]);
    expect(sent.map(({ buyer, saleId }) => [buyer, saleId !== ""])).toEqual([["ann@example.com", true], ["", false], [
      "",
      false,
    ], ["", false]]);
  });

  const away = async () => Promise.reject(new TemporaryError("AWAY", "away"));
  it.each<{ what: string; changes: () => Partial<Claiming> }>([
    { what: "Gumroad is away", changes: () => ({ api: "http://127.0.0.1:1/v2" }) },
    { what: "Gumroad doesn't answer in time", changes: () => {
      jest.spyOn(AbortSignal, "timeout").mockImplementation((ms) =>
        ms === 1_500 ? AbortSignal.abort() : new AbortController().signal
      );
      return {};
    } },
    { what: "the ledger is away", changes: () => ({ ledger: { ...ledger, owner: away } }) },
    { what: "the queue takes nothing", changes: () => ({ queue: { send: away } }) },
  ])("answers good and unknown keys alike, and after the same time, while $what", async ({ changes }) => {
    const good = newKey();
    sell({}, good);
    for (const who of ["bo", "di"]) {
      const broken = changes();
      const answers = [];
      for (const licenseKey of [good, "no-such-key"]) answers.push(await call(who, { licenseKey }, broken));
      expect(answers[0]).toMatchObject({ status: 503, headers: { "Retry-After": "60" } });
      expect(answers[1]).toEqual(answers[0]);
    }
    expect(waited).toEqual([3_000, 3_000, 3_000, 3_000]);
  });

  it("says in the log that an account claims all it can, and gives what was refused up for what is new", async () => {
    places = 2;
    const keys_ = [newKey(), newKey(), newKey(), newKey()];
    const [first, second, third] = keys_.map((key) => sell({}, key));
    for (const licenseKey of keys_.slice(0, 3)) await call("cy", { licenseKey });
    expect(noted).toEqual([`cy sale:${first ?? ""}`, `cy sale:${second ?? ""}`]);
    expect(sent.map(({ buyer }) => buyer)).toEqual(["ann@example.com", "ann@example.com", ""]);
    expect(lines).toContainEqual([expect.stringContaining("an account claims so much"), { requestId: "request" }]);

    records.set("ann@example.com", { ...newRecord("ann@example.com"), claims: [
      { source: `sale:${first ?? ""}`, by: "name:cy", at: 1, state: "refused" },
      { source: `sale:${second ?? ""}`, by: "name:cy", at: 1, state: "asked" },
    ] });
    clock.forward(3_600);
    expect((await call("cy", { licenseKey: keys_[2] })).status).toBe(202);
    expect(noted).toEqual([`cy sale:${second ?? ""}`, `cy sale:${third ?? ""}`]);
    expect(sent.at(-1)).toMatchObject({ buyer: "ann@example.com", saleId: third });
  });

  it("answers no sooner than that time, whatever was found", async () => {
    let let_ = (): void => undefined;
    const wait = () => new Promise<void>((resolve) => (let_ = resolve));
    const answer = call("bo", { licenseKey: "no-such-key" }, { wait });
    let isAnswered = false;
    void answer.then(() => (isAnswered = true));
    const calls = shop.calls.length;
    while (shop.calls.length < calls + policy.size) await new Promise((resolve) => setImmediate(resolve));
    expect(isAnswered).toBe(false);
    let_();
    expect((await answer).status).toBe(202);
  });

  it.each([
    { who: null, body: { licenseKey: KEY }, status: 401 },
    { who: "stranger", body: { licenseKey: KEY }, status: 401 },
    { who: "una", body: { licenseKey: KEY }, status: 403 },
    { who: "bo", body: {}, status: 400 },
    { who: "bo", body: { licenseKey: "" }, status: 400 },
    { who: "bo", body: { licenseKey: "x".repeat(101) }, status: 400 },
    { who: "bo", body: "{", status: 400 },
  ])("answers $status to $body from $who, and asks nobody", async ({ who, body, status }) => {
    const before = shop.calls.length;
    expect(await call(who, body)).toMatchObject({ status, body: { status: "error" } });
    expect(shop.calls).toHaveLength(before);
  });

  it("tells who has no verified email what to do, be it theirs or the seller's to mend", async () => {
    expect((await call("una", { licenseKey: KEY })).body).toMatchObject({
      error: expect.stringMatching(
        /^Verify your email first.*If it is verified, tell the seller that the access token lacks/,
      ),
    });
  });

  it("takes one address for one person, however it is spelled", async () => {
    const key = newKey();
    sell({}, key);
    for (const email of ["BO@example.com", " bo@EXAMPLE.com "]) {
      await call("bo", { licenseKey: key }, {
        verify: async () => ({ issuer: "auth0", subject: "x", roles: [], email }),
      });
    }
    expect(sent.map(({ by }) => by)).toEqual(["email:bo@example.com", "email:bo@example.com"]);
    for (const email of ["bo@exa\u200bmple.com", "bo@e\u212Aample.com", "bo@e\u03F4ample.com", "bo",
      "bo@example.com,may@example.com"]) {
      const verify = async () => ({ issuer: "auth0", subject: "x", roles: [], email });
      expect((await call("bo", { licenseKey: key }, { verify })).status).toBe(403);
    }
  });

  it("is throttled by account and network, good keys or not, and asks Gumroad no more", async () => {
    const { free } = throttleRules.userAndNetwork;
    for (let nth = 0; nth < free; nth += 1) expect((await call("ro", { licenseKey: "guess" })).status).toBe(202);
    const before = shop.calls.length;
    expect(await call("ro", { licenseKey: "guess" })).toMatchObject({ status: 429, headers: { "Retry-After": "2" } });
    expect(shop.calls).toHaveLength(before);
    expect((await call("lu", { licenseKey: "guess" })).status).toBe(202);
    clock.forward(2);
    expect((await call("ro", { licenseKey: "guess" })).status).toBe(202);
  });
});

describe("GET /claim", () => {
  const requests = (who: string) =>
    send(httpHandler(requestsCall(claiming())), { headers: { authorization: `Bearer ${who}` } });
  const at = Date.parse("2026-01-06T00:00:00Z");

  it("tells an owner who is asked for what, and nobody's name", async () => {
    records.set("bo@example.com", { ...newRecord("bo@example.com"),
      sources: { "sale:s1": source(HANDBOOK, [charge()]) },
      claims: [{ source: "sale:s1", by: "email:eve@example.com", at, state: "asked" }, { source: "sale:s1",
        by: "email:may@example.com", at, state: "refused" }] });
    expect(await requests("bo")).toMatchObject({ status: 200,
      body: { requests: [{ product: "Serverless Handbook", at: "2026-01-06T00:00:00.000Z" }], links: [] } });
  });

  it("tells an owner which purchases accounts of the other login use, and not what was moved away", async () => {
    records.set("bo@example.com", { ...newRecord("bo@example.com"),
      sources: { "sale:s1": source(HANDBOOK, [charge()]),
        "sale:s2": source(CLUB, [charge()], { act: act(0, { kind: "move", to: "may@example.com" }) }) },
      claims: [{ source: "sale:s1", by: "name:cy", at, state: "granted" }, { source: "sale:s2", by: "name:cy", at,
        state: "granted" }, { source: "sale:s1", by: "email:bo@example.com", at, state: "asked" }] });
    expect((await requests("bo")).body).toEqual({ requests: [],
      links: [{ product: "Serverless Handbook", at: "2026-01-06T00:00:00.000Z" }] });
  });

  it("tells an account so of what it was granted, and of nothing else", async () => {
    noted = ["cy sale:s1", "cy sale:s2"];
    for (const [id, by] of [["s1", "name:cy"], ["s2", "name:di"]] as const) {
      owners.set(`sale:${id}`, `${id}@example.com`);
      records.set(`${id}@example.com`, { ...newRecord(`${id}@example.com`),
        sources: { [`sale:${id}`]: source(HANDBOOK, [charge({ saleId: id })]) },
        claims: [{ source: `sale:${id}`, by, at, state: "granted" }, { source: `sale:${id}`, by: "name:eve", at,
          state: "asked" }] });
    }
    expect((await requests("cy")).body).toEqual({
      requests: [{ product: "Serverless Handbook", at: "2026-01-06T00:00:00.000Z" }],
      links: [],
    });
  });

  it("is empty for everybody else", async () => {
    expect((await requests("bo")).body).toEqual({ requests: [], links: [] });
    expect(await requests("una")).toMatchObject({ status: 403 });
  });
});

describe("the roles of an account", () => {
  const roles = linkedRoles({ ledger, policy, now: () => clock.now() });
  const granted = (id: SourceId, changes: Partial<BuyerRecord>) => {
    owners.set(id, "ann@example.com");
    records.set("ann@example.com", { ...newRecord("ann@example.com"),
      claims: [{ source: id, by: "name:cy", at: 1, state: "granted" }], ...changes });
  };

  it("are what the purchase gives now: none once it is refunded", async () => {
    granted("sale:s1", { sources: { "sale:s1": source(HANDBOOK, [charge()]), "sale:s2": source(CLUB, [charge()]) } });
    expect(await roles(userOf("cy", "sale:s1"))).toEqual(["serverless-handbook"]);
    granted("sale:s1", { sources: { "sale:s1": source(HANDBOOK, [charge({ refunded: true })]) } });
    expect(await roles(userOf("cy", "sale:s1"))).toEqual([]);
  });

  it("are what came with a bundle, and what a held purchase gives on", async () => {
    granted("sale:s1", {
      sources: { "sale:s1": source(BUNDLE, [charge({ read: reading(1, { bundle: "bundle" }) })]),
        "sale:c1": source(HANDBOOK, [
          charge({ saleId: "c1", priceCents: 0, read: reading(1, { bundle: "child" }) }),
        ]) },
    });
    expect(await roles(userOf("cy", "sale:s1"))).toEqual(["serverless-handbook"]);
    granted("sale:s1", { sources: { "sale:s1": source(HANDBOOK, [charge({ refunded: true })]) },
      gave: { "sale:s1": ["serverless-handbook"] }, held: { "sale:s1": 1 } });
    expect(await roles(userOf("cy", "sale:s1"))).toEqual(["serverless-handbook"]);
  });

  it.each([
    { why: "only asked for it", claims: [{ source: "sale:s1", by: "name:cy", at: 1, state: "asked" }] },
    { why: "somebody else has", claims: [{ source: "sale:s1", by: "name:di", at: 1, state: "granted" }] },
    { why: "an email has", claims: [{ source: "sale:s1", by: "email:cy", at: 1, state: "granted" }] },
    { why: "nobody has", claims: [] },
  ] as const)("are none for a purchase that it $why", async ({ claims }) => {
    granted("sale:s1", { sources: { "sale:s1": source(HANDBOOK, [charge()]) }, claims });
    expect(await roles(userOf("cy", "sale:s1"))).toEqual([]);
  });

  it("are none for a purchase that went to another buyer since, and for an account that claims nothing", async () => {
    granted("sale:s1", { sources: { "sale:s1": source(HANDBOOK, [charge()]) } });
    owners.set("sale:s1", "may@example.com");
    expect(await roles(userOf("cy", "sale:s1"))).toEqual([]);
    expect(await roles({ username: "cy", createdAt: "", passwordHash: "" })).toEqual([]);
  });

  it("are none, and no failed login, while the ledger is away", async () => {
    const away = async () => Promise.reject(new TemporaryError("LEDGER_UNREACHABLE", "away"));
    expect(await linkedRoles({ ledger: { ...ledger, owner: away }, policy })(userOf("cy", "sale:s1"))).toEqual([]);
    const broken = async () => Promise.reject(new Error("a bug"));
    await expect(linkedRoles({ ledger: { ...ledger, owner: broken }, policy })(userOf("cy", "sale:s1"))).rejects
      .toThrow("a bug");
  });
});

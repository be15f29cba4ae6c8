import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from "@jest/globals";

import { startGumroadEmulator, type GumroadEmulator } from "gumroad-emulator";
import type { FaultAnswer } from "emulator-server/faults";
import { gumroadApi, type GumroadApi, type GumroadApiOptions } from "../../src/gumroad/api.ts";
import { gumroadSecretShape } from "../../src/gumroad/secret.ts";
import { causesOf, log } from "../../src/log.ts";
import { BUNDLE, CLUB, DATAVIZ, DAY, HANDBOOK, MASTERCLASS,
  START } from "../../packages/gumroad-emulator/tests/listening-shop.ts";

const TOKEN = "local-gumroad-token";
const signal = new AbortController().signal;
const seeded = { id: "seeded==", product_id: HANDBOOK, created_at: "2026-01-05T19:38:56Z",
  purchase_email: "ann@example.com", price: 4900 };

let shop: GumroadEmulator;
let token: string;
let failures: string[];
let refused: number;
let api: GumroadApi;

beforeAll(async () => {
  shop = await startGumroadEmulator({ now: () => START, deliver: () => 200 });
});
afterAll(async () => {
  await shop.stop();
});
beforeEach(() => {
  shop.reset();
  token = TOKEN;
  failures = [];
  refused = 0;
  api = apiWith();
});
afterEach(() => {
  jest.restoreAllMocks();
});

function apiWith(options: Partial<GumroadApiOptions> = {}): GumroadApi {
  return gumroadApi({ secret: secretBy(() => void (refused += 1)), onFailure: (code) => failures.push(code),
    ...options });
}
/** The secret of the moment; `refused` comes before it is read again. */
const secretBy = (refused: () => void): GumroadApiOptions["secret"] => {
  const get = async () =>
    Promise.resolve(
      gumroadSecretShape.parse({ access_token: token, seller_id: shop.sellerId, api: `${shop.apiUrl}/` }),
    );
  return { get, reread: async () => {
    refused();
    return get();
  } };
};
const answering = (body: string) => apiWith({ fetch: async () => Promise.resolve(new Response(body)) });
const failureOf = async (reading: Promise<unknown>) =>
  reading.then(() => "no failure", (error: unknown) => causesOf(error).join("; "));

type Page<T> = { readonly rows: readonly T[]; readonly next: string | null };
async function everyRow<T>(page: (key: string | null) => Promise<Page<T>>): Promise<{ rows: T[]; pages: number }> {
  const rows: T[] = [];
  let key: string | null = null;
  let pages = 0;
  do {
    const { rows: more, next }: Page<T> = await page(key);
    rows.push(...more);
    key = next;
    pages += 1;
  } while (key !== null);
  return { rows, pages };
}

describe("a sale", () => {
  it("is read with the purchase's email, its choices in order, and what is missing as no", async () => {
    const { sale } = shop.sell({ product: HANDBOOK, email: "Ann@Example.com", accountEmail: "home@example.com" });
    expect(await api.sale(sale.id, signal)).toEqual({ id: sale.id, productId: HANDBOOK, email: "ann@example.com",
      spelling: "Ann@Example.com", soldAt: START, priceCents: sale.priceCents, variants: [], recurrence: null,
      subscriptionId: null, recurring: false, preorder: false, gift: "none", giftee: null, gifter: null,
      refunded: false, partlyRefunded: false, disputed: false, disputeWon: false, bundle: "none", accessRevoked: null,
      dead: false, gone: false });
    expect(shop.calls.at(-1)).toMatchObject({ url: `/sales/${encodeURIComponent(sale.id)}` });
    expect(failures).toEqual([]);
  });

  it("says whether the seller took access away, where it says so at all", async () => {
    const { sale } = shop.sell({ product: HANDBOOK, email: "ann@example.com" });
    shop.revokeAccess(sale);
    expect(await api.sale(sale.id, signal)).toMatchObject({ accessRevoked: true });
    shop.restoreAccess(sale);
    expect(await api.sale(sale.id, signal)).toMatchObject({ accessRevoked: false });
    const month = shop.sell({ product: CLUB, email: "ann@example.com" }).sale;
    expect(await api.sale(month.id, signal)).toMatchObject({ accessRevoked: null });
  });

  it("of a bundle tells what is in it now, of anything else nothing", async () => {
    expect(await api.contents("zdLk8Uz-AIidbazwzX2EkA==", signal)).toEqual([HANDBOOK, "Z7kcrf7WgiSjiBnsGYi45w=="]);
    expect(await api.contents(HANDBOOK, signal)).toEqual([]);
    expect(await api.contents("nothing", signal)).toEqual([]);
  });

  it("is refunded in part or whole, disputed, and won back", async () => {
    const one = shop.sell({ product: HANDBOOK, email: "ann@example.com" }).sale;
    shop.refund(one, { partial: true });
    expect(await api.sale(one.id, signal)).toMatchObject({ refunded: false, partlyRefunded: true });
    shop.refund(one);
    expect(await api.sale(one.id, signal)).toMatchObject({ refunded: true, partlyRefunded: false });
    const two = shop.sell({ product: HANDBOOK, email: "ann@example.com" }).sale;
    shop.dispute(two);
    expect(await api.sale(two.id, signal)).toMatchObject({ disputed: true, disputeWon: false });
    shop.disputeWon(two);
    expect(await api.sale(two.id, signal)).toMatchObject({ disputed: true, disputeWon: true });
  });

  it("is dead once its membership ended, not while a cancellation waits", async () => {
    const { sale, subscription } = shop.sell({ product: CLUB, email: "eve@example.com", tier: "Premium" });
    shop.cancel(subscription!);
    expect(await api.sale(sale.id, signal)).toMatchObject({ dead: false, subscriptionId: subscription!.id,
      recurrence: "monthly", recurring: false, variants: [["Tier", "Premium"]] });
    await shop.advance(31 * DAY);
    expect(await api.sale(sale.id, signal)).toMatchObject({ dead: true });
  });

  it("is one half of a gift, a bundle, or a product of one", async () => {
    const { sale, receiver } = shop.sell({ product: HANDBOOK, email: "dee@example.com",
      gift: { to: "Cy@example.com" } });
    expect(await api.sale(sale.id, signal)).toMatchObject({ gift: "given", email: "dee@example.com",
      giftee: "cy@example.com", gifter: null });
    expect(await api.sale(receiver!.id, signal)).toMatchObject({ gift: "received", email: "cy@example.com",
      giftee: null, gifter: "dee@example.com" });
    const bundle = shop.sell({ product: BUNDLE, email: "ann@example.com" });
    expect(await api.sale(bundle.sale.id, signal)).toMatchObject({ bundle: "bundle" });
    expect(await api.sale(bundle.children[0]!.id, signal)).toMatchObject({ bundle: "child" });
  });

  it.each([
    ["the account's email where there is no other", { purchase_email: undefined, email: "Home@example.com" }, {
      email: "home@example.com",
    }],
    ["a giver by the receiver's email alone, even one that is none", { giftee_email: "nobody" }, { gift: "given",
      giftee: null }],
    ["a preorder's authorization", { is_preorder_authorization: true }, { preorder: true }],
    ["a dispute by `chargedback` alone", { chargedback: true }, { disputed: true, disputeWon: false }],
    ["an open dispute where nothing says that it is won", { disputed: true }, { disputed: true, disputeWon: false }],
    ["no choices in an empty text", { variants: "" }, { variants: [] }],
    ["choices of any name, sorted", { variants: JSON.parse('{"b":"2","a":"1","__proto__":"3"}') }, {
      variants: [["__proto__", "3"], ["a", "1"], ["b", "2"]],
    }],
  ])("tells %s", async (_, fields, expected) => {
    shop.seed({ sales: [{ ...seeded, ...fields }] });
    expect(await api.sale(seeded.id, signal)).toMatchObject(expected);
  });

  it.each([
    ["purchase_email", { purchase_email: "nobody", email: "home@example.com" }],
    ["price", { price: "4900" }],
    ["variants", { variants: { Tier: { name: "Basic" } } }],
    ["variants", { variants: ["Basic"] }],
    ["refunded", { refunded: "true" }],
  ])("whose %s can't be right needs a person, who is told the field", async (field, fields) => {
    shop.seed({ sales: [{ ...seeded, ...fields }] });
    expect(await failureOf(api.sale(seeded.id, signal))).toMatch(
      new RegExp(`^GUMROAD_NOT_UNDERSTOOD: .* field ${field} `),
    );
    expect(failures).toEqual(["GUMROAD_NOT_UNDERSTOOD"]);
  });

  it("that isn't there is null and no failure, and so is another spelling of an id", async () => {
    shop.seed({ sales: [seeded] });
    expect(await api.sale("nothing", signal)).toBeNull();
    expect(await api.sale("..", signal)).toBeNull();
    expect(await answering(JSON.stringify({ success: true, sale: seeded })).sale("seeded", signal)).toBeNull();
    shop.fault({ answer: { status: 404, body: "nothing" } });
    expect(await api.sale(seeded.id, signal)).toBeNull();
    expect(failures).toEqual([]);
  });
});

describe("a subscriber", () => {
  it("runs, is about to end, and has ended when its cancellation took effect", async () => {
    const { sale, subscription } = shop.sell({ product: CLUB, email: "eve@example.com" });
    const { id } = subscription!;
    expect(await api.subscriber(id, signal)).toEqual({ id, productId: CLUB, ended: null, cancelledAt: null,
      saleIds: [sale.id] });
    shop.cancel(id);
    const at = subscription!.cancelledAt;
    expect(await api.subscriber(id, signal)).toMatchObject({ ended: null, cancelledAt: at });
    await shop.advance(31 * DAY);
    expect(await api.subscriber(id, signal)).toMatchObject({ ended: { at, reason: "cancelled" } });
  });

  it.each(["failed_payment", "fixed_subscription_period_ended"] as const)("has ended by %s", async (reason) => {
    const { subscription } = shop.sell({ product: MASTERCLASS, email: "eve@example.com" });
    shop.end(subscription!, reason);
    expect(await api.subscriber(subscription!.id, signal)).toMatchObject({ ended: { at: START, reason },
      cancelledAt: null });
  });

  it("that ended at no time, or stands as nobody knows, needs a person; one that isn't there is null", async () => {
    shop.seed({ subscribers: [{ id: "s1==", product_id: CLUB, created_at: seeded.created_at, status: "cancelled" }] });
    expect(await failureOf(api.subscriber("s1==", signal))).toMatch(/^GUMROAD_NOT_UNDERSTOOD: .* field ended_at /);
    expect(
      await failureOf(
        answering('{"success":true,"subscriber":{"id":"s1==","product_id":"p","status":"paused"}}').subscriber("s1==",
          signal),
      ),
    ).toMatch(/^GUMROAD_NOT_UNDERSTOOD: .* field status /);
    expect(await api.subscriber("nothing", signal)).toBeNull();
  });
});

describe("a listing", () => {
  it("of sales is walked to its end, and filtered by day, product and email", async () => {
    const sold = Array.from({ length: 21 }, () => shop.sell({ product: HANDBOOK, email: "ann@example.com" }).sale.id);
    await shop.advance(DAY);
    const late = shop.sell({ product: DATAVIZ, email: "ann+late@example.com" }).sale.id;
    const { rows, pages } = await everyRow((pageKey) => api.sales({ pageKey }, signal));
    expect(rows.map(({ id }) => id)).toEqual([late, ...sold.reverse()]);
    expect(pages).toBe(3);
    const only = async (query: Parameters<GumroadApi["sales"]>[0]) =>
      (await api.sales(query, signal)).rows.map(({ id }) => id);
    expect(await only({ after: "2026-01-06" })).toEqual([late]);
    expect(await only({ before: "2026-01-06" })).toEqual(sold.slice(0, 10));
    expect(await only({ productId: DATAVIZ })).toEqual([late]);
    expect(await only({ email: "ann+late@example.com" })).toEqual([late]);
    expect(await only({ email: "bo@example.com" })).toEqual([]);
  });

  it("of subscribers is walked to its end, and empty for a product that Gumroad doesn't know", async () => {
    for (let count = 0; count < 101; count += 1) shop.sell({ product: CLUB, email: `${String(count)}@example.com` });
    const { rows, pages } = await everyRow((key) => api.subscribers(CLUB, key, signal));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(101);
    expect(pages).toBe(2);
    expect(await api.subscribers("nothing==", null, signal)).toEqual({ rows: [], next: null });
    expect(failures).toEqual([]);
  });

  it("goes on without a row that it doesn't understand, and says which", async () => {
    const warned = jest.spyOn(log, "warn");
    shop.seed({ sales: [seeded, { ...seeded, id: "odd==", purchase_email: "private, not an address" }] });
    expect(await api.sales({}, signal)).toMatchObject({ rows: [{ id: seeded.id }], next: null });
    expect(failures).toEqual(["GUMROAD_NOT_UNDERSTOOD"]);
    expect(warned.mock.calls).toEqual([[expect.any(String), { kind: "sales", id: "odd==", field: "purchase_email" }]]);
  });

  it("that holds no rows needs a person, and so does a page key that is none", async () => {
    expect(await failureOf(answering('{"success":true}').sales({}, signal))).toMatch(
      /^GUMROAD_NOT_UNDERSTOOD: .* field sales /,
    );
    expect(await failureOf(api.sales({ pageKey: "abc" }, signal))).toMatch(/^GUMROAD_REFUSED: /);
    expect(await failureOf(answering('{"success":false}').sales({}, signal))).toMatch(/^GUMROAD_REFUSED: /);
    expect(failures).toEqual(["GUMROAD_NOT_UNDERSTOOD", "GUMROAD_REFUSED", "GUMROAD_REFUSED"]);
  });
});

describe("the seller", () => {
  it("is the token's, and not taken from an answer that names none", async () => {
    expect(await api.sellerId(signal)).toBe(shop.sellerId);
    expect(await failureOf(answering('{"success":true,"user":{"id":1}}').sellerId(signal))).toMatch(
      /^GUMROAD_NOT_UNDERSTOOD: .* field user_id /,
    );
  });
});

describe("a token", () => {
  it("that is refused needs a person, after the secret was read again", async () => {
    shop.revokeToken();
    expect(await failureOf(api.sale("any", signal))).toMatch(
      /^GUMROAD_TOKEN: The access token in the secret gumroad is refused: /,
    );
    expect([refused, shop.calls.length, failures]).toEqual([1, 1, ["GUMROAD_TOKEN"]]);
  });

  it("that was replaced in the secret is tried once more, and only once", async () => {
    token = "old";
    const replaced = apiWith({ secret: secretBy(() => void (token = TOKEN)) });
    expect(await replaced.sellerId(signal)).toBe(shop.sellerId);
    expect(failures).toEqual([]);
    const wrong = apiWith({ secret: secretBy(() => void (token += "x")) });
    shop.revokeToken();
    expect(await failureOf(wrong.sellerId(signal))).toMatch(/^GUMROAD_TOKEN: /);
    expect(shop.calls).toHaveLength(4);
  });

  it("without the scope needs a person", async () => {
    shop.addToken({ token: TOKEN, scopes: ["edit_products"], application: "local" });
    expect(await failureOf(api.sales({}, signal))).toMatch(/^GUMROAD_SCOPE: .*view_sales/);
    expect(failures).toEqual(["GUMROAD_SCOPE"]);
  });
});

describe("Gumroad away", () => {
  it.each<[string, FaultAnswer, RegExp]>([
    ["too many calls", { status: 429 }, /429, too many calls/],
    ["an error", { status: 500 }, /answered 500/],
    ["a gateway's error", { status: 503 }, /answered 503/],
    ["a broken connection", "reset", /ECONNRESET|SOCKET/],
  ])("(%s) is temporary, and told", async (_, answer, message) => {
    shop.fault({ answer });
    const failure = await failureOf(api.sales({ email: "ann@example.com" }, signal));
    expect(failure).toMatch(/^GUMROAD_UNREACHABLE: /);
    expect(failure).toMatch(message);
    expect(failure).not.toMatch(/@|%40|local-gumroad-token/);
    expect(failures).toEqual(["GUMROAD_UNREACHABLE"]);
    expect(await api.sales({}, signal)).toMatchObject({ rows: [] });
  });

  it("is a redirect, which the token doesn't follow", async () => {
    shop.fault({ path: "/sales", answer: { status: 302, headers: { location: `${shop.apiUrl}/user` } } });
    expect(await failureOf(api.sales({}, signal))).toMatch(/^GUMROAD_UNREACHABLE: /);
    expect(shop.calls.map(({ path }) => path)).toEqual(["/sales"]);
  });

  it("is an answer that is no JSON, or without an end; neither is quoted", async () => {
    expect(await failureOf(answering("ann@example.com").sale("any", signal))).toBe(
      "GUMROAD_UNREACHABLE: Gumroad did not read a sale: its answer is no JSON.",
    );
    expect(await failureOf(answering("[".repeat(3_000_000)).sale("any", signal))).toBe(
      "GUMROAD_UNREACHABLE: Gumroad did not read a sale: its answer is longer than any of its own.",
    );
  });

  it("is an answer that doesn't come: within eight seconds, or the caller's own time", async () => {
    shop.fault({ answer: "hang" });
    const caller = new AbortController();
    const impatient = apiWith({ fetch: async (input, init) => {
      const answer = fetch(input, init);
      caller.abort();
      return answer;
    } });
    expect(await failureOf(impatient.sale("any", caller.signal))).toMatch(/^GUMROAD_UNREACHABLE: .*AbortError/);
    expect(failures).toEqual(["GUMROAD_UNREACHABLE"]);
    expect(await failureOf(api.sale("any", caller.signal))).toMatch(/^GUMROAD_UNREACHABLE: /);
    expect(failures).toHaveLength(1);
    const limit = jest.spyOn(AbortSignal, "timeout").mockReturnValue(
      AbortSignal.abort(new DOMException("late", "TimeoutError")),
    );
    expect(await failureOf(api.sale("any", signal))).toMatch(/^GUMROAD_UNREACHABLE: .*TimeoutError/);
    expect(limit).toHaveBeenCalledWith(8_000);
  });

  it("never quotes what a broken call says of itself", async () => {
    const telling = apiWith({
      fetch: async () =>
        Promise.reject(
          new TypeError(`no ${TOKEN}`, {
            cause: new Error("https://api.gumroad.com/v2/sales?email=ann%40example.com"),
          }),
        ),
    });
    expect(await failureOf(telling.sales({ email: "ann@example.com" }, signal))).toBe(
      "GUMROAD_UNREACHABLE: Gumroad did not list sales: Error.",
    );
  });

  it("is not a secret that can't be read: that failure is passed on and not counted", async () => {
    const get = async () => Promise.reject(new Error("SECRET_UNREACHABLE"));
    const closed = apiWith({ secret: { get, reread: get } });
    await expect(closed.sellerId(signal)).rejects.toThrow("SECRET_UNREACHABLE");
    expect(failures).toEqual([]);
  });
});

describe("the secret", () => {
  const secret = { access_token: "abc", seller_id: "s==" };

  it("has Gumroad's own address unless it names another", () => {
    expect(gumroadSecretShape.parse(secret)).toEqual({ token: "abc", sellerId: "s==",
      api: "https://api.gumroad.com/v2" });
    expect(gumroadSecretShape.parse({ ...secret, api: "http://127.0.0.1:3002/v2/" }).api).toBe(
      "http://127.0.0.1:3002/v2",
    );
  });

  it.each(["http://api.gumroad.com/v2", "http://127.evil.example/v2", "https://me:you@api.gumroad.com",
    "https://api.gumroad.com/v2?a=b", "ftp://localhost", "api.gumroad.com"])("refuses the address %s", (api) => {
      expect(gumroadSecretShape.safeParse({ ...secret, api }).success).toBe(false);
    });

  it("refuses a token that no header can carry, and a missing seller", () => {
    expect(gumroadSecretShape.safeParse({ ...secret, access_token: "a\nb" }).success).toBe(false);
    expect(gumroadSecretShape.safeParse({ access_token: "abc" }).success).toBe(false);
  });
});

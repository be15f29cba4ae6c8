import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { readManifest, rowsFor } from "../../cli/replay/rows.ts";
import type { Order, Receipt } from "gumroad-emulator/order";
import type { Stack } from "../../local/stack.ts";
import { body, changed, kept, later, post, recordOf, startLocal, untilResting } from "./local-stack.ts";

const HANDBOOK = "zGyG_1JQunZuizwqd9CP7g==";
const DATAVIZ = "Z7kcrf7WgiSjiBnsGYi45w==";
const BUNDLE = "zdLk8Uz-AIidbazwzX2EkA==";
const CLUB = "wg2b8FhyMUKaJ6Eo3PrR5g==";
const MINUTE = 60_000;
const TOKEN = { token: "local-gumroad-token", scopes: ["view_sales"], application: "local" } as const;

let stack: Stack;
let nth = 0;
let lines: string[] = [];
beforeAll(async () => {
  stack = await startLocal({ readBack: true, onLog: (_function, line) => lines.push(line) });
});
afterAll(async () => {
  await stack.stop();
});
beforeEach(() => {
  nth += 1;
  lines = [];
});
afterEach(() => {
  for (const line of lines) expect(line).not.toMatch(/@example|%40example|local-gumroad-token/);
});

/** A buyer whom no other test knows. */
const someone = (name = "ann") => `${name}.${String(nth)}@example.com`;
const rolesOf = (email: string) => stack.auth0.rolesOfEmail(email);
const counted = (metric: string) => lines.filter((line) => line.includes(`"${metric}":1`)).length;

/** Sells in the shop without a word to us: its pings get lost on the way. */
function sellInSilence(order: Partial<Order> = {}): Receipt {
  stack.gumroad.setDeliver(() => 200);
  try {
    return stack.gumroad.sell({ product: HANDBOOK, email: someone(), ...order });
  } finally {
    stack.gumroad.setDeliver("http");
  }
}

/** Does something in the shop, whose pings arrive, and waits for what becomes of them. */
async function happens<T>(act: () => T): Promise<T> {
  const result = act();
  await stack.gumroad.settled();
  await stack.sqs.idle();
  return result;
}

/** What waits beside the records, to be read back again. */
const waiting = async () => (await stack.ledger()).filter(({ sk }) => String(sk).startsWith("pending#")).length;

async function pinged(text: string): Promise<void> {
  expect((await post(stack, text)).status).toBe(200);
  await stack.sqs.idle();
}

describe("with a Gumroad token", () => {
  it("a purchase in the shop gives its role, a refund takes it", async () => {
    const { sale } = await happens(() => stack.gumroad.sell({ product: HANDBOOK, email: someone() }));
    expect(rolesOf(someone())).toEqual(["serverless-handbook"]);
    await happens(() => stack.gumroad.refund(sale));
    expect(rolesOf(someone())).toEqual([]);
  });

  it("a forged ping of a sale that doesn't exist grants nothing: asked twice more, then kept", async () => {
    const forged = changed("sale", { sale_id: `forged-${String(nth)}`, email: someone() });
    await pinged(forged);
    expect(await waiting()).toBe(1);
    await later(stack, 3 * MINUTE);
    expect(await kept(stack)).toEqual([]);
    await later(stack, 10 * MINUTE);
    expect(await waiting()).toBe(0);
    expect(await kept(stack)).toMatchObject([{ code: "SALE_NOT_FOUND" }]);
    expect(stack.gumroad.calls.filter(({ url }) => url.includes(`forged-${String(nth)}`))).toHaveLength(3);
    expect(await recordOf(stack, someone())).toBeUndefined();
    expect(stack.auth0.users().filter(({ email }) => email === someone())).toEqual([]);
  });

  it("a sale that the API learns of a little later is granted then", async () => {
    const { sale } = sellInSilence({ email: someone("late") });
    const fault = stack.gumroad.fault({ path: "/sales/:id", times: 1,
      answer: { status: 200, body: { success: false, message: "The sale was not found." } } });
    await pinged(changed("sale", { sale_id: sale.id, email: someone("late") }));
    fault.remove();
    expect(rolesOf(someone("late"))).toEqual([]);
    await later(stack, 3 * MINUTE);
    expect(rolesOf(someone("late"))).toEqual(["serverless-handbook"]);
  });

  it("a forged refund of a real sale takes nothing, whoever it names", async () => {
    const { sale } = await happens(() => stack.gumroad.sell({ product: HANDBOOK, email: someone() }));
    for (const email of [someone(), someone("eve")]) {
      await pinged(changed("refund-full", { sale_id: sale.id, email }));
    }
    expect(rolesOf(someone())).toEqual(["serverless-handbook"]);
    expect(rolesOf(someone("eve"))).toEqual([]);
    // It contradicts the API, so it is asked once more, and no more.
    await later(stack, MINUTE);
    expect(await waiting()).toBe(0);
    expect(rolesOf(someone())).toEqual(["serverless-handbook"]);
    expect(stack.gumroad.calls.filter(({ url }) => url.includes(encodeURIComponent(sale.id))).length)
      .toBeLessThanOrEqual(6);
  });

  it("a ping's own email, product and price count for nothing: the role goes to who bought", async () => {
    const { sale } = sellInSilence({ email: someone() });
    await pinged(
      changed("sale", { sale_id: sale.id, email: someone("eve"), product_id: "Z7kcrf7WgiSjiBnsGYi45w==", price: "0" }),
    );
    expect(rolesOf(someone())).toEqual(["serverless-handbook"]);
    expect(rolesOf(someone("eve"))).toEqual([]);
    expect(await recordOf(stack, someone("eve"))).toBeUndefined();
  });

  it("a custom field called email can't redirect a purchase", async () => {
    const { sale } = sellInSilence({ email: someone(), customFields: [["email", someone("eve")]] });
    await pinged(
      `${changed("sale", { sale_id: sale.id, email: someone("eve") })}&custom_fields%5Bemail%5D=${
        encodeURIComponent(someone("eve"))
      }`,
    );
    expect(rolesOf(someone())).toEqual(["serverless-handbook"]);
    expect(rolesOf(someone("eve"))).toEqual([]);
  });

  it("a refund ping that the API contradicts is read once more after a minute, and believed then", async () => {
    const { sale } = await happens(() => stack.gumroad.sell({ product: HANDBOOK, email: someone() }));
    stack.gumroad.setDeliver(() => 200);
    stack.gumroad.refund(sale);
    stack.gumroad.setDeliver("http");
    const row = { id: sale.id, product_id: HANDBOOK, purchase_email: someone(), created_at: "2026-01-05T19:38:56Z",
      price: 4900, refunded: false };
    stack.gumroad.fault({ path: "/sales/:id", times: 1, answer: { status: 200, body: { success: true, sale: row } } });
    await pinged(changed("refund-full", { sale_id: sale.id, email: someone() }));
    expect(rolesOf(someone())).toEqual(["serverless-handbook"]);
    await later(stack, MINUTE);
    expect(rolesOf(someone())).toEqual([]);
  });

  it.each([401, 403, 429, 500, 503])(
    "while Gumroad answers %i nothing is granted or taken, an alarm goes off, and it is tried again",
    async (status) => {
      const { sale } = await happens(() => stack.gumroad.sell({ product: HANDBOOK, email: someone() }));
      const fault = stack.gumroad.fault({ path: "/sales/:id", times: 1_000, answer: { status } });
      const { sale: second } = sellInSilence({ email: someone("bo") });
      await post(stack, changed("sale", { sale_id: second.id, email: someone("bo") }));
      await post(stack, changed("refund-full", { sale_id: sale.id, email: someone() }));
      await untilResting(stack, 2);
      expect(rolesOf(someone())).toEqual(["serverless-handbook"]);
      expect(rolesOf(someone("bo"))).toEqual([]);
      expect(lines.some((line) =>
        line.includes(status === 401 ? "GUMROAD_TOKEN" : status === 403 ? "GUMROAD_SCOPE" : "GUMROAD_UNREACHABLE")
      )).toBe(true);
      fault.remove();
      stack.gumroad.setDeliver(() =>
        200
      );
      stack.gumroad.refund(sale);
      stack.gumroad.setDeliver("http");
      await stack.advance(MINUTE);
      await stack.sqs.idle();
      expect(rolesOf(someone())).toEqual([]);
      expect(rolesOf(someone("bo"))).toEqual(["serverless-handbook"]);
    },
  );

  it("a revoked token that is replaced in the secret serves within seconds", async () => {
    stack.gumroad.revokeToken();
    stack.gumroad.addToken({ ...TOKEN, token: "another-token" });
    const { sale } = sellInSilence();
    await post(stack, changed("sale", { sale_id: sale.id, email: someone() }));
    await untilResting(stack, 1);
    stack.secrets.set("gumroad", { access_token: "another-token", seller_id: "fHis2sbMl3TASuuulQvtoQ==",
      api: stack.gates.gumroad });
    await stack.advance(MINUTE);
    await stack.sqs.idle();
    expect(rolesOf(someone())).toEqual(["serverless-handbook"]);
  });

  it("a gift ends when the giver's sale is disputed, and comes back when that is won", async () => {
    const { sale } = await happens(() =>
      stack.gumroad.sell({ product: HANDBOOK, email: someone("giver"), gift: { to: someone("cy") } })
    );
    expect(rolesOf(someone("cy"))).toEqual(["serverless-handbook"]);
    await happens(() => stack.gumroad.dispute(sale));
    expect(rolesOf(someone("cy"))).toEqual([]);
    await happens(() => stack.gumroad.disputeWon(sale));
    expect(rolesOf(someone("cy"))).toEqual(["serverless-handbook"]);
    expect(stack.auth0.users().filter(({ email }) => email === someone("giver"))).toEqual([]);
  });

  it("a subscription ping whose sale was lost still finds its buyer", async () => {
    const { subscription } = sellInSilence({ product: CLUB, tier: "Premium", accountEmail: someone() });
    await happens(() => stack.gumroad.cancel(subscription!));
    expect(rolesOf(someone())).toEqual(["club", "club-premium"]);
    await happens(() => stack.gumroad.end(subscription!));
    expect(rolesOf(someone())).toEqual([]);
    await happens(() => stack.gumroad.restart(subscription!));
    expect(rolesOf(someone())).toEqual(["club", "club-premium"]);
  });

  it("a renewal under another email whose first sale was lost still goes to who bought first", async () => {
    const { subscription } = sellInSilence({ product: CLUB, tier: "Basic", accountEmail: someone() });
    stack.gumroad.changeAccountEmail(someone(), someone("moved"));
    await happens(() => stack.gumroad.renew(subscription!));
    expect(rolesOf(someone())).toEqual(["club"]);
    expect(rolesOf(someone("moved"))).toEqual([]);
  });

  it("a change of plan, which the API can't show, is taken from its ping", async () => {
    const { subscription } = await happens(() =>
      stack.gumroad.sell({ product: CLUB, email: someone(), accountEmail: someone(), tier: "Basic" })
    );
    expect(rolesOf(someone())).toEqual(["club"]);
    await happens(() => stack.gumroad.upgrade(subscription!, { tier: "Premium" }));
    expect(rolesOf(someone())).toEqual(["club", "club-premium"]);
  });

  it("a forged change of plan counts until the next charge at most, and not at all where there is no such " + "tier",
    async () => {
      const { subscription } = await happens(() =>
        stack.gumroad.sell({ product: CLUB, email: someone(), accountEmail: someone(), tier: "Basic" })
      );
      const forged = (tier: string, day: number) =>
        changed("membership-upgrade", { subscription_id: subscription!.id, user_email: someone(),
          effective_as_of: new Date(stack.gumroad.now() + day * 24 * 60 * MINUTE).toISOString(),
          "new_plan[tier][name]": tier });
      await pinged(forged("Nonsense", 0));
      expect(rolesOf(someone())).toEqual(["club"]);
      for (const day of [0, 31, 62]) await pinged(forged("Premium", day));
      expect(rolesOf(someone())).toEqual(["club", "club-premium"]);
      await happens(() => stack.gumroad.renew(subscription!));
      expect(rolesOf(someone())).toEqual(["club"]);
      expect((await recordOf(stack, someone()))?.dueAt).toBeNull();
    });

  it("a renamed tier takes nothing from its members, at a renewal or before", async () => {
    const { subscription } = await happens(() =>
      stack.gumroad.sell({ product: CLUB, email: someone(), tier: "Premium" })
    );
    stack.gumroad.renameTier(CLUB, "Premium", "Premium (2026)");
    try {
      const [first] = subscription!.saleIds;
      await happens(() => stack.gumroad.resendPing(first!));
      expect(rolesOf(someone())).toEqual(["club", "club-premium"]);
      await happens(() => stack.gumroad.renew(subscription!));
      expect(rolesOf(someone())).toEqual(["club", "club-premium"]);
    } finally {
      stack.gumroad.renameTier(CLUB, "Premium (2026)", "Premium");
    }
  });

  it("what is added to a bundle later ends with the bundle", async () => {
    const product = { kind: "bundle", id: BUNDLE, name: "Everything Bundle", priceCents: 9900, permalink: "everything",
      shortId: "bndle" } as const;
    stack.gumroad.addProduct({ ...product, contains: [HANDBOOK] });
    const { sale } = await happens(() => stack.gumroad.sell({ product: BUNDLE, email: someone() }));
    expect(rolesOf(someone())).toEqual(["serverless-handbook"]);
    await stack.advance(12 * MINUTE);
    await happens(() => stack.gumroad.addToBundle(BUNDLE, DATAVIZ));
    expect(rolesOf(someone())).toEqual(["react-for-dataviz", "serverless-handbook"]);
    await happens(() => stack.gumroad.refund(sale));
    expect(rolesOf(someone())).toEqual([]);
  });

  it("two bundles taken back end what came with the first also where only the second's ping arrived", async () => {
    const buy = () => happens(() => stack.gumroad.sell({ product: BUNDLE, email: someone("wes") }));
    const { sale: first } = await buy();
    await stack.advance(15 * MINUTE);
    const { sale: second } = await buy();
    expect(rolesOf(someone("wes"))).toEqual(["react-for-dataviz", "serverless-handbook"]);
    stack.gumroad.setDeliver(() => 200);
    stack.gumroad.refund(first);
    stack.gumroad.setDeliver("http");
    await happens(() => stack.gumroad.refund(second));
    // Reading the second lists all that the buyer has of bundles: that is the proof for the first one's children, too.
    expect(rolesOf(someone("wes"))).toEqual([]);
  });

  it("a gifted bundle's products end with the giver's purchase, and come back with it", async () => {
    const { sale } = await happens(() =>
      stack.gumroad.sell({ product: BUNDLE, email: someone("giver"), gift: { to: someone("may") } })
    );
    expect(rolesOf(someone("may"))).toEqual(["react-for-dataviz", "serverless-handbook"]);
    await happens(() => stack.gumroad.dispute(sale));
    expect(rolesOf(someone("may"))).toEqual([]);
    await happens(() => stack.gumroad.disputeWon(sale));
    expect(rolesOf(someone("may"))).toEqual(["react-for-dataviz", "serverless-handbook"]);
  });

  it("access that the seller revokes ends when it is seen, and comes back when that is undone", async () => {
    const { sale } = await happens(() => stack.gumroad.sell({ product: HANDBOOK, email: someone() }));
    stack.gumroad.revokeAccess(sale);
    // The same ping counts once within five minutes: another for each.
    await happens(() => stack.gumroad.refund(sale, { partial: 100 }));
    expect(rolesOf(someone())).toEqual([]);
    stack.gumroad.restoreAccess(sale);
    await happens(() => stack.gumroad.dispute(sale));
    await happens(() => stack.gumroad.disputeWon(sale));
    expect(rolesOf(someone())).toEqual(["serverless-handbook"]);
  });

  it("the six membership pings, in any order, all at once, end with exactly club and club-premium", async () => {
    const files = ["membership-sale", "membership-renewal", "membership-upgrade", "membership-cancellation",
      "membership-ended", "membership-restarted"];
    expect(Object.keys(readManifest().bodies)).toEqual(expect.arrayContaining(files.map((file) => `${file}.txt`)));
    stack.gumroad.seed(rowsFor(files.map((file) => `${file}.txt`)));
    const answers = await Promise.all(files.reverse().map((file) => post(stack, body(file))));
    expect(answers.map(({ status }) => status)).toEqual(files.map(() => 200));
    // An end and a cancellation contradict a membership that runs again: those two are asked for once more.
    await stack.sqs.idle();
    expect(await waiting()).toBe(2);
    expect(rolesOf("eve@example.com")).toEqual(["club", "club-premium"]);
    await later(stack, MINUTE);
    expect(await waiting()).toBe(0);
    expect(rolesOf("eve@example.com")).toEqual(["club", "club-premium"]);
    expect(counted("NeedsPerson")).toBe(0);
  });

  it("a purchase that was read back isn't taken on trust again once the token is gone", async () => {
    const { sale } = await happens(() => stack.gumroad.sell({ product: HANDBOOK, email: someone() }));
    stack.secrets.set("gumroad", undefined);
    await stack.crash();
    await post(stack, changed("refund-full", { sale_id: sale.id, email: someone() }));
    await untilResting(stack, 1);
    expect(rolesOf(someone())).toEqual(["serverless-handbook"]);
    expect(lines.some((line) => line.includes("GUMROAD_TOKEN_GONE"))).toBe(true);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import type { Stack } from "../../local/stack.ts";
import { changed, kept, post, recordOf, startLocal } from "./local-stack.ts";
import { workedOff } from "./operator-messages.ts";

const HANDBOOK = "serverless-handbook";

/** Without a token for Gumroad's API: pings are all there is. */
let stack: Stack;
let nth = 0;
let lines: string[] = [];
let lettersBefore = 0;
beforeAll(async () => {
  stack = await startLocal({ maxWorkers: 1, onLog: (_function, line) => lines.push(line) });
});
afterAll(async () => {
  await stack.stop();
});
beforeEach(async () => {
  nth += 1;
  lines = [];
  lettersBefore = (await kept(stack)).length;
});

/** Somebody whom no other test knows. */
const someone = (name: string) => `${name}.${String(nth)}@example.com`;
const rolesOf = (name: string) => stack.auth0.rolesOfEmail(someone(name));
const newLetters = async () => (await kept(stack)).slice(lettersBefore);

/** What a receiver's gift from dee pings: the one sale ping of a gift. */
const giftFor = (name: string, changes: Readonly<Record<string, string>> = {}) =>
  changed("sale-gift", { email: someone(name), gifter_email: someone("dee"), sale_id: `received by ${someone(name)}`,
    ...changes });
/** What a dispute of a giver's sale pings: under an id that no sale ping showed. The fixture gift's day. */
const dispute = (event: "dispute" | "dispute-won" = "dispute", changes: Readonly<Record<string, string>> = {}) =>
  changed(event, { email: someone("dee"), sale_id: `given by ${someone("dee")}`, ...changes });
/** Dee buys the same for herself. */
const own = (changes: Readonly<Record<string, string>> = {}) =>
  changed("sale", { email: someone("dee"), sale_id: `own of ${someone("dee")}`, ...changes });

/** Pings arrive one after the other, and are worked off. */
async function deliver(...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    expect((await post(stack, text)).status).toBe(200);
    await workedOff(stack);
  }
}

describe("a gift, on trust", () => {
  it("ends when the giver's sale is disputed, and comes back when that is won", async () => {
    await deliver(giftFor("cy"));
    expect(rolesOf("cy")).toEqual([HANDBOOK]);
    await deliver(dispute());
    expect(rolesOf("cy")).toEqual([]);
    await deliver(dispute("dispute-won"));
    expect(rolesOf("cy")).toEqual([HANDBOOK]);
    expect(stack.auth0.users().filter(({ email }) => email === someone("dee"))).toEqual([]);
    expect(await newLetters()).toEqual([]);
  });

  it("whose dispute comes before its sale is never given, until the dispute is won", async () => {
    await deliver(dispute(), giftFor("cy"));
    expect(rolesOf("cy")).toEqual([]);
    await deliver(dispute("dispute-won"));
    expect(rolesOf("cy")).toEqual([HANDBOOK]);
  });

  it("whose dispute was lost and won before its sale comes is given", async () => {
    await deliver(dispute("dispute-won"), dispute(), giftFor("cy"));
    expect(rolesOf("cy")).toEqual([HANDBOOK]);
  });

  it("ends right when all its pings come at once", async () => {
    const answers = await Promise.all(
      [dispute(), giftFor("cy"), dispute("dispute-won"), giftFor("cy", { referrer: "sent again" })].map((text) =>
        post(stack, text)
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    await workedOff(stack);
    expect(rolesOf("cy")).toEqual([HANDBOOK]);
    expect(await newLetters()).toEqual([]);
  });

  it("isn't touched by a dispute about another product, or another day", async () => {
    await deliver(giftFor("cy"));
    await deliver(
      dispute("dispute", { product_id: "Z7kcrf7WgiSjiBnsGYi45w==", sale_id: `other product of ${someone("dee")}` }),
    );
    await deliver(
      dispute("dispute", { sale_timestamp: "2026-01-06T19:38:56Z", sale_id: `other day of ${someone("dee")}` }),
    );
    expect(rolesOf("cy")).toEqual([HANDBOOK]);
    expect(await newLetters()).toEqual([]);
  });

  it("is nobody's to lose where two got the same from one giver in ten minutes: a person decides", async () => {
    await deliver(giftFor("cy"), giftFor("di", { sale_timestamp: "2026-01-05T19:43:00Z" }));
    await deliver(dispute());
    expect([rolesOf("cy"), rolesOf("di")]).toEqual([[HANDBOOK], [HANDBOOK]]);
    expect(await newLetters()).toMatchObject([{ code: "GIFT_UNCLEAR" }]);
    expect(stack.auth0.users().filter(({ email }) => email === someone("dee"))).toEqual([]);
  });

  it("is nobody's to lose where that dispute came before both", async () => {
    await deliver(dispute());
    const answers = await Promise.all([giftFor("cy"), giftFor("di")].map((text) => post(stack, text)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    await workedOff(stack);
    // Who came first alone seemed to be the one; the other gift stands, and a person is told.
    expect([rolesOf("cy"), rolesOf("di")].flat()).toContain(HANDBOOK);
    expect(lines.some((line) => line.includes("GIFT_UNCLEAR"))).toBe(true);
  });
});

describe("a gifted bundle, on trust", () => {
  it("takes what came with it along when the giver's sale is disputed", async () => {
    const bundle = { product_id: "zdLk8Uz-AIidbazwzX2EkA==", sale_id: `bundle of ${someone("may")}` };
    await deliver(giftFor("may", bundle), giftFor("may"));
    expect(rolesOf("may")).toEqual([HANDBOOK]);
    await deliver(dispute("dispute", { product_id: bundle.product_id }));
    expect(rolesOf("may")).toEqual([]);
    expect(await newLetters()).toEqual([]);
  });
});

describe("the giver's own purchase of the same product", () => {
  it("stays when the gift is disputed", async () => {
    await deliver(own(), giftFor("cy"), dispute());
    expect([rolesOf("dee"), rolesOf("cy")]).toEqual([[HANDBOOK], []]);
    expect(await newLetters()).toEqual([]);
  });

  it("ends alone when it is disputed itself", async () => {
    await deliver(own(), giftFor("cy"), dispute("dispute", { sale_id: `own of ${someone("dee")}` }));
    expect([rolesOf("dee"), rolesOf("cy")]).toEqual([[], [HANDBOOK]]);
    await deliver(dispute("dispute-won", { sale_id: `own of ${someone("dee")}` }));
    expect([rolesOf("dee"), rolesOf("cy")]).toEqual([[HANDBOOK], [HANDBOOK]]);
  });

  it.each([
    ["a dispute won", ["dispute", "dispute-won"]],
    ["a dispute", ["dispute"]],
  ] as const)("isn't lost to the receiver when %s of it comes before its sale", async (_what, events) => {
    await deliver(giftFor("cy"));
    for (const event of events) await deliver(dispute(event, { sale_id: `own of ${someone("dee")}` }));
    await deliver(own());
    expect([rolesOf("dee"), rolesOf("cy")]).toEqual([events.length === 2 ? [HANDBOOK] : [], [HANDBOOK]]);
    await deliver(dispute("dispute-won", { sale_id: `own of ${someone("dee")}`, referrer: "sent again" }));
    expect([rolesOf("dee"), rolesOf("cy")]).toEqual([[HANDBOOK], [HANDBOOK]]);
    // From here on it is known which is which.
    await deliver(dispute());
    expect([rolesOf("dee"), rolesOf("cy")]).toEqual([[HANDBOOK], []]);
    expect(await newLetters()).toEqual([]);
    expect(await recordOf(stack, someone("dee"))).toMatchObject({ unsettled: null, dueAt: null });
  });
});

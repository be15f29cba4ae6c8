import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import type { Stack } from "../../local/stack.ts";
import { changed, kept, post, recordOf, startLocal } from "./local-stack.ts";
import { sendHeld, workedOff } from "./operator-messages.ts";

const CLUB = "wg2b8FhyMUKaJ6Eo3PrR5g==";
const HOLDERS = 30;
const ENDS = 26;
const TAKEN_BACK = 2;
const AT_ONCE = 10;

/** One story, told in order: a product deleted by mistake ends the memberships of nearly all who have it. */
let stack: Stack;
let heldBuyer: string;
const errors: string[] = [];
beforeAll(async () => {
  const now = Date.parse("2030-01-07T12:00:00Z");
  stack = await startLocal({ maxWorkers: 1, onLog: (_function, line) => {
    if (line.includes('"level":"ERROR"')) errors.push(line);
  } });
  // All within one hour: what is let through is counted by the hour.
  await stack.advance(now - stack.gumroad.now());
  await arrive(holders.map(joined));
  expect(holders.filter((email) => stack.auth0.rolesOfEmail(email).join() !== "club")).toEqual([]);
});
afterAll(async () => {
  await stack.stop();
});

const holders = Array.from({ length: HOLDERS }, (_, index) => `holder${String(index)}@example.com`);
/** Two get their money back first; then 26 end; one disputes later. */
const takenBack = holders.slice(0, TAKEN_BACK);
const ending = holders.slice(TAKEN_BACK, TAKEN_BACK + ENDS);
const [disputer = "", next = ""] = holders.slice(TAKEN_BACK + ENDS);
const first = (email: string) => ({ product_id: CLUB, sale_id: `first of ${email}`, subscription_id: `of ${email}`,
  "variants[Tier]": "Basic" });
const joined = (email: string) =>
  changed("membership-sale", { email, sale_id: `first of ${email}`, subscription_id: `of ${email}` });
const ended = (email: string) =>
  changed("membership-ended", { user_email: email, subscription_id: `of ${email}`,
    "purchase_ids[]": `first of ${email}` });
const restarted = (email: string) =>
  changed("membership-restarted", { user_email: email, subscription_id: `of ${email}`,
    "purchase_ids[]": `first of ${email}` });
const members = () => holders.filter((email) => stack.auth0.rolesOfEmail(email).includes("club"));
const rolesOf = (email: string) => stack.auth0.rolesOfEmail(email);

/** Pings arrive, many at once, and are worked off. */
async function arrive(texts: readonly string[]): Promise<void> {
  for (let start = 0; start < texts.length; start += AT_ONCE) {
    const answers = await Promise.all(texts.slice(start, start + AT_ONCE).map((text) => post(stack, text)));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  }
  await workedOff(stack);
}

async function listedAsHeld(product: string): Promise<readonly unknown[]> {
  return (await stack.ledger()).filter(({ pk }) => pk === `held#${product}`).map(({ sk }) => sk);
}

describe("26 ends of 30 holders, all at once", () => {
  it("take the role of 25, and one is held, with an alarm; who got the money back doesn't count", async () => {
    await arrive(takenBack.map((email) => changed("dispute", { ...first(email), email })));
    await arrive(takenBack.map(ended));
    expect(members()).toHaveLength(HOLDERS - takenBack.length);
    await arrive(ending.map(ended));
    const still = members().filter((email) => ending.includes(email));
    expect(members()).toHaveLength(HOLDERS - takenBack.length - 25);
    expect(still).toHaveLength(1);
    heldBuyer = still[0]!;
    expect(await recordOf(stack, heldBuyer)).toMatchObject({
      held: { [`subscription:of ${heldBuyer}`]: expect.any(Number) },
      gave: { [`subscription:of ${heldBuyer}`]: ["club"] },
      unsettled: null,
    });
    expect(await listedAsHeld(CLUB)).toEqual([`buyer#${heldBuyer}`]);
    expect(errors.filter((line) => line.includes("removals are held"))).toHaveLength(1);
    expect(await kept(stack)).toEqual([]);
  });

  it("hold nobody whose charge was disputed, even now", async () => {
    // The end comes first, and is held: only the dispute tells what it was.
    await arrive([ended(disputer)]);
    expect(await listedAsHeld(CLUB)).toHaveLength(2);
    await arrive([changed("dispute", { ...first(disputer), email: disputer })]);
    expect(rolesOf(disputer)).toEqual([]);
    expect(rolesOf(heldBuyer)).toEqual(["club"]);
    expect(await listedAsHeld(CLUB)).toEqual([`buyer#${heldBuyer}`]);
  });

  it("leave another product's ends alone", async () => {
    const instalments = { product_id: "lnHn8l0Cn_FH_VuURa1aEw==", product_name: "Masterclass",
      "variants[Tier]": null };
    const email = heldBuyer;
    await arrive([
      changed("membership-sale", { ...instalments, email, sale_id: `masterclass of ${email}`,
        subscription_id: `masterclass of ${email}` }),
    ]);
    expect(rolesOf(email)).toEqual(["club", "masterclass"]);
    await arrive([
      changed("membership-ended", { product_id: instalments.product_id, user_email: email,
        subscription_id: `masterclass of ${email}` }),
    ]);
    expect(rolesOf(email)).toEqual(["club"]);
  });

  it("let grants go on, for the held buyer too", async () => {
    await arrive([
      changed("sale", { email: heldBuyer, sale_id: `another of ${heldBuyer}`,
        product_id: "Z7kcrf7WgiSjiBnsGYi45w==" }),
    ]);
    expect(rolesOf(heldBuyer)).toEqual(["club", "react-for-dataviz"]);
    const lost = ending.find((email) => !members().includes(email))!;
    await arrive([restarted(lost)]);
    expect(rolesOf(lost)).toEqual(["club"]);
  });

  it("let the held one go when a person says release", async () => {
    await sendHeld(stack, heldBuyer, CLUB, "release", stack.gumroad.now());
    await workedOff(stack);
    expect(rolesOf(heldBuyer)).toEqual(["react-for-dataviz"]);
    expect(await recordOf(stack, heldBuyer)).toMatchObject({ held: {}, unsettled: null, dueAt: null });
    expect(await listedAsHeld(CLUB)).toEqual([]);
  });

  it("leave the next one what it has for good when a person says keep, also with another end", async () => {
    await arrive([ended(next)]);
    expect(rolesOf(next)).toEqual(["club"]);
    expect(await listedAsHeld(CLUB)).toEqual([`buyer#${next}`]);
    await sendHeld(stack, next, CLUB, "keep", stack.gumroad.now());
    await workedOff(stack);
    expect(await listedAsHeld(CLUB)).toEqual([]);
    await arrive([
      changed("membership-ended", { user_email: next, subscription_id: `of ${next}`,
        ended_at: "2026-04-05T19:39:02Z" }),
    ]);
    expect(rolesOf(next)).toEqual(["club"]);
    expect(await recordOf(stack, next)).toMatchObject({ held: {}, unsettled: null, dueAt: null });
  });

  it("count by the hour: in the next one another may go", async () => {
    await stack.advance(60 * 60_000);
    const back = ending.find((email) => rolesOf(email).includes("club"))!;
    await arrive([
      changed("membership-ended", { user_email: back, subscription_id: `of ${back}`,
        ended_at: "2026-05-05T19:39:02Z" }),
    ]);
    expect(rolesOf(back)).toEqual([]);
  });

  it("hold only what is asked for: keep for who isn't held does nothing", async () => {
    const lost = disputer;
    for (const decision of ["keep", "release"] as const) {
      await sendHeld(stack, lost, CLUB, decision, stack.gumroad.now());
    }
    await workedOff(stack);
    expect(rolesOf(lost)).toEqual([]);
    expect(await kept(stack)).toEqual([]);
  });
});

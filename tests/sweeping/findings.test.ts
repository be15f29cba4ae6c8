import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { emptySource } from "../../src/access/facts.ts";
import { addFacts } from "../../src/access/merge.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import policy from "../../fixtures/policy.ts";
import { DAY, MINUTE, startShopAndLedger, withRoles, type ShopAndLedger } from "./shop-and-ledger.ts";

let world: ShopAndLedger;
beforeAll(async () => {
  world = await startShopAndLedger();
});
afterAll(async () => {
  await world.stop();
});
beforeEach(async () => {
  await world.reset();
});

const HANDBOOK = "zGyG_1JQunZuizwqd9CP7g==";
const BUNDLE = "zdLk8Uz-AIidbazwzX2EkA==";
const CLUB = "wg2b8FhyMUKaJ6Eo3PrR5g==";
const handbookAlone = defineProducts([{ id: HANDBOOK, name: "Serverless Handbook", roles: ["serverless-handbook"] }]);

describe("a sweep of the last days' sales", () => {
  it("finds a sale that no ping told of, and then no more", async () => {
    const { sale } = world.shop.sell({ product: "serverless-handbook", email: "Ann@Example.com" });
    expect(await world.finish("recent")).toEqual({ sweep: "recent", read: 1, differed: 1, sent: 1, finished: true,
      token: true });
    expect(world.sent()).toEqual([`ann@example.com sale ${sale.id}`]);

    await world.learn([sale.id]);
    expect(await world.finish("recent")).toMatchObject({ read: 1, differed: 0, sent: 0 });
    expect(world.sent()).toEqual([]);
  });

  it("finds a refund and a dispute of a known sale, for whoever's it is by our record", async () => {
    const sold = ["refunded", "disputed", "kept"].map((name) =>
      world.shop.sell({ product: "serverless-handbook", email: `${name}@example.com` }).sale
    );
    await world.learn(sold.map(({ id }) => id));
    world.shop.refund(sold[0]!);
    world.shop.dispute(sold[1]!);
    world.shop.changeEmail(sold[0]!, "other@example.com");
    await world.finish("recent");
    expect(world.sent()).toEqual([`disputed@example.com sale ${sold[1]!.id}`,
      `refunded@example.com sale ${sold[0]!.id}`]);
  });

  it("sends a gift's giver's sale to the receiver", async () => {
    const { sale } = world.shop.sell({ product: "serverless-handbook", email: "giver@example.com",
      gift: { to: "ann@example.com" } });
    await world.finish("recent");
    expect(world.sent()).toEqual([`ann@example.com sale ${sale.id}`]);
  });

  it("finds once that a membership ended, however many of its charges tell it, and that one runs again", async () => {
    const { sale, subscription } = world.shop.sell({ product: "proclub", email: "ann@example.com", tier: "Basic" });
    await world.learn([sale.id]);
    await world.shop.advance(62 * DAY);
    await world.learn(subscription!.saleIds);
    world.shop.cancel(subscription!);
    await world.shop.advance(31 * DAY);
    await world.finish("weekly");
    expect(world.sent()).toEqual([`ann@example.com subscription ${subscription!.id}`]);

    await world.learn(subscription!.saleIds);
    await world.finish("weekly");
    expect(world.sent()).toEqual([]);
    world.shop.restart(subscription!);
    await world.finish("weekly");
    expect(world.sent()).toContain(`ann@example.com subscription ${subscription!.id}`);
  });

  it("takes sales of products outside the policy too: adding one later grants it", async () => {
    const { sale, subscription } = world.shop.sell({ product: "masterclass", email: "ann@example.com" });
    await world.finish("recent", { policy: handbookAlone });
    expect(world.sent()).toEqual([`ann@example.com sale ${sale.id}`]);
    await world.ledger.claim(`subscription:${subscription!.id}`, "ann@example.com");
    await world.ledger.park(`subscription:${subscription!.id}`, await world.facts(sale.id), "ann@example.com");
    await world.finish("recent", { policy: handbookAlone });
    expect(world.sent()).toEqual([]);
  });

  it("leaves what is older than two days to the weekly one, unless the last began before", async () => {
    const { sale } = world.shop.sell({ product: "serverless-handbook", email: "ann@example.com" });
    await world.shop.advance(3 * DAY);
    expect(await world.finish("recent")).toMatchObject({ read: 0 });
    expect(await world.finish("weekly")).toMatchObject({ read: 1, sent: 1 });
    expect(world.sent()).toEqual([`ann@example.com sale ${sale.id}`]);

    world.shop.sell({ product: "serverless-handbook", email: "bob@example.com" });
    await world.shop.advance(4 * DAY);
    expect(await world.finish("recent")).toMatchObject({ read: 1, sent: 1 });
  });
});

describe("a sweep of all sales", () => {
  it("has a gone bundle read again once: what came with it stands until the buyer's sales are listed", async () => {
    const { sale, children } = world.shop.sell({ product: BUNDLE, email: "ann@example.com" });
    await world.learn(children.map(({ id }) => id));
    world.shop.refund(sale);
    await world.learn([sale.id]);
    await world.finish("recent");
    expect(world.sent()).toEqual([]);
    await world.shop.advance(4 * DAY);
    await world.finish("weekly");
    expect(world.sent()).toEqual([`ann@example.com sale ${sale.id}`]);

    const record = await world.ledger.load("ann@example.com");
    const listed = { ...emptySource(BUNDLE), listedAt: world.shop.now() };
    await world.ledger.save({ ...record, sources: addFacts(record.sources, `sale:${sale.id}`, listed) });
    await world.finish("weekly");
    expect(world.sent()).toEqual([]);
  });
});

describe("the daily sweep", () => {
  it("finds running subscriptions that we don't know of or believe ended, by their first sale's buyer", async () => {
    const lost = world.shop.sell({ product: "proclub", email: "lost@example.com", tier: "Basic" });
    const ended = world.shop.sell({ product: "proclub", email: "ended@example.com", tier: "Basic" });
    const known = world.shop.sell({ product: "proclub", email: "known@example.com", tier: "Basic" });
    world.shop.cancel(ended.subscription!);
    await world.shop.advance(32 * DAY);
    await world.learn([ended.sale.id, known.sale.id]);
    world.shop.restart(ended.subscription!);
    expect(await world.finish("daily")).toMatchObject({ differed: 2, finished: true });
    expect(world.sent()).toEqual([`ended@example.com subscription ${ended.subscription!.id}`,
      `lost@example.com subscription ${lost.subscription!.id}`]);
  });

  it("finds known subscriptions that ended long after their last sale", async () => {
    const [ended, running] = ["ended", "running"].map((name) =>
      world.shop.sell({ product: "masterclass", email: `${name}@example.com` })
    );
    await world.learn([ended!.sale.id, running!.sale.id]);
    world.shop.end(ended!.subscription!);
    await world.finish("daily");
    expect(world.sent()).toEqual([`ended@example.com subscription ${ended!.subscription!.id}`]);
    // The listing has shown the other one.
    expect(world.calls("/subscribers/:id")).toBe(1);
  });

  it("finds what became of a live gift's giver's sale, and asks for the giver's where it isn't known", async () => {
    const [refunded, kept, giverless] = ["refunded", "kept", "giverless"].map((name) =>
      world.shop.sell({ product: "serverless-handbook", email: "giver@example.com",
        gift: { to: `${name}@example.com` } })
    );
    await world.learn([refunded, kept].flatMap((gift) => [gift!.sale.id, gift!.receiver!.id]));
    await world.learn([giverless!.receiver!.id]);
    world.shop.refundGift(refunded!.sale);
    await world.finish("daily");
    expect(world.sent()).toEqual([`giverless@example.com sale ${giverless!.receiver!.id}`,
      `refunded@example.com sale ${refunded!.sale.id}`]);

    await world.learn([refunded!.sale.id, giverless!.sale.id]);
    await world.finish("daily");
    expect(world.sent()).toEqual([]);
  });

  it("asks for a week for a gift's giver, whom the weekly sweep finds later", async () => {
    const gift = world.shop.sell({ product: "serverless-handbook", email: "giver@example.com",
      gift: { to: "giverless@example.com" } });
    await world.learn([gift.receiver!.id]);
    await world.shop.advance(6 * DAY);
    await world.finish("daily");
    expect(world.sent()).toEqual([`giverless@example.com sale ${gift.receiver!.id}`]);
    await world.shop.advance(DAY);
    await world.finish("daily");
    expect(world.sent()).toEqual([]);
    world.shop.refundGift(gift.sale);
    await world.finish("weekly");
    expect(world.sent()).toEqual([`giverless@example.com sale ${gift.sale.id}`]);
  });

  it("brings records back that the policy has changed for, with or without a token", async () => {
    const book = world.shop.sell({ product: "serverless-handbook", email: "ann@example.com" });
    const chart = world.shop.sell({ product: "react-for-dataviz", email: "bob@example.com" });
    await world.learn([book.sale.id, chart.sale.id], handbookAlone);
    await world.finish("daily", { policy: handbookAlone, credentials: null });
    expect(world.sent()).toEqual([]);
    expect(await world.finish("daily", { credentials: null })).toEqual({ sweep: "daily", read: 2, differed: 1, sent: 1,
      finished: true, token: false });
    expect(world.sent()).toEqual(["bob@example.com due"]);
    await world.finish("daily");
    expect(world.sent()).toEqual(["bob@example.com due"]);
  });

  it("brings in what was kept apart of a record once the policy names it, with or without a token", async () => {
    const book = world.shop.sell({ product: "serverless-handbook", email: "ann@example.com" }).sale;
    const chart = world.shop.sell({ product: "react-for-dataviz", email: "ann@example.com" }).sale;
    await world.learn([book.id], handbookAlone);
    await world.ledger.claim(`sale:${chart.id}`, "ann@example.com");
    await world.ledger.park(`sale:${chart.id}`, await world.facts(chart.id), "ann@example.com");
    await world.finish("daily", { policy: handbookAlone, credentials: null });
    expect(world.sent()).toEqual([]);
    for (const credentials of [null, world.configured()]) {
      await world.finish("daily", { credentials });
      expect(world.sent()).toEqual([`ann@example.com sale ${chart.id}`]);
    }
    await world.learn([chart.id]);
    await world.finish("daily");
    expect(world.sent()).toEqual([]);
  });

  it("leaves records that come back by themselves and losses that are held, not a shortened grace", async () => {
    const emails = ["unsettled", "marked", "held", "grace"].map((name) => `${name}@example.com`);
    const sold = emails.map((email) => world.shop.sell({ product: "proclub", email, tier: "Basic" }));
    await world.learn(sold.map(({ sale }) => sale.id));
    for (const { subscription } of sold) world.shop.end(subscription!);
    await world.learn(sold.map(({ sale }) => sale.id));
    const [unsettled, marked, held, grace] = await Promise.all(emails.map(async (email) => world.ledger.load(email)));
    const club = (mark: "has" | "removing") =>
      ({ "auth0|1": { origin: "created", foreign: [], roles: { club: mark }, told: ["club"] } }) as const;
    const source = (index: number) => `subscription:${sold[index]!.subscription!.id}` as const;
    await world.ledger.save({ ...unsettled!, users: club("has"),
      unsettled: { code: "AUTH0_SCOPE", message: "", since: 1, attempts: 1 }, dueAt: world.shop.now() + MINUTE });
    await world.ledger.save({ ...marked!, users: club("removing"), dueAt: world.shop.now() + MINUTE });
    await world.ledger.save({ ...held!, users: club("has"), gave: { [source(2)]: ["club"] },
      held: { [source(2)]: 1 } });
    const generous = defineProducts([{ id: CLUB, name: "Pro Club", roles: ["club"], onEnd: { graceDays: 9 } }]);
    await world.ledger.save(withRoles(grace!, generous, world.shop.now()));
    const shorter = defineProducts([{ id: CLUB, name: "Pro Club", roles: ["club"], onEnd: { graceDays: 3 } }]);
    await world.finish("daily", { policy: new Map([...policy, ...shorter]), credentials: null });
    // Within the grace, the held one's record waits for its end as well.
    expect(world.sent()).toEqual(["grace@example.com due", "held@example.com due"]);
    await world.finish("daily", { credentials: null });
    expect(world.sent()).toEqual(["grace@example.com due"]);
  });

  it("counts the holders of each product", async () => {
    const sold = ["ann", "bob"].map((name) =>
      world.shop.sell({ product: "serverless-handbook", email: `${name}@example.com` }).sale
    );
    const club = world.shop.sell({ product: "proclub", email: "ann@example.com", tier: "Premium" }).sale;
    const gone = world.shop.sell({ product: "serverless-handbook", email: "gone@example.com" }).sale;
    world.shop.refund(gone);
    await world.learn([...sold, club, gone].map(({ id }) => id));
    await world.finish("daily");
    expect(world.holders()).toEqual({ [HANDBOOK]: 2, [CLUB]: 1 });
    expect(world.sent()).toEqual([]);
  });
});

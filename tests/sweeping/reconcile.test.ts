import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { TemporaryError } from "../../src/errors.ts";
import { newRecord } from "../../src/ledger/record.ts";
import { askedSweep } from "../../src/sweeping/reconcile.ts";
import { DAY, MINUTE, START, startShopAndLedger, type ShopAndLedger } from "./shop-and-ledger.ts";

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

const PAGE = 10;
/** So many sales that no ping told of, a minute apart. */
function sellUnseen(count: number): void {
  world.shop.seed({
    sales: Array.from({ length: count },
      (_, index) => ({ id: `unseen${String(index)}==`, product_id: "zGyG_1JQunZuizwqd9CP7g==",
        created_at: new Date(START - index * 60).toISOString(), order_id: count - index,
        email: `buyer${String(index)}@example.com`, price: 4900 })),
  });
}

/** Aborted at the n-th look: at the queue, as a page begins. */
function stopAfter(pages: number) {
  const stop = new AbortController();
  let looks = 0;
  const send = { count: 0 };
  return { enough: stop.signal, queue: { send: async (messages: readonly unknown[]) => {
    send.count += messages.length;
    looks += 1;
    if (looks === pages) stop.abort();
  }, depth: async () => 0 }, send };
}

describe("a sweep", () => {
  it("goes on where the last run stopped, page by page, and reads no page twice", async () => {
    sellUnseen(25);
    const first = stopAfter(1);
    const { sweeps: begun } = await world.run({ sweep: "recent" }, first);
    expect(begun).toEqual([{ sweep: "recent", read: PAGE, differed: PAGE, sent: PAGE, finished: false, token: true }]);
    const { sweeps: ended } = await world.run({ sweep: "recent", goOn: true });
    expect(ended).toMatchObject([{ read: 25, differed: 25, sent: 25, finished: true }]);
    expect(first.send.count + world.sent().length).toBe(25);
    expect(world.calls("/sales")).toBe(3);
    // Once it has ended there is nothing to go on with.
    expect(await world.run({ sweep: "recent", goOn: true })).toMatchObject({ sweeps: [{ read: 25, finished: true }] });
    expect(world.calls("/sales")).toBe(3);
  });

  it("holds one page however many sales there are, and sends a run no more than the queue takes", async () => {
    sellUnseen(430);
    expect(await world.run({ sweep: "weekly" })).toMatchObject({
      sweeps: [{ read: 200, sent: 200, finished: false }],
    });
    expect(await world.finish("weekly")).toMatchObject({ read: 430, sent: 430 });
    expect(new Set(world.sent()).size).toBe(430);
    // A call a page, whose rows are gone before the next is asked for: those of the first run, then all. One more a
    // run asks whose shop it is.
    expect(world.calls("/sales")).toBe(20 + 43);
    expect(world.calls("/user")).toBe(1 + 3);
    expect(world.surveyed()).toEqual(Array.from({ length: 20 + 43 }, () => PAGE));
  });

  it("takes subscribers by the hundred", async () => {
    world.shop.seed({
      subscribers: Array.from({ length: 150 },
        (_, index) => ({ id: `unseen${String(index)}==`, product_id: "wg2b8FhyMUKaJ6Eo3PrR5g==",
          created_at: new Date(START - index).toISOString(), status: "alive" as const })),
    });
    // Without a sale nobody can tell whose they are.
    expect(await world.finish("daily")).toMatchObject({ read: 150, differed: 150, sent: 0 });
    expect(world.surveyed().filter((count) => count > 0)).toEqual([100, 50]);
  });

  it("begins anew when it is asked for by hand, under another name", async () => {
    sellUnseen(3);
    await world.run({ sweep: "recent" });
    await world.shop.advance(1_000);
    await world.run({ sweep: "recent" });
    expect(new Set(world.ids()).size).toBe(6);
    expect(world.ids()[0]).toMatch(/^recent 2026-01-05T\S+ sale:unseen/);
  });

  it("is gone on with by one of two runs at once, and no page is lost", async () => {
    sellUnseen(35);
    await world.run({ sweep: "recent" }, stopAfter(1));
    await Promise.all([world.run({ sweep: "recent", goOn: true }), world.run({ sweep: "recent", goOn: true })]);
    expect(await world.run({ sweep: "recent", goOn: true })).toMatchObject({ sweeps: [{ read: 35, finished: true }] });
    expect(new Set(world.sent()).size).toBe(25);
  });

  it("that crashes before its page is ticked off sends the same messages again, under the same ids", async () => {
    sellUnseen(5);
    const crash = new Error("killed");
    const ids: string[] = [];
    const queue = { send: async (messages: readonly { readonly id: string }[]) => {
      ids.push(...messages.map(({ id }) => id));
      throw crash;
    }, depth: async () => 0 };
    await expect(world.run({ sweep: "recent" }, { queue })).rejects.toBe(crash);
    await world.shop.advance(3 * MINUTE);
    await world.run(null);
    expect(world.ids().filter((id) => id.startsWith("recent"))).toEqual(ids);
  });
});

describe("the schedule", () => {
  it("runs what is due: the last days' sales each quarter of an hour, daily and weekly sweeps", async () => {
    const ran = async () => (await world.run(null)).sweeps.map(({ sweep }) => sweep);
    expect(await ran()).toEqual(["recent", "daily", "weekly"]);
    expect(await ran()).toEqual([]);
    await world.shop.advance(14 * MINUTE);
    expect(await ran()).toEqual([]);
    await world.shop.advance(MINUTE);
    expect(await ran()).toEqual(["recent"]);
    await world.shop.advance(DAY);
    expect(await ran()).toEqual(["recent", "daily"]);
    await world.shop.advance(6 * DAY);
    expect(await ran()).toEqual(["recent", "daily", "weekly"]);
  });

  it("begins no other sweep once one found something: it would find the same again", async () => {
    sellUnseen(1);
    expect((await world.run(null)).sweeps).toMatchObject([{ sweep: "recent", sent: 1 }]);
    expect((await world.run(null)).sweeps).toMatchObject([{ sweep: "daily" }, { sweep: "weekly", sent: 1 }]);
  });

  it("puts what is more urgent before what is under way", async () => {
    sellUnseen(30);
    await world.run({ sweep: "weekly" }, stopAfter(1));
    const { sweeps } = await world.run(null, stopAfter(2));
    expect(sweeps).toMatchObject([{ sweep: "recent", read: 20, finished: false }]);
  });
});

describe("the queue", () => {
  it("gets nothing of a sweep while it is not nearly empty", async () => {
    sellUnseen(1);
    world.setDepths(21, 21);
    expect(await world.run({ sweep: "recent" })).toMatchObject({ sweeps: [{ read: 0, sent: 0, finished: false }] });
    expect(world.calls("/sales")).toBe(0);
    expect(await world.run({ sweep: "recent", goOn: true })).toMatchObject({
      sweeps: [{ read: 1, sent: 1, finished: true }],
    });
  });

  it("is waited for as long as it empties", async () => {
    sellUnseen(1);
    world.setDepths(60, 40, 20);
    expect(await world.run({ sweep: "recent" })).toMatchObject({ sweeps: [{ sent: 1, finished: true }] });
    expect(world.waits()).toEqual([2_000, 2_000]);
  });

  it("gets the first due buyers whatever it holds, and more when it empties", async () => {
    await Promise.all(
      Array.from({ length: 25 }, async (_, index) =>
        world.ledger.save({ ...newRecord(`due${String(index)}@example.com`), dueAt: START - 1_000 + index })),
    );
    world.setDepths(500, 500, 500, 500, 500, 500);
    expect(await world.run(null, { credentials: null })).toMatchObject({ due: 20 });
    const first = world.sent();
    expect(first).toHaveLength(20);
    expect(first).not.toContain("due24@example.com due");
    world.setDepths();
    expect(await world.run(null, { credentials: null })).toMatchObject({ due: 25 });
  });

  it("and the ledger fail the run when they are away", async () => {
    const away = new TemporaryError("QUEUE_UNREACHABLE", "away");
    const queue = { send: async () => Promise.reject(away), depth: async () => Promise.reject(away) };
    await expect(world.run({ sweep: "recent" }, { queue })).rejects.toBe(away);
  });
});

describe("a Gumroad that can't be read", () => {
  it.each([
    ["401", { status: 401 }, "GUMROAD_TOKEN"],
    ["403", { status: 403 }, "GUMROAD_SCOPE"],
    ["429", { status: 429 }, "GUMROAD_UNREACHABLE"],
    ["500", { status: 500 }, "GUMROAD_UNREACHABLE"],
    ["no answer", "reset", "GUMROAD_UNREACHABLE"],
  ] as const)("(%s) ends the sweeps for this run and is counted; due buyers go, and the next run goes on",
    async (_how, answer, code) => {
      sellUnseen(15);
      await world.ledger.save({ ...newRecord("due@example.com"), dueAt: START });
      world.shop.fault({ path: "/sales", skip: 1, answer });
      expect(await world.run(null)).toEqual({ due: 1, sweeps: [] });
      expect(world.failures()).toEqual([code]);
      expect(world.sent()).toHaveLength(1 + PAGE);

      const { sweeps } = await world.run(null);
      expect(sweeps[0]).toMatchObject({ sweep: "recent", read: 15, sent: 15, finished: true });
    });

  it.each(["recent", "weekly"] as const)(
    "that refuses a page of the %s sweep is gone around at the next run: from the day of the last row, not from " +
      "the beginning",
    async (sweep) => {
      const sold = (day: number, count: number) =>
        Array.from({ length: count },
          (_, index) => ({ id: `day${String(day)}n${String(index)}==`, product_id: "zGyG_1JQunZuizwqd9CP7g==",
            created_at: new Date(START - day * DAY - index * 60).toISOString(), order_id: 1_000 - 100 * day - index,
            email: `buyer${String(100 * day + index)}@example.com`, price: 4900 }));
      world.shop.seed({ sales: [...sold(0, 15), ...sold(1, 15)] });
      world.shop.fault({ path: "/sales", skip: 2, times: 1, answer: { status: 400 } });
      await world.run({ sweep });
      expect(world.failures()).toEqual(["GUMROAD_REFUSED"]);
      // Ten rows of the second page are read once more, and the ten of the first are not.
      expect(await world.run({ sweep, goOn: true })).toMatchObject({ sweeps: [{ read: 20 + 15, finished: true }] });
      expect(new Set(world.sent()).size).toBe(30);
    },
  );

  it("that goes on refusing is asked again at each run, at the sweep's own place, not after a week", async () => {
    sellUnseen(15);
    world.shop.fault({ path: "/sales", skip: 1, times: 2, answer: { status: 400 } });
    await world.run({ sweep: "weekly" });
    await world.run({ sweep: "weekly", goOn: true });
    expect(world.failures()).toEqual(["GUMROAD_REFUSED", "GUMROAD_REFUSED"]);
    await world.shop.advance(MINUTE);
    expect((await world.run(null)).sweeps).toMatchObject([{ sweep: "weekly", read: 10 + 15, finished: true }]);
  });

  it("in one row only is told, and doesn't stop the rest of the sweep", async () => {
    world.shop.setDeliver(() => 200);
    for (const email of ["odd@example.com", "ann@example.com"]) {
      world.shop.sell({ product: "wg2b8FhyMUKaJ6Eo3PrR5g==", email, accountEmail: email, tier: "Basic" });
    }
    world.shop.fault({ path: "/sales/:id", times: 1,
      answer: { status: 200, body: { success: true, sale: { id: 7 } } } });
    expect(await world.run({ sweep: "daily" })).toMatchObject({ sweeps: [{ differed: 2, sent: 1, finished: true }] });
    expect(world.failures()).toEqual(["GUMROAD_NOT_UNDERSTOOD"]);
  });

  it("refuses one product's subscribers: the others, and the records, are still looked at", async () => {
    world.shop.fault({ path: "/products/:id/subscribers", times: 1, answer: { status: 422 } });
    expect(await world.run({ sweep: "daily" })).toMatchObject({ sweeps: [] });
    expect(world.failures()).toEqual(["GUMROAD_REFUSED"]);
    expect(await world.run({ sweep: "daily", goOn: true })).toMatchObject({ sweeps: [{ finished: true }] });
    expect(world.calls("/products/:id/subscribers")).toBeGreaterThan(1);
  });

  it("is another seller's: nothing is read of it, and nothing is sent", async () => {
    sellUnseen(1);
    const credentials = { ...world.configured(), sellerId: "another==" };
    expect(await world.run({ sweep: "recent" }, { credentials })).toEqual({ due: 0, sweeps: [] });
    expect(world.sent()).toEqual([]);
    expect(world.calls("/sales")).toBe(0);
  });

  it("isn't configured: sweeps of sales say that they have nothing to do, and begin with a token", async () => {
    sellUnseen(1);
    expect(await world.run({ sweep: "weekly" }, { credentials: null })).toEqual({ due: 0,
      sweeps: [{ sweep: "weekly", read: 0, differed: 0, sent: 0, finished: true, token: false }] });
    expect((await world.run(null, { credentials: null })).sweeps).toMatchObject([{ sweep: "daily", finished: true,
      token: false }]);
    expect(world.shop.calls).toEqual([]);
    expect((await world.run(null)).sweeps).toMatchObject([{ sweep: "recent", read: 1, token: true }]);
  });
});

describe("an event", () => {
  it("asks for a sweep by its name", () => {
    expect(askedSweep({ sweep: "daily" })).toEqual({ sweep: "daily" });
    expect(askedSweep({ sweep: "weekly", goOn: true })).toEqual({ sweep: "weekly", goOn: true });
  });

  it.each([[{ source: "aws.events", "detail-type": "Scheduled Event" }], [{}], [null], ["recent"], [{
    sweep: "hourly",
  }], [{ sweep: "daily", other: 1 }]])("is an ordinary one otherwise: %j", (event) => {
    expect(askedSweep(event)).toBeNull();
  });
});

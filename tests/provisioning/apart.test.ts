import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import { entriesOf, type Sources, type TierChange } from "../../src/access/facts.ts";
import { factsOfPing, sourceOfPing } from "../../src/gumroad/facts.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { isFull } from "../../src/ledger/record.ts";
import type { MessageOf } from "../../src/queue/message.ts";
import type { SalePing } from "../../src/gumroad/ping.ts";
import { charge, JAN_5, plan, source } from "../access/purchases.ts";
import { listedShop, type ListedShop } from "./listed-shop.ts";
import { pinged, soldTo } from "./pings.ts";
import { act, ANN, due, oneBuyer, type OneBuyer, type Settings } from "./one-buyer.ts";

const settings: Settings = { place: "roles", gettingIn: "none" };
const inviting: Settings = { place: "roles", gettingIn: "invite" };
const book = { id: "book", name: "Book", roles: ["reader"] };
const mug = { id: "mug", name: "Mug", roles: ["member"] };

let auth0: Auth0Emulator;
let ann: OneBuyer;
let shop: ListedShop;

beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["reader", "member"] });
});
afterAll(async () => {
  await auth0.stop();
});
beforeEach(() => {
  auth0.reset();
  shop = listedShop();
});

const roles = () => auth0.rolesOfEmail(ANN);

const sale = (saleId: string, productId: string, changes: Partial<SalePing> = {}) =>
  soldTo(ANN, saleId, productId, changes);

/** The same, as Gumroad's API shows it from then on. */
function shown(saleId: string, productId: string, fields: Readonly<Record<string, unknown>> = {}): MessageOf<"ping"> {
  shop.show(saleId, ANN, { product_id: productId, price: 0, ...fields });
  return sale(saleId, productId);
}

const times = (count: number, what: (nth: string) => MessageOf<"ping">) =>
  Array.from({ length: count }, (_, index) => what(`${String(index).padStart(20, "0")}==`));

/** What fills a record. */
function filledWith(productId: string): Sources {
  return Object.fromEntries(
    times(640, (id) => sale(id, productId)).map(({ ping }) => [sourceOfPing(ping), factsOfPing(ping, JAN_5)]),
  );
}

function found(saleId: string): MessageOf<"hint"> {
  return { v: 1, kind: "hint", requestId: "r", buyer: ANN, hops: 0, saleId, subscriptionId: null, sweep: "daily now",
    foundAt: JAN_5 };
}

describe.each([{ how: "on trust", bought: sale }, { how: "read back", bought: shown }])(
  "what the policy doesn't name ($how)",
  ({ how, bought }) => {
    beforeEach(() => {
      ann = oneBuyer(auth0, () => JAN_5, how === "on trust" ? null : shop.api);
    });

    it("615 free purchases of an unlisted product don't lock a buyer out", async () => {
      expect(await ann.run(settings, ...times(615, (id) => bought(id, "mug")))).toBe(true);
      expect(ann.record().sources).toEqual({});
      expect(ann.apart()).toHaveLength(615);
      expect(await ann.run(settings, bought("paid", "book"))).toBe(true);
      expect({ roles: roles(), kept: ann.kept }).toEqual({ roles: ["reader"], kept: [] });
    });

    it("is taken in once the policy names it, as it is by then", async () => {
      await ann.run(inviting, bought("one", "mug"), bought("two", "mug"));
      ann.sell(defineProducts([book, mug]));
      expect(await ann.run(inviting, found("one"))).toBe(true);
      expect(roles()).toEqual(["member"]);
      expect(auth0.passwordMails).toHaveLength(1);
      expect(ann.apart()).toEqual(["sale:two"]);
    });

    it("is refunded apart, and gives nothing then", async () => {
      await ann.run(settings, bought("one", "mug"));
      if (how === "read back") bought("one", "mug", { refunded: true });
      await ann.run(settings, { ...sale("one", "mug", { event: "refund", refunded: true }) });
      ann.sell(defineProducts([book, mug]));
      await ann.run(settings, found("one"));
      expect(roles()).toEqual([]);
      expect(ann.record().sources).toMatchObject({ "sale:one": { productId: "mug" } });
    });

    it("goes out of a record that an earlier version filled with it", async () => {
      ann.write((record) => ({ ...record, sources: filledWith("mug") }));
      expect(isFull(ann.record())).toBe(true);
      expect(await ann.run(settings, bought("paid", "book"))).toBe(true);
      expect({ roles: roles(), kept: ann.kept }).toEqual({ roles: ["reader"], kept: [] });
      expect(Object.keys(ann.record().sources)).toHaveLength(441);
    });

    it("leaves what only a later version knows in the record that it goes out of", async () => {
      const later = { ...filledWith("mug"), ["order:of later"]: source("mug", [charge()]) };
      ann.write((record) => ({ ...record, sources: later }));
      await ann.run(settings, bought("paid", "book"));
      expect(Object.keys(ann.record().sources)).toContain("order:of later");
    });

    it("stays in the record where an operator decided about it", async () => {
      await ann.run(settings, bought("one", "mug"));
      const take: MessageOf<"act"> = { ...act("x", "take"), source: "sale:one" };
      await ann.run(settings, take);
      expect(ann.apart()).toEqual([]);
      ann.sell(defineProducts([book, mug]));
      await ann.run(settings, due);
      expect(roles()).toEqual([]);
    });
  },
);

describe("more of the same", () => {
  it("goes out of a full record, which keeps enough of it", async () => {
    ann = oneBuyer(auth0, () => JAN_5, null);
    ann.sell(defineProducts([book, mug]));
    ann.write((record) => ({ ...record, sources: filledWith("mug") }));
    expect(await ann.run(settings, sale("paid", "book"))).toBe(true);
    expect({ roles: roles(), kept: ann.kept }).toEqual({ roles: ["member", "reader"], kept: [] });
  });
});

describe("a bundle that the policy doesn't name", () => {
  it("stays in the record for what came with it", async () => {
    ann = oneBuyer(auth0, () => JAN_5, shop.api);
    const bundle = shown("bundle", "set", { is_bundle_purchase: true, price: 900 });
    await ann.run(settings, bundle, shown("child", "book", { is_bundle_product_purchase: true }));
    expect({ roles: roles(), apart: ann.apart() }).toEqual({ roles: ["reader"], apart: [] });
    shown("bundle", "set", { is_bundle_purchase: true, price: 900, refunded: true });
    await ann.run(settings, sale("bundle", "set", { event: "refund", refunded: true }));
    expect(roles()).toEqual([]);
  });

  it("is taken in with what came with it once that is named", async () => {
    ann = oneBuyer(auth0, () => JAN_5, shop.api);
    ann.sell(defineProducts([mug]));
    await ann.run(settings, shown("bundle", "set", { is_bundle_purchase: true, price: 900 }),
      shown("child", "book", { is_bundle_product_purchase: true }));
    expect([...ann.apart()].sort()).toEqual(["sale:bundle", "sale:child"]);
    ann.sell(defineProducts([mug, book]));
    await ann.run(settings, found("bundle"), found("child"));
    expect({ roles: roles(), apart: ann.apart() }).toEqual({ roles: ["reader"], apart: [] });
  });
});

describe("where there is no room", () => {
  beforeEach(() => {
    ann = oneBuyer(auth0, () => JAN_5, shop.api);
  });

  it("to wait, what was read counts all the same, and only the second reading is left out", async () => {
    shown("one", "book");
    expect(await ann.run(settings, sale("one", "book", { event: "refund", refunded: true }))).toBe(true);
    expect({ roles: roles(), kept: ann.kept }).toEqual({ roles: ["reader"], kept: [] });
    expect(await ann.run(settings, sale("forged", "book"))).toBe(true);
    expect(ann.kept).toEqual(["PENDING_FULL"]);
  });

  it("for a purchase that is read with a refund, the refund counts, and the purchase is kept aside", async () => {
    const bundle = { is_bundle_purchase: true, price: 900 };
    await ann.run(settings, shown("bundle", "set", bundle),
      shown("child", "book", { is_bundle_product_purchase: true }));
    const refunded = Object.entries(filledWith("book")).map(([id, source]) =>
      [id, { ...source, charges: source.charges.map((charge) => ({ ...charge, refunded: true })) }] as const
    );
    ann.write((record) => ({ ...record, sources: { ...record.sources, ...Object.fromEntries(refunded) } }));
    shown("bundle", "set", { ...bundle, refunded: true });
    shown("other bundle", "other set", { ...bundle, refunded: true });
    expect(isFull(ann.record())).toBe(true);
    expect(await ann.run(settings, sale("bundle", "set", { event: "refund", refunded: true }))).toBe(true);
    expect({ roles: roles(), kept: ann.kept }).toEqual({ roles: [], kept: ["RECORD_FULL"] });
    expect(Object.keys(ann.record().sources)).not.toContain("sale:other bundle");
  });

  it("for one more change of plan, what was read with it counts, and only the change is kept aside", async () => {
    ann = oneBuyer(auth0, () => JAN_5 + 2 * 86_400_000, shop.api);
    const club = { subscription_id: "membership" };
    await ann.run(settings, shown("first", "book", club));
    expect(roles()).toEqual(["reader"]);
    const changes = Array.from({ length: 100 },
      (_, index): TierChange => ({ at: JAN_5 + index, toldAt: null, type: "upgrade", from: plan("Basic"),
        to: plan("Premium") }));
    ann.write(({ sources, ...record }) => ({ ...record,
      sources: Object.fromEntries(
        entriesOf(sources).map(([id, source]) => [id, { ...source, tierChanges: changes }]),
      ) })
    );
    shown("first", "book", { ...club, dead: true });
    const change = pinged({ event: "subscription_updated", subscriptionId: "membership", productId: "book", email: ANN,
      at: JAN_5 + 1_000, type: "upgrade", from: plan("Basic"), to: plan("Premium") });
    expect(await ann.run(settings, change)).toBe(true);
    expect({ roles: roles(), kept: ann.kept }).toEqual({ roles: [], kept: ["PLAN_CHANGES_FULL"] });
    expect(ann.record().sources["subscription:membership"]?.tierChanges).toEqual(changes);
  });
});

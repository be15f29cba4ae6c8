import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import type { SourceId } from "../../src/access/facts.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import type { Message } from "../../src/queue/message.ts";
import { JAN_5 } from "../access/purchases.ts";
import { startLedgerTable, type LedgerTable } from "../ledger/ledger-table.ts";
import { listedShop } from "./listed-shop.ts";
import { soldTo } from "./pings.ts";
import { smallWorld } from "./small-world.ts";

const policy = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }, { id: "all", name: "All",
  contains: ["book"] }]);
const DAY = 86_400_000;
const CHILD = { product_id: "book", price: 0, is_bundle_product_purchase: true };

let auth0: Auth0Emulator;
let table: LedgerTable;
beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["reader"] });
  table = await startLedgerTable();
});
afterAll(async () => {
  await auth0.stop();
  await table.stop();
});

/** Ann's bundle went to Bo by an operator's word; a day later its seller adds a product. */
async function movedToBo(name: string) {
  const [ann, bo] = [`ann.${name}@example.com`, `bo.${name}@example.com`];
  const shop = listedShop();
  const world = smallWorld({ auth0, table, policy, start: JAN_5, gumroad: shop.api });
  const created_at = new Date(JAN_5 + DAY).toISOString();
  const told = async (...messages: readonly Message[]) => {
    world.send(...messages);
    await world.drain();
  };
  const bundle = (changes: object = {}) => {
    shop.show(`${name} bundle`, ann, { product_id: "all", is_bundle_purchase: true, ...changes });
    return soldTo(ann, `${name} bundle`, "all");
  };
  const move = (source: SourceId): Message => ({ v: 1, kind: "act", requestId: "r", buyer: ann, hops: 0, source,
    act: { at: world.now(), id: `move ${source}`, by: "dee", why: "typed ann", decision: { kind: "move", to: bo } } });
  await told(bundle());
  await told(move(`sale:${name} bundle`));
  world.letPass(DAY);
  return { told, move, roles: () => [ann, bo].map((email) => auth0.rolesOfEmail(email)), late: () => {
    shop.show(`${name} late`, ann, { ...CHILD, created_at });
    return soldTo(ann, `${name} late`, "book");
  }, refund: () => {
    bundle({ refunded: true });
    return soldTo(ann, `${name} bundle`, "all", { event: "refund", refunded: true });
  }, again: () => {
    shop.show(`${name} second`, ann, { product_id: "all", is_bundle_purchase: true, created_at });
    return soldTo(ann, `${name} second`, "all");
  } };
}

describe("what is added to a bundle after it was moved", () => {
  it("comes under the old email and stays, until an operator moves it too; then it ends with the bundle", async () => {
    const { told, move, late, refund, roles } = await movedToBo("added");
    await told(late());
    expect(roles()).toEqual([["reader"], []]);
    await told(move("sale:added late"));
    expect(roles()).toEqual([[], ["reader"]]);
    await told(refund());
    expect(roles()).toEqual([[], []]);
  });
});

describe("another bundle of whom one was moved from", () => {
  it.each(["bundle first", "product first", "at once"])("keeps its product, told %s", async (order) => {
    const { told, late, again, roles } = await movedToBo(order.replace(" ", ""));
    if (order === "bundle first") {
      await told(again());
      await told(late());
    } else if (order === "product first") {
      await told(late());
      await told(again());
    } else await told(late(), again());
    expect(roles()).toEqual([["reader"], []]);
  });
});

/** Ann bought the bundle, and of what came with it nothing is known yet. */
function soldToAnn(name: string, isOnTrust = false, sells = policy) {
  const [ann, bo, cy] = [`ann.${name}@example.com`, `bo.${name}@example.com`, `cy.${name}@example.com`];
  const shop = listedShop();
  const listed = new Map(sells);
  const world = smallWorld({ auth0, table, policy: listed, start: JAN_5, gumroad: isOnTrust ? null : shop.api });
  const told = async (...messages: readonly Message[]) => {
    world.send(...messages);
    await world.drain();
    world.letPass(1_000);
  };
  const bundle = (changes: object = {}, id = "bundle", email = ann) => {
    shop.show(`${name} ${id}`, email, { product_id: "all", is_bundle_purchase: true, ...changes });
    return soldTo(email, `${name} ${id}`, "all", { priceCents: 900,
      event: "refunded" in changes ? "refund" : "sale" });
  };
  const move = (buyer: string, to: string, what = "bundle", only?: true): Message => ({ v: 1, kind: "act",
    requestId: "r", buyer, hops: 0, source: `sale:${name} ${what}`,
    act: { at: world.now(), id: `${name} ${what} to ${to}`, by: "dee", why: "typed ann",
      decision: { kind: "move", to, ...(only && { only }) } } });
  const take = (): Message => ({ v: 1, kind: "act", requestId: "r", buyer: ann, hops: 0, source: `sale:${name} child`,
    act: { at: world.now(), id: `${name} taken`, by: "dee", why: "no", decision: { kind: "take" } } });
  return { told, bundle, world, take, toBo: (what?: string, only?: true) => move(ann, bo, what, only),
    toCy: () => move(bo, cy), childBack: () => move(bo, ann, "child", true), child: () => {
      shop.show(`${name} child`, ann, CHILD);
      return soldTo(ann, `${name} child`, "book");
    }, ann, names: () => {
      for (const product of policy.values()) listed.set(product.id, product);
      return { v: 1, kind: "hint", requestId: "r", buyer: ann, hops: 0, saleId: `${name} child`, subscriptionId: null,
        sweep: "daily", foundAt: world.now() } as const;
    }, roles: () => [ann, bo, cy].map((email) => auth0.rolesOfEmail(email)) };
}

describe("what came with a bundle, told after that was moved", () => {
  it.each([["by the API", false], ["by pings alone", true]] as const)("goes along, %s", async (name, isOnTrust) => {
    const { told, bundle, toBo, child, roles } = soldToAnn(`along${name.replaceAll(" ", "")}`, isOnTrust);
    await told(bundle());
    await told(toBo());
    await told(child());
    expect(roles()).toEqual([[], ["reader"], []]);
  });

  it("goes along, told in the same turn", async () => {
    const { told, bundle, toBo, child, roles } = soldToAnn("turn");
    await told(bundle());
    await told(child(), toBo());
    expect(roles()).toEqual([[], ["reader"], []]);
  });

  it("goes as far as that went, and ends with it", async () => {
    const { told, bundle, toBo, toCy, child, roles } = soldToAnn("far");
    await told(bundle());
    await told(toBo());
    await told(toCy());
    await told(child());
    expect(roles()).toEqual([[], [], ["reader"]]);
    await told(bundle({ refunded: true }));
    expect(roles()).toEqual([[], [], []]);
  });

  it("goes along where the policy names it only then", async () => {
    const other = defineProducts([{ id: "mug", name: "Mug", roles: ["reader"] }, { id: "all", name: "All",
      contains: ["mug"] }]);
    const { told, bundle, toBo, child, names, roles } = soldToAnn("named", false, other);
    await told(bundle(), child());
    await told(toBo());
    expect(roles()).toEqual([[], [], []]);
    await told(names());
    expect(roles()).toEqual([[], ["reader"], []]);
  });

  it("goes along with a gift, whose giver's side comes after it too", async () => {
    const { told, bundle, toBo, child, ann, roles } = soldToAnn("gift");
    const gift = { gifter_email: "gus@example.com", giftee_email: ann };
    await told(bundle({ is_gift_receiver_purchase: true, ...gift }));
    await told(toBo());
    await told(child());
    expect(roles()).toEqual([[], ["reader"], []]);
    await told(bundle({ is_gift_sender_purchase: true, ...gift }, "given", "gus@example.com"));
    await told(bundle({ is_gift_sender_purchase: true, ...gift, refunded: true }, "given", "gus@example.com"));
    expect(roles()).toEqual([[], [], []]);
  });
});

describe("a bundle's move that knows nothing of what came with it", () => {
  it.each([["by the API", false], ["by pings alone", true]] as const)("takes that along, %s",
    async (name, isOnTrust) => {
      const { told, bundle, toBo, child, roles } = soldToAnn(`unplanned${name.replaceAll(" ", "")}`, isOnTrust);
      await told(bundle());
      await told(child());
      await told(toBo());
      expect(roles()).toEqual([[], ["reader"], []]);
    });

  it("is one with the others' own moves, one a source, as they were told before, again and out of order", async () => {
    const { told, bundle, toBo, child, roles, world } = soldToAnn("each");
    await told(bundle(), child());
    const [whole, part] = [toBo(), toBo("child")];
    await told(whole, part);
    await told(part, whole);
    expect(roles()).toEqual([[], ["reader"], []]);
    expect([world.kept, world.dead]).toEqual([[], []]);
  });

  it("leaves what an operator took", async () => {
    const { told, bundle, toBo, child, take, roles } = soldToAnn("taken");
    await told(bundle(), child());
    await told(take());
    await told(toBo());
    expect(roles()).toEqual([[], [], []]);
  });

  it("leaves all of it, where only the bundle is to go, also what is told later", async () => {
    const { told, bundle, toBo, child, roles, ann, world } = soldToAnn("only");
    await told(bundle());
    await told(toBo("bundle", true));
    await told(child());
    expect(roles()).toEqual([[], [], []]);
    expect((await world.store.ledger.load(ann)).sources["sale:only child"]?.act).toBeNull();
  });
});

describe("what came with a bundle and is brought back without it", () => {
  it.each([["by reading back", false], ["by pings alone", true]] as const)("gives what it did, %s",
    async (name, isOnTrust) => {
      const { told, bundle, toBo, childBack, child, roles } = soldToAnn(`back${name.replaceAll(" ", "")}`, isOnTrust);
      await told(bundle(), child());
      await told(toBo());
      await told(childBack());
      expect(roles()).toEqual([["reader"], [], []]);
    });
});

describe("a bundle that an earlier version saw refunded without a listing", () => {
  it("takes what came with it once a sweep has it read again", async () => {
    const { told, bundle, child, roles, world, ann } = soldToAnn("unlisted");
    await told(bundle(), child());
    await told(bundle({ refunded: true }));
    const { sources, ...record } = await world.store.ledger.load(ann);
    const unlisted = Object.fromEntries(
      Object.entries(sources).map(([id, facts]) => [id, { ...facts, listedAt: null }]),
    );
    await world.store.ledger.save({ ...record, sources: unlisted });
    await told({ v: 1, kind: "due", requestId: "r", buyer: ann });
    expect(roles()).toEqual([["reader"], [], []]);
    await told({ v: 1, kind: "hint", requestId: "r", buyer: ann, hops: 0, saleId: "unlisted bundle",
      subscriptionId: null, sweep: "weekly", foundAt: world.now() });
    expect(roles()).toEqual([[], [], []]);
  });
});

describe("a bundle paid by the month that ends", () => {
  it.each([{ left: ["reader"], what: "another bundle that no ping told of holds" }, { left: [],
    what: "no other does" }])("leaves $left of what $what", async ({ left }) => {
      const [name, ann] = [`monthly${String(left.length)}`, `monthly${String(left.length)}@example.com`];
      const shop = listedShop();
      const world = smallWorld({ auth0, table, policy, start: JAN_5 + 2 * DAY, gumroad: shop.api });
      const monthly = { product_id: "all", is_bundle_purchase: true, subscription_id: `${name} sub` };
      shop.show(`${name} bundle`, ann, monthly);
      shop.show(`${name} child`, ann, CHILD);
      if (left.length > 0) shop.show(`${name} lost`, ann, { product_id: "all", is_bundle_purchase: true });
      world.send(soldTo(ann, `${name} bundle`, "all", { subscriptionId: `${name} sub` }),
        soldTo(ann, `${name} child`, "book"));
      await world.drain();
      expect(auth0.rolesOfEmail(ann)).toEqual(["reader"]);
      shop.show(`${name} bundle`, ann, { ...monthly, dead: true });
      world.send({ v: 1, kind: "hint", requestId: "r", buyer: ann, hops: 0, saleId: null,
        subscriptionId: `${name} sub`, sweep: "daily", foundAt: world.now() });
      await world.drain();
      expect(auth0.rolesOfEmail(ann)).toEqual(left);
    });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import * as z from "zod";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import { defineProducts } from "../../src/config/products-file.ts";
import type { MessageOf } from "../../src/queue/message.ts";
import { JAN_5 } from "../access/purchases.ts";
import { startLedgerTable, type LedgerTable } from "../ledger/ledger-table.ts";
import { changeEmail } from "../pipeline/login-address.ts";
import { soldTo } from "./pings.ts";
import { listedShop, type ListedShop } from "./listed-shop.ts";
import { smallWorld, type SmallWorld } from "./small-world.ts";

const policy = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }, { id: "video", name: "Video",
  roles: ["viewer"] }]);

let auth0: Auth0Emulator;
let table: LedgerTable;
let nth = 0;
beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["reader", "viewer"] });
  table = await startLedgerTable();
});
afterAll(async () => {
  await auth0.stop();
  await table.stop();
});
beforeEach(() => {
  auth0.reset();
  nth += 1;
});

const MODES = (["roles", "app_metadata"] as const).flatMap((place) =>
  (["on trust", "read back"] as const).map((how) => ({ place, how }))
);

describe.each(MODES)("an Auth0 user whom two buyers' records lead to ($place, $how)", ({ place, how }) => {
  let world: SmallWorld;
  let shop: ListedShop;
  const old = () => `old${String(nth)}@example.com`;
  const young = () => `new${String(nth)}@example.com`;
  beforeEach(() => {
    shop = listedShop();
    world = smallWorld({ auth0, table, policy, start: JAN_5, settings: { place, gettingIn: "none" },
      gumroad: how === "read back" ? shop.api : null });
  });

  /** The user's roles, wherever they are kept. */
  function roles(): readonly string[] {
    const [user] = auth0.users();
    const ours = z.object({ gumroad_auth0: z.object({ roles: z.array(z.string()) }) }).safeParse(user?.app_metadata);
    return [...(place === "roles" ? (user?.roles ?? []) : (ours.data?.gumroad_auth0.roles ?? []))].sort();
  }

  const id = (email: string, productId: string) => `${productId} of ${email}`;
  function sold(email: string, productId: string): MessageOf<"ping"> {
    shop.show(id(email, productId), email, { product_id: productId });
    return soldTo(email, id(email, productId), productId);
  }
  function refunded(email: string, productId: string): MessageOf<"ping"> {
    shop.show(id(email, productId), email, { product_id: productId, refunded: true });
    return soldTo(email, id(email, productId), productId, { event: "refund", refunded: true });
  }
  async function told(...messages: readonly MessageOf<"ping">[]): Promise<void> {
    world.send(...messages);
    await world.drain();
  }

  /** Somebody bought a book, and the login's address is another since, under which they bought it again. */
  async function bothBought(): Promise<void> {
    await told(sold(old(), "book"));
    await changeEmail(auth0, auth0.users()[0]!.user_id, young());
    await told(sold(young(), "book"));
    expect(auth0.users()).toHaveLength(1);
  }

  it("keeps a role while either gives it, and loses it with the last", async () => {
    await bothBought();
    await told(refunded(old(), "book"));
    expect(roles()).toEqual(["reader"]);
    await told(refunded(young(), "book"));
    expect(roles()).toEqual([]);
  });

  it("has what both give while purchases and refunds of both come in at once", async () => {
    await bothBought();
    await told(refunded(old(), "book"), sold(young(), "video"), sold(old(), "video"), refunded(young(), "book"));
    expect(roles()).toEqual(["viewer"]);
    await told(refunded(young(), "video"));
    expect(roles()).toEqual(["viewer"]);
    await told(refunded(old(), "video"));
    expect(roles()).toEqual([]);
  });

  it("keeps the role through a transfer between the two, with other purchases of both under way", async () => {
    await bothBought();
    await told(refunded(young(), "book"), sold(old(), "video"));
    const moved: MessageOf<"act"> = { v: 1, kind: "act", requestId: "r", buyer: old(), hops: 0,
      source: `sale:${id(old(), "book")}`,
      act: { at: JAN_5, id: `move ${String(nth)}`, by: "dee", why: "another login",
        decision: { kind: "move", to: young() } } };
    world.send(moved, refunded(old(), "video"), sold(young(), "video"));
    await world.drain();
    expect(roles()).toEqual(["reader", "viewer"]);
    await told(refunded(young(), "video"));
    expect(roles()).toEqual(["reader"]);
    // Later word of it goes to whom it was moved.
    await told(refunded(old(), "book"));
    expect(roles()).toEqual([]);
  });

  /** The ledger as it was before users had items: a record says nothing of what another gives. */
  async function asBefore(): Promise<void> {
    const { ledger, givers } = world.store;
    for (const email of [old(), young()]) {
      const record = await ledger.load(email);
      // It took what the other one had given for what was there before.
      const isForeign = email === young() && place === "roles";
      const users = Object.entries(record.users).map(([userId, user]) =>
        [userId, { ...user, ...(isForeign ? { foreign: ["reader"], roles: {} } : {}), told: undefined }] as const
      );
      if (record.version > 0) await ledger.save({ ...record, users: Object.fromEntries(users) });
      for (const [userId] of users) await givers.leave(userId, email);
    }
  }
  /** What the daily sweep has found by then: records that don't say yet what they give. */
  async function swept(): Promise<void> {
    world.send(...[old(), young()].map((buyer) => ({ v: 1, kind: "due", requestId: "r", buyer }) as const));
    await world.drain();
  }

  it.each([[true, "the first"], [false, "the second"]])(
    "keeps a role of records that no item tells of yet (%s: %s is refunded)",
    async (isOld) => {
      await bothBought();
      await asBefore();
      const [first, second] = isOld ? [old(), young()] : [young(), old()];
      await told(refunded(first, "book"));
      expect(roles()).toEqual(["reader"]);
      await swept();
      expect(roles()).toEqual(["reader"]);
      await told(refunded(second, "book"));
      expect(roles()).toEqual([]);
    },
  );

  it("keeps what no item tells of while the other record buys, and is looked at anew", async () => {
    await bothBought();
    await asBefore();
    await told(sold(young(), "video"));
    expect(roles()).toEqual(["reader", "viewer"]);
    world.send({ v: 1, kind: "due", requestId: "r", buyer: old(), anew: true });
    await world.drain();
    await told(refunded(young(), "book"), refunded(young(), "video"));
    expect(roles()).toEqual(["reader"]);
    await told(refunded(old(), "book"));
    expect(roles()).toEqual([]);
  });

  it.each([[true, "the first"], [false, "the second"]])(
    "loses what no item told of when another record bought the same, with the last of them (%s: %s goes first)",
    async (isOld) => {
      await told(sold(old(), "book"));
      await changeEmail(auth0, auth0.users()[0]!.user_id, young());
      await asBefore();
      await told(sold(young(), "book"));
      const [first, second] = isOld ? [old(), young()] : [young(), old()];
      await told(refunded(first, "book"));
      expect(roles()).toEqual(["reader"]);
      await told(refunded(second, "book"));
      expect(roles()).toEqual([]);
    },
  );

  it("loses it also where neither record said what it gives, and no sweep came between", async () => {
    await bothBought();
    await asBefore();
    await told(refunded(old(), "book"));
    expect(roles()).toEqual(["reader"]);
    await told(refunded(young(), "book"));
    expect(roles()).toEqual([]);
  });

  it("keeps what no item tells of when another record first leads to them", async () => {
    await told(sold(old(), "book"));
    await changeEmail(auth0, auth0.users()[0]!.user_id, young());
    await asBefore();
    await told(sold(young(), "video"));
    expect(roles()).toEqual(["reader", "viewer"]);
    await swept();
    await told(refunded(young(), "video"));
    expect(roles()).toEqual(["reader"]);
    await told(refunded(old(), "book"));
    expect(roles()).toEqual([]);
  });

  it("keeps what somebody gave by hand once ours was gone, when another record comes and goes", async () => {
    if (place !== "roles") return;
    await told(sold(old(), "book"));
    await told(refunded(old(), "book"));
    const [user] = auth0.users();
    await changeEmail(auth0, user!.user_id, young());
    auth0.giveRoles(user!.user_id, ["reader"]);
    await told(sold(young(), "book"));
    await told(refunded(young(), "book"));
    expect(roles()).toEqual(["reader"]);
  });

  it("who vanishes is made anew with what is bought, and each record says so", async () => {
    await bothBought();
    auth0.removeUser(auth0.users()[0]!.user_id);
    await told(sold(young(), "video"));
    expect(roles()).toEqual(["reader", "viewer"]);
    expect(auth0.users()).toMatchObject([{ email: young() }]);
    await told(sold(old(), "video"));
    expect(auth0.users().map(({ email }) => email).sort()).toEqual([young(), old()].sort());
    await told(refunded(young(), "video"), refunded(young(), "book"));
    expect(roles()).toEqual([]);
    expect((await world.store.ledger.load(old())).unsettled).toBeNull();
  });
});

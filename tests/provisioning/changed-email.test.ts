import { afterAll, beforeAll, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import { defineProducts } from "../../src/config/products-file.ts";
import { JAN_5 } from "../access/purchases.ts";
import { listedShop } from "./listed-shop.ts";
import { ANN, oneBuyer, type Settings } from "./one-buyer.ts";
import { soldTo } from "./pings.ts";

const settings: Settings = { place: "roles", gettingIn: "none" };

let auth0: Auth0Emulator;
beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["reader"] });
});
afterAll(async () => {
  await auth0.stop();
});

it("a purchase that Gumroad moved to another email stays whose it is; her other bundle, which no ping told of, counts",
  async () => {
    const shop = listedShop();
    const ann = oneBuyer(auth0, () => JAN_5, shop.api);
    ann.sell(
      defineProducts([{ id: "book", name: "Book", roles: ["reader"] }, { id: "set", name: "Set",
        contains: ["book"] }]),
    );
    const bundle = { product_id: "set", is_bundle_purchase: true };
    shop.show("first", ANN, bundle);
    shop.show("child", ANN, { product_id: "book", is_bundle_product_purchase: true });
    shop.show("second", ANN, bundle);
    await ann.run(settings, soldTo(ANN, "first", "set"), soldTo(ANN, "child", "book"));
    expect(auth0.rolesOfEmail(ANN)).toEqual(["reader"]);
    shop.show("first", "Ann.New@example.com", { ...bundle, refunded: true });
    const refund = soldTo(ANN, "first", "set", { event: "refund", refunded: true });
    await ann.run(settings, refund);
    expect(auth0.rolesOfEmail(ANN)).toEqual(["reader"]);
    expect(ann.record().spellings).toEqual([]);
    // And goes with that one.
    shop.show("second", ANN, { ...bundle, refunded: true });
    await ann.run(settings, soldTo(ANN, "second", "set", { event: "refund", refunded: true }));
    expect(auth0.rolesOfEmail(ANN)).toEqual([]);
  });

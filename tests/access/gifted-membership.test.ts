import { describe, expect, it } from "@jest/globals";

import { entitlements } from "../../src/access/entitlements.ts";
import { mergeSource } from "../../src/access/merge.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { factsOfPing } from "../../src/gumroad/facts.ts";
import { soldTo } from "../provisioning/pings.ts";
import { charge, JAN_5, reading, source } from "./purchases.ts";

const club = { id: "club", name: "Club", roles: ["member"] };
const rules = [{ onDispute: "remove" as const, roles: [] }, { roles: ["member"] }];

describe("a gifted membership whose giver disputes it", () => {
  it.each(rules)("by pings, gives $roles", ({ roles, ...rule }) => {
    const membership = { subscriptionId: "s", recurrence: "monthly" };
    const received = soldTo("bo@example.com", "r", "club", { ...membership, gift: true, gifter: "ann@example.com" });
    const given = soldTo("ann@example.com", "g", "club", { ...membership, event: "dispute", disputed: true });
    const facts = mergeSource(factsOfPing(received.ping, JAN_5), factsOfPing(given.ping, JAN_5 + 1));
    expect(entitlements({ "subscription:s": facts }, defineProducts([{ ...club, ...rule }]), JAN_5 + 2).roles).toEqual(
      roles,
    );
  });

  it.each([["a", "b"], ["b", "a"]])("by Gumroad's API, gives none, whatever the sales' ids are", (receiver, giver) => {
    const charges = [charge({ saleId: receiver, gift: "received", read: reading(1) }),
      charge({ saleId: giver, gift: "given", read: reading(1, { disputed: true }) })];
    const sorted = charges.sort((a, b) => (a.saleId < b.saleId ? -1 : 1));
    const policy = defineProducts([{ ...club, onDispute: "remove" }]);
    expect(entitlements({ "subscription:s": source("club", sorted) }, policy, JAN_5 + 2).roles).toEqual([]);
  });
});

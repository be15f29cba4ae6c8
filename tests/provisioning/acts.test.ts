import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import { defineProducts } from "../../src/config/products-file.ts";
import type { MessageOf } from "../../src/queue/message.ts";
import { DAY, JAN_5, plan } from "../access/purchases.ts";
import { act, ANN, due, oneBuyer, type OneBuyer, type Settings } from "./one-buyer.ts";
import { pinged, soldTo } from "./pings.ts";

const settings: Settings = { place: "roles", gettingIn: "none" };
const CLUB = { subscriptionId: "sub", productId: "club", email: ANN } as const;

let auth0: Auth0Emulator;
let ann: OneBuyer;
let now: number;
beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["club", "premium"] });
});
afterAll(async () => {
  await auth0.stop();
});
beforeEach(() => {
  auth0.reset();
  now = JAN_5;
  ann = oneBuyer(auth0, () => now);
  ann.sell(
    defineProducts([{ id: "club", name: "Club", variant: "Tier",
      roles: { Basic: ["club"], Premium: ["club", "premium"] } }]),
  );
});

const basic = () =>
  soldTo(ANN, "s1", "club", { subscriptionId: "sub", recurrence: "monthly", variants: [["Tier", "Basic"]] });
const upgrade = () =>
  pinged({ event: "subscription_updated", ...CLUB, at: now, type: "upgrade", from: plan("Basic"),
    to: plan("Premium") }, now);

/** An operator drops what nobody has paid for, beside what they decide. */
function dropping(kind: "follow" | "take"): MessageOf<"act"> {
  const message = act("x", "take");
  return { ...message, source: "subscription:sub",
    act: { ...message.act, at: now, decision: { kind }, dropsChanges: true } };
}

describe("an operator who drops a membership's changes of plan", () => {
  it("takes what only a ping told until then, and nothing that is told later", async () => {
    await ann.run(settings, basic(), upgrade());
    expect(auth0.rolesOfEmail(ANN)).toEqual(["club", "premium"]);
    now += DAY;
    await ann.run(settings, dropping("follow"));
    expect(auth0.rolesOfEmail(ANN)).toEqual(["club"]);
    now += DAY;
    await ann.run(settings, upgrade());
    expect(auth0.rolesOfEmail(ANN)).toEqual(["club", "premium"]);
  });

  it("leaves standing what was decided besides", async () => {
    await ann.run(settings, basic(), upgrade());
    now += DAY;
    await ann.run(settings, dropping("take"));
    expect(auth0.rolesOfEmail(ANN)).toEqual([]);
    now += DAY;
    const { act: later, ...message } = dropping("follow");
    await ann.run(settings, { ...message, act: { ...later, dropsChanges: undefined } }, due);
    expect(auth0.rolesOfEmail(ANN)).toEqual(["club"]);
  });
});

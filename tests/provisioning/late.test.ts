import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import { act, ANN, due, oneBuyer, type OneBuyer, type Settings } from "./one-buyer.ts";

const MINUTE = 60_000;

let auth0: Auth0Emulator;
let ann: OneBuyer;
let now: number;

beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["reader", "member"] });
});
afterAll(async () => {
  await auth0.stop();
});
beforeEach(() => {
  auth0.reset();
  now = Date.parse("2026-01-05T20:00:00Z");
  ann = oneBuyer(auth0, () => now);
});

describe.each<Settings>([{ place: "roles", gettingIn: "none" }, { place: "app_metadata", gettingIn: "none" }])(
  "a change that Auth0 carries out late ($place)",
  (settings) => {
    const changing = settings.place === "roles" ? { give: "POST", take: "DELETE" } : { give: "PATCH", take: "PATCH" };
    const roles = () => {
      const [user] = auth0.users();
      const ours = user?.app_metadata["gumroad_auth0"];
      return settings.place === "roles"
        ? user?.roles
        : typeof ours === "object" && ours !== null && "roles" in ours
        ? ours.roles
        : [];
    };

    it("gives no role back that was taken meanwhile", async () => {
      await ann.run(settings, act("reader", "give"));
      const land = ann.late(changing.give);
      const give = act("member", "give");
      expect(await ann.run(settings, give)).toBe(false);
      // It was tried again at once, but the first one may still come.
      expect(roles()).toEqual(["member", "reader"]);
      await ann.run(settings, give, act("member", "take"));
      expect(roles()).toEqual(["reader"]);
      await land();
      expect(roles()).toEqual(["member", "reader"]);
      expect(ann.record()).toMatchObject({ unsettled: { code: "AUTH0_TIMED_OUT" }, dueAt: now + MINUTE });
      now += MINUTE;
      expect(await ann.run(settings, due)).toBe(true);
      expect(roles()).toEqual(["reader"]);
      expect(ann.record()).toMatchObject({ unsettled: null, dueAt: null });
    });

    it("takes no role that was given again meanwhile", async () => {
      await ann.run(settings, act("reader", "give"), act("member", "give"));
      const land = ann.late(changing.take);
      await ann.run(settings, act("member", "take"));
      expect(roles()).toEqual(["reader"]);
      await ann.run(settings, act("member", "give"));
      expect(roles()).toEqual(["member", "reader"]);
      await land();
      expect(roles()).toEqual(["reader"]);
      now += MINUTE;
      await ann.run(settings, due);
      expect(roles()).toEqual(["member", "reader"]);
      expect(ann.record()).toMatchObject({ unsettled: null, dueAt: null });
      expect(auth0.users()).toMatchObject([{ email: ANN }]);
    });

    it.each([true, false])("does neither where nobody was left to write down that it wasn't answered (given: %s)",
      async (isGiven) => {
        await ann.run(settings, act("reader", "give"), act("member", isGiven ? "take" : "give"));
        const land = ann.late(isGiven ? changing.give : changing.take, true);
        const change = act("member", isGiven ? "give" : "take");
        await ann.run(settings, change);
        expect(ann.crashed).toBe(true);
        ann.recover();
        expect(await ann.run(settings, change)).toBe(true);
        expect(await ann.run(settings, act("member", isGiven ? "take" : "give"))).toBe(true);
        await land();
        expect(roles()).toEqual(isGiven ? ["member", "reader"] : ["reader"]);
        expect(ann.record()).toMatchObject({ unsettled: null, dueAt: now + MINUTE });
        now += MINUTE;
        await ann.run(settings, due);
        expect(roles()).toEqual(isGiven ? ["reader"] : ["member", "reader"]);
        expect(ann.record()).toMatchObject({ unsettled: null, dueAt: null });
      });
  },
);

it("a user who is made late, with roles that were taken meanwhile, has none in the end", async () => {
  const settings: Settings = { place: "app_metadata", gettingIn: "none" };
  const land = ann.late("POST", true);
  await ann.run(settings, act("reader", "give"));
  ann.recover();
  await ann.run(settings, act("reader", "take"));
  expect(auth0.users()).toEqual([]);
  await land();
  expect(auth0.users()).toMatchObject([{ app_metadata: { gumroad_auth0: { roles: ["reader"] } } }]);
  now += MINUTE;
  await ann.run(settings, due);
  expect(auth0.users()).toMatchObject([{ app_metadata: { gumroad_auth0: { roles: [] } } }]);
  expect(ann.record()).toMatchObject({ unsettled: null, dueAt: null });
});

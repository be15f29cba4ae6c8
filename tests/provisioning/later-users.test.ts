import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import { act, ANN, due, oneBuyer, type OneBuyer, type Settings } from "./one-buyer.ts";

const MINUTE = 60_000;
const settings: Settings = { place: "roles", gettingIn: "none" };

let auth0: Auth0Emulator;
let ann: OneBuyer;
let now: number;

beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["reader"], now: () => now });
});
afterAll(async () => {
  await auth0.stop();
});
beforeEach(() => {
  auth0.reset();
  now = Date.parse("2026-01-05T20:00:00Z");
  ann = oneBuyer(auth0, () => now);
});

/** What was done to the password of a user who has the role in the end. */
const replaced = () => ann.calls().filter((call) => call.startsWith("PATCH /users/")).length;

describe("a password that a stranger may have chosen is replaced where the user", () => {
  it("was made while we looked for the first time", async () => {
    auth0.onCall(({ path, method }, phase) => {
      if (path !== "/users" || method !== "POST" || phase !== "before") return;
      auth0.onCall(undefined);
      // Auth0 is slow, and somebody signs up meanwhile and verifies, by the mail of the sign-up.
      now += 10_000;
      auth0.addUser({ email: ANN, verified: true });
      now += 10_000;
    });
    expect(await ann.run(settings, act("reader", "give"))).toBe(true);
    expect(auth0.rolesOfEmail(ANN)).toEqual(["reader"]);
    expect(replaced()).toBe(1);
  });

  it("was made after a look upon which none could be created", async () => {
    const refused = auth0.fault({ path: "/users", method: "POST", answer: { status: 403 } });
    expect(await ann.run(settings, act("reader", "give"))).toBe(true);
    expect(ann.record()).toMatchObject({ unsettled: { code: "AUTH0_FORBIDDEN" }, lookedAt: now });
    refused.remove();
    now += MINUTE;
    auth0.addUser({ email: ANN, verified: true });
    now += MINUTE;
    await ann.run(settings, due);
    expect(auth0.rolesOfEmail(ANN)).toEqual(["reader"]);
    expect(replaced()).toBe(1);
  });

  it("was seen unverified by a turn that failed", async () => {
    const squatter = auth0.addUser({ email: ANN, verified: false });
    auth0.addUser({ email: ANN, verified: true, connection: "google-oauth2" });
    const away = auth0.fault({ path: "/users/{id}/roles", method: "GET", answer: { status: 400 } });
    await ann.run(settings, act("reader", "give"));
    away.remove();
    auth0.verifyEmail(squatter.user_id);
    now += MINUTE;
    await ann.run(settings, due);
    expect(auth0.users()).toMatchObject([{ roles: ["reader"] }, { roles: ["reader"] }]);
    expect(replaced()).toBe(1);
  });
});

it("who verified in the end isn't waited for again, as somebody who was being created would be", async () => {
  const kept: Settings = { place: "app_metadata", gettingIn: "none" };
  const unverified = auth0.addUser({ email: ANN, verified: false });
  await ann.run(kept, act("reader", "give"));
  expect(ann.record().unsettled?.code).toBe("EMAIL_UNVERIFIED");
  auth0.verifyEmail(unverified.user_id);
  await ann.run(kept, { v: 1, kind: "bind", requestId: "r", buyer: ANN, spelling: null });
  expect(ann.record()).toMatchObject({ unsettled: null, dueAt: null,
    users: { [unverified.user_id]: { roles: { reader: "has" } } } });
});

it("a user asked for by an earlier turn is looked for on, while the record waits for a verified email", async () => {
  auth0.addUser({ email: ANN, verified: false });
  ann.write((record) => ({ ...record, creating: true }));
  await ann.run({ place: "app_metadata", gettingIn: "none" }, act("reader", "give"));
  expect(ann.record()).toMatchObject({ creating: true, unsettled: { code: "EMAIL_UNVERIFIED" } });
});

it("a look that failed is none: who verified an address before the first one keeps the password", async () => {
  const away = auth0.fault({ path: "/users-by-email", answer: { status: 400 } });
  await ann.run(settings, act("reader", "give"));
  expect(ann.record().lookedAt).toBeUndefined();
  away.remove();
  now += MINUTE;
  auth0.addUser({ email: ANN, verified: true });
  now += MINUTE;
  await ann.run(settings, due);
  expect(auth0.rolesOfEmail(ANN)).toEqual(["reader"]);
  expect(replaced()).toBe(0);
});

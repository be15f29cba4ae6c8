import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import type { RolesPlace } from "../../src/ledger/record.ts";
import { emptySource } from "../../src/access/facts.ts";
import type { Message } from "../../src/queue/message.ts";
import { act, ANN, due, hint, invite, oneBuyer, type OneBuyer, type Settings } from "./one-buyer.ts";

const inviting: Settings = { place: "roles", gettingIn: "invite" };
const anew: Message = { v: 1, kind: "due", requestId: "r", buyer: ANN, anew: true, invite: true };

let auth0: Auth0Emulator;
let ann: OneBuyer;
let now: number;

beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["reader", "member"], now: () => now });
});
afterAll(async () => {
  await auth0.stop();
});
beforeEach(() => {
  now = Date.parse("2026-01-05T20:00:00Z");
  auth0.reset();
  ann = oneBuyer(auth0, () => now);
});
afterEach(() => {
  expect(auth0.failures).toEqual([]);
});

const invitations = () => auth0.passwordMails.map(({ to }) => to);
/** A record that says of a user that they have the role. */
const bind = (userId: string, places: readonly RolesPlace[]) =>
  ann.write((record) => ({ ...record,
    sources: { "grant:reader": { ...emptySource(""), act: act("reader", "give").act } },
    users: { [userId]: { origin: "verified", foreign: [], roles: { reader: "has" }, places } } })
  );
const theUser = () => {
  const [user] = auth0.users();
  if (user === undefined) throw new Error("there is no user");
  return user;
};

describe("a look at Auth0 anew", () => {
  it("gives again what somebody took by hand", async () => {
    await ann.run(inviting, act("reader", "give"));
    auth0.takeRoles(theUser().user_id, ["reader"]);
    await ann.run(inviting, due);
    expect(auth0.rolesOfEmail(ANN)).toEqual([]);
    expect(await ann.run(inviting, anew)).toBe(true);
    expect(auth0.rolesOfEmail(ANN)).toEqual(["reader"]);
    expect(ann.record().users[theUser().user_id]?.roles).toEqual({ reader: "has" });
    expect(invitations()).toHaveLength(1);
  });

  it("writes them again where they are kept in app_metadata", async () => {
    const { user_id: id } = auth0.addUser({ email: ANN, verified: true });
    bind(id, ["app_metadata"]);
    await ann.run({ place: "app_metadata", gettingIn: "invite" }, anew);
    expect(theUser().app_metadata).toEqual({ gumroad_auth0: { roles: ["reader"] } });
  });

  it("makes a new user where theirs was deleted, and invites them to it", async () => {
    await ann.run(inviting, act("reader", "give"));
    auth0.removeUser(theUser().user_id);
    expect(await ann.run(inviting, anew)).toBe(true);
    expect(auth0.rolesOfEmail(ANN)).toEqual(["reader"]);
    expect(invitations()).toEqual([ANN, ANN]);
    expect(ann.record()).toMatchObject({ invited: { outcome: "sent", asked: null }, unsettled: null, dueAt: null });
  });

  it("makes nobody where the user has another address by now", async () => {
    const { user_id: id } = auth0.addUser({ email: "ann@new.example", verified: true });
    bind(id, ["roles"]);
    expect(await ann.run(inviting, anew)).toBe(true);
    expect(auth0.users()).toMatchObject([{ email: "ann@new.example", roles: ["reader"] }]);
  });

  it("finds a user who came by another way to log in", async () => {
    await ann.run(inviting, act("reader", "give"));
    auth0.addUser({ email: ANN, verified: true, connection: "google-oauth2" });
    await ann.run(inviting, anew);
    expect(auth0.users().map(({ roles }) => roles)).toEqual([["reader"], ["reader"]]);
  });

  it("finds that an address was verified, long before the wait's time has come", async () => {
    const user = auth0.addUser({ email: ANN, verified: false });
    for (let round = 0; round < 8; round += 1) {
      await ann.run(inviting, act("reader", "give"));
      now = ann.record().dueAt ?? now;
    }
    auth0.verifyEmail(user.user_id);
    now += 1;
    await ann.run(inviting, anew);
    expect(auth0.rolesOfEmail(ANN)).toEqual(["reader"]);
  });

  it("touches no role that the user had before us, and none that somebody added", async () => {
    const user = auth0.addUser({ email: ANN, verified: true, roles: ["member"] });
    await ann.run(inviting, act("reader", "give"));
    await ann.run(inviting, act("reader", "take"));
    auth0.giveRoles(user.user_id, ["reader"]);
    await ann.run(inviting, anew);
    expect(auth0.rolesOfEmail(ANN)).toEqual(["member", "reader"]);
  });

  it("invites somebody whom a backfill brought in without, once", async () => {
    ann.write((record) => ({ ...record,
      sources: { "grant:reader": { ...emptySource(""), act: act("reader", "give").act } } })
    );
    await ann.run(inviting, hint());
    await ann.run(inviting, { ...anew, invite: false });
    expect(invitations()).toEqual([]);
    await ann.run(inviting, anew);
    await ann.run(inviting, anew);
    expect(invitations()).toEqual([ANN]);
  });

  it("of somebody who is to have nothing gives nothing, and makes nobody", async () => {
    await ann.run(inviting, anew);
    expect(auth0.users()).toEqual([]);
    expect(ann.record().version).toBe(0);
  });
});

describe("an invitation of somebody whose address nobody verified", () => {
  it("is the mail to verify it, once more", async () => {
    auth0.addUser({ email: ANN, verified: false });
    await ann.run(inviting, act("reader", "give"));
    await ann.run(inviting, invite("again"));
    expect(auth0.mails.map(({ userId }) => userId)).toEqual([theUser().user_id, theUser().user_id]);
    expect(ann.record()).toMatchObject({ unsettled: { code: "EMAIL_UNVERIFIED" }, mailed: [theUser().user_id] });
  });
});

describe("an act from a machine whose clock is ahead", () => {
  it("counts from when it came in, so that the next one counts more", async () => {
    const given = act("reader", "give");
    await ann.run(inviting, { ...given, act: { ...given.act, at: now + 300_000 } });
    now += 60_000;
    const taken = act("reader", "take");
    await ann.run(inviting, { ...taken, act: { ...taken.act, at: now } });
    expect(auth0.rolesOfEmail(ANN)).toEqual([]);
  });
});

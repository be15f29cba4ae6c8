import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import { isInvitation } from "../../local/invitation.ts";
import { emptySource } from "../../src/access/facts.ts";
import { newRecord } from "../../src/ledger/record.ts";
import { act, ANN, due, hint, invite, oneBuyer, type OneBuyer, type Settings } from "./one-buyer.ts";

const inviting: Settings = { place: "roles", gettingIn: "invite" };
const MAIL = "POST /dbconnections/change_password";
const MINUTE = 60_000;

let auth0: Auth0Emulator;
let ann: OneBuyer;
let now: number;

beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["reader", "member"], now: () => now, welcomes: isInvitation });
});
afterAll(async () => {
  await auth0.stop();
});
beforeEach(() => {
  now = Date.parse("2026-01-05T20:00:00Z");
  restart();
});
afterEach(() => {
  expect(auth0.failures).toEqual([]);
});

function restart(): void {
  auth0.reset();
  ann = oneBuyer(auth0, () => now);
}

const mails = () => auth0.passwordMails.map(({ to }) => to);
const fail = (answer: Parameters<typeof auth0.fault>[0]["answer"]) =>
  auth0.fault({ path: "/dbconnections/change_password", answer });

describe("getting in by invitation", () => {
  it("mails a new buyer once, after the first role was given", async () => {
    auth0.onCall(({ path }) => {
      if (path === "/dbconnections/change_password") expect(auth0.rolesOfEmail(ANN)).toEqual(["reader"]);
    });
    expect(await ann.run(inviting, act("reader", "give"))).toBe(true);
    auth0.onCall(undefined);
    expect(ann.calls()).toEqual(["GET /users-by-email", "POST /users", "POST /users/{id}/roles", MAIL]);
    expect(auth0.passwordMails).toMatchObject([{ to: ANN, clientId: "local-client", welcomes: true }]);
    expect(ann.record()).toMatchObject({ invited: { outcome: "sent", message: null, asked: null }, unsettled: null,
      dueAt: null });
    await ann.run(inviting, act("member", "give"));
    await ann.run(inviting, due);
    expect(mails()).toHaveLength(1);
  });

  it("mails nobody who was there before us", async () => {
    auth0.addUser({ email: ANN, verified: true });
    await ann.run(inviting, act("reader", "give"));
    expect(mails()).toEqual([]);
    expect(ann.record().invited).toBeNull();
  });

  it("mails nobody whom a sweep or a backfill found, unless that was asked for", async () => {
    ann.write((record) => ({ ...record,
      sources: { "grant:reader": { ...emptySource(""), act: act("reader", "give").act } } })
    );
    await ann.run(inviting, hint());
    expect(auth0.rolesOfEmail(ANN)).toEqual(["reader"]);
    expect(mails()).toEqual([]);
    // Nor later: whoever was brought in by it has long found a way.
    await ann.run(inviting, act("member", "give"));
    expect(mails()).toEqual([]);

    restart();
    ann.write((record) => ({ ...record,
      sources: { "grant:reader": { ...emptySource(""), act: act("reader", "give").act } } })
    );
    await ann.run(inviting, hint(true));
    expect(mails()).toEqual([ANN]);
  });

  it.each(["passwordless", "none"] as const)("mails nobody with the setting %s", async (gettingIn) => {
    await ann.run({ place: "roles", gettingIn }, act("reader", "give"));
    expect(ann.record().invited).toBeNull();
    expect(ann.calls()).toEqual(["GET /users-by-email", "POST /users", "POST /users/{id}/roles"]);
    expect(auth0.users()).toMatchObject([{
      connection: gettingIn === "passwordless" ? "email" : "Username-Password-Authentication",
      roles: ["reader"],
    }]);
    expect(auth0.mails).toEqual([]);
  });

  it("waits with the mail until a missing role can be given, and sends it though only reconcile comes", async () => {
    await ann.run(inviting, act("poet", "give"));
    expect(ann.record()).toMatchObject({ unsettled: { code: "AUTH0_ROLE_MISSING" }, invited: { outcome: "wanted" } });
    expect(mails()).toEqual([]);
    auth0.addRole("poet");
    await ann.run(inviting, due);
    expect(mails()).toEqual([ANN]);
  });

  it("works with roles in app_metadata, where the mail still knows that it is a welcome", async () => {
    await ann.run({ place: "app_metadata", gettingIn: "invite" }, act("reader", "give"));
    expect(ann.calls()).toEqual(["GET /users-by-email", "POST /users", MAIL]);
    expect(auth0.passwordMails).toMatchObject([{ to: ANN, welcomes: true }]);
  });
});

describe("an invitation that fails", () => {
  it.each([
    { trouble: "is refused", answer: { status: 400 } as const, message: /Switch the connection/ },
    { trouble: "meets a 503", answer: { status: 503 } as const, message: /503/ },
    { trouble: "loses its connection", answer: "reset" as const, message: /in time/ },
    { trouble: "goes out but loses its answer", answer: "answerThenReset" as const, message: /in time/ },
  ])("because it $trouble costs no role, is not sent again by itself, and shows why", async ({ answer, message }) => {
    fail(answer);
    expect(await ann.run(inviting, act("reader", "give"))).toBe(true);
    expect(auth0.rolesOfEmail(ANN)).toEqual(["reader"]);
    expect(ann.record()).toMatchObject({ invited: { outcome: "failed", message: expect.stringMatching(message) },
      unsettled: null, dueAt: null });
    expect(ann.record().invited?.message).not.toMatch(/@/);
    await ann.run(inviting, act("member", "give"));
    expect(ann.calls().filter((call) => call === MAIL)).toHaveLength(1);
  });

  it("because Auth0 mails too many just now is sent two minutes later: it surely didn't go out", async () => {
    fail({ status: 429 });
    await ann.run(inviting, act("reader", "give"));
    expect(ann.record()).toMatchObject({ invited: { outcome: "wanted", message: expect.stringContaining("429") },
      unsettled: null, dueAt: now + 2 * MINUTE });
    now += 2 * MINUTE;
    await ann.run(inviting, due);
    expect(mails()).toEqual([ANN]);
    expect(ann.record()).toMatchObject({ invited: { outcome: "sent", message: null }, dueAt: null });
  });

  it("is forgotten where the setting was changed before it could be sent", async () => {
    fail({ status: 429 });
    await ann.run(inviting, act("reader", "give"));
    await ann.run({ place: "roles", gettingIn: "none" }, due);
    expect(mails()).toEqual([]);
    expect(ann.record()).toMatchObject({ invited: null, dueAt: null });
  });
});

describe("an operator's invite", () => {
  it("sends the mail again, once a request, whatever the setting", async () => {
    await ann.run(inviting, act("reader", "give"));
    await ann.run({ place: "roles", gettingIn: "none" }, invite("one"));
    await ann.run(inviting, invite("one"));
    expect(mails()).toHaveLength(2);
    await ann.run(inviting, invite("two"));
    expect(mails()).toHaveLength(3);
    expect(ann.record()).toMatchObject({
      invited: { outcome: "sent", asked: { requestId: "two", by: "tom", why: "she lost the mail" } },
      dueAt: null,
    });
  });

  it("goes to the database in which the buyer's own user is", async () => {
    auth0.addUser({ email: ANN, verified: true, connection: "old-customers", provider: "auth0" });
    await ann.run(inviting, act("reader", "give"));
    await ann.run(inviting, invite("one"));
    expect(mails()).toEqual([ANN]);
  });

  it("says why nothing was sent to somebody who has no password", async () => {
    auth0.addUser({ email: ANN, verified: true, connection: "google-oauth2", provider: "google-oauth2" });
    await ann.run(inviting, act("reader", "give"));
    await ann.run(inviting, invite("one"));
    expect(mails()).toEqual([]);
    expect(ann.record()).toMatchObject({
      invited: { outcome: "failed", message: expect.stringContaining("password") },
    });
  });

  it("is tried again where Auth0 couldn't be asked who they are", async () => {
    await ann.run(inviting, act("reader", "give"));
    auth0.fault({ path: "/users-by-email", times: 5, answer: { status: 503 } });
    await ann.run(inviting, invite("one"));
    expect(ann.record()).toMatchObject({ invited: { outcome: "wanted" }, dueAt: now + 2 * MINUTE });
    await ann.run(inviting, due);
    expect(mails()).toHaveLength(2);
  });

  it("is kept for a person where nobody with this email bought anything", async () => {
    expect(await ann.run(inviting, invite("one"))).toBe(true);
    expect(ann.kept).toEqual(["BUYER_UNKNOWN"]);
    expect(ann.record()).toEqual(newRecord(ANN));
  });
});

describe("wherever everything ends, an invitation goes out at most once, and no role is lost", () => {
  it.each([
    { what: "a purchase", first: [], last: () => act("reader", "give"), most: 1 },
    { what: "an operator's invite", first: [act("reader", "give")], last: () => invite("again"), most: 2 },
  ])("with $what", async ({ first, last, most }) => {
    const seen = new Set<string>();
    for (const phase of ["before", "after"] as const) {
      for (let call = 1;; call += 1) {
        restart();
        for (const message of first) await ann.run(inviting, message);
        const message = last();
        ann.crashAt(call, phase);
        await ann.run(inviting, message);
        const { crashed } = ann;
        ann.recover();
        await ann.run(inviting, message);
        const told = `${phase} call ${String(call)}`;
        expect({ told, roles: auth0.rolesOfEmail(ANN), few: mails().length <= most }).toEqual({ told,
          roles: ["reader"], few: true });
        const outcome = ann.record().invited?.outcome ?? "none";
        expect({ told, outcome, sent: outcome !== "sent" || mails().length === most }).toMatchObject({ told,
          outcome: expect.stringMatching(/sent|sending/), sent: true });
        seen.add(outcome);
        if (!crashed) break;
      }
    }
    // Both happen: the mail goes out though something crashed, and where nobody can know, it shows.
    expect([...seen].sort()).toEqual(["sending", "sent"]);
  });
});

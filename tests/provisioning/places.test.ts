import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { summaryOf } from "../../src/ledger/record.ts";
import { MANAGEMENT_SCOPES, scopesFor } from "../../tenant/scopes.ts";
import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";
import { act, ANN, due, oneBuyer, type OneBuyer, type Settings } from "./one-buyer.ts";

const kept: Settings = { place: "app_metadata", gettingIn: "none" };
const assigned: Settings = { place: "roles", gettingIn: "none" };

let auth0: Auth0Emulator;
let ann: OneBuyer;

beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["reader", "member", "vip"] });
});
afterAll(async () => {
  await auth0.stop();
});
beforeEach(() => {
  restart();
});
afterEach(() => {
  expect(auth0.failures).toEqual([]);
});

function restart(): void {
  auth0.reset();
  ann = oneBuyer(auth0);
}

const user = () => auth0.users()[0];
/** The roles that a token would hold: those assigned, and those in `app_metadata`. */
function roles() {
  const { gumroad_auth0: ours } = user()?.app_metadata ?? {};
  const metadata: unknown = typeof ours === "object" && ours !== null && "roles" in ours ? ours.roles : [];
  return { assigned: user()?.roles, metadata };
}

describe("roles in app_metadata", () => {
  it("cost two calls: look up, and create with the roles", async () => {
    expect(await ann.run(kept, act("reader", "give"))).toBe(true);
    expect(ann.calls()).toEqual(["GET /users-by-email", "POST /users"]);
    expect(roles()).toEqual({ assigned: [], metadata: ["reader"] });
    expect(ann.record()).toMatchObject({ unsettled: null, dueAt: null,
      users: { [user()!.user_id]: { origin: "created", roles: { reader: "has" }, places: ["app_metadata"] } } });
  });

  it("need no scope of roles, and no role in the tenant", async () => {
    auth0.setScopes(scopesFor("app_metadata"));
    await ann.run(kept, act("poet", "give"));
    await ann.run(kept, act("novelist", "give"));
    await ann.run(kept, act("poet", "take"));
    expect(roles()).toEqual({ assigned: [], metadata: ["novelist"] });
    expect(auth0.calls.map(({ path }) => path)).not.toContain("/roles");
    auth0.setScopes(MANAGEMENT_SCOPES);
  });

  it("change with one call each, which leaves our mark and what others keep there", async () => {
    await ann.run(kept, act("reader", "give"));
    const mark = user()?.app_metadata["gumroad_auth0"];
    const first = ann.calls().length;
    await ann.run(kept, act("member", "give"));
    await ann.run(kept, act("reader", "take"));
    expect(ann.calls().slice(first)).toEqual(["PATCH /users/{id}", "PATCH /users/{id}"]);
    expect(user()?.app_metadata).toEqual({
      gumroad_auth0: { ...(typeof mark === "object" ? mark : {}), roles: ["member"] },
    });
  });

  it("go to a verified user whom others made, beside what they keep there, without listing roles", async () => {
    auth0.addUser({ email: ANN, verified: true, roles: ["vip"], app_metadata: { plan: "pro" } });
    await ann.run(kept, act("reader", "give"));
    expect(ann.calls()).toEqual(["GET /users-by-email", "PATCH /users/{id}"]);
    expect(user()).toMatchObject({ roles: ["vip"],
      app_metadata: { plan: "pro", gumroad_auth0: { roles: ["reader"] } } });
  });

  it("are given to a new user when the old one is gone", async () => {
    await ann.run(kept, act("reader", "give"));
    auth0.removeUser(user()!.user_id);
    await ann.run(kept, act("member", "give"));
    expect(auth0.users()).toHaveLength(1);
    expect(roles().metadata).toEqual(["member", "reader"]);
  });

  it("don't stay with a user whom a worker created while another took them away", async () => {
    const give = act("reader", "give");
    auth0.onCall(({ path, method }, phase) => {
      // The other worker saw no user yet, so it found nothing to do.
      if (path === "/users" && method === "POST" && phase === "before") {
        ann.write((record) => ({ ...record, creating: undefined,
          sources: { "grant:reader": { ...record.sources["grant:reader"]!, act: act("reader", "take").act } } })
        );
      }
    });
    // What it did is noted on the other's record, and its message comes back.
    expect(await ann.run(kept, give)).toBe(false);
    auth0.onCall(undefined);
    expect(await ann.run(kept, give)).toBe(true);
    expect(roles().metadata).toEqual([]);
    expect(summaryOf(ann.record()).waits).toEqual([]);
  });
});

describe("wherever everything ends, roles in app_metadata end right", () => {
  it.each(["before", "after"] as const)("if it ends %s a call, and the role is taken back meanwhile or not",
    async (phase) => {
      for (const then of ["reader", null]) {
        for (let call = 1;; call += 1) {
          restart();
          const give = act("reader", "give");
          ann.crashAt(call, phase);
          await ann.run(kept, give);
          const { crashed } = ann;
          ann.recover();
          const told = `${phase} call ${String(call)}, then ${then ?? "taken back"}`;
          expect({ told, done: await ann.run(kept, give, ...(then === null ? [act("reader", "take")] : [])) }).toEqual(
            { told, done: true },
          );
          expect({ told, users: auth0.users().length <= 1, roles: user() === undefined ? [] : roles().metadata })
            .toEqual({ told, users: true, roles: then === null ? [] : [then] });
          expect({ told, waits: summaryOf(ann.record()).waits }).toEqual({ told, waits: [] });
          if (!crashed) break;
        }
      }
    });
});

describe("a setting that is changed", () => {
  it("moves assigned roles into app_metadata with the next look, and leaves those of others", async () => {
    auth0.addUser({ email: ANN, verified: true, roles: ["vip"] });
    await ann.run(assigned, act("reader", "give"));
    expect(roles()).toEqual({ assigned: ["reader", "vip"], metadata: [] });
    await ann.run(kept, due);
    expect(roles()).toEqual({ assigned: ["vip"], metadata: ["reader"] });
    await ann.run(kept, act("reader", "take"));
    expect(roles()).toEqual({ assigned: ["vip"], metadata: [] });
  });

  it("moves them back, and never removes what the user was assigned by others meanwhile", async () => {
    auth0.addUser({ email: ANN, verified: true });
    await ann.run(kept, act("reader", "give"), act("member", "give"));
    auth0.giveRoles(user()!.user_id, ["vip", "member"]);
    await ann.run(assigned, due);
    expect(roles()).toEqual({ assigned: ["member", "reader", "vip"], metadata: [] });
    await ann.run(assigned, act("reader", "take"), act("member", "take"));
    expect(roles()).toEqual({ assigned: ["member", "vip"], metadata: [] });
  });

  it("leaves a role where it was until it can be given in the new place", async () => {
    await ann.run(kept, act("poet", "give"));
    await ann.run(assigned, due);
    expect(roles()).toEqual({ assigned: [], metadata: ["poet"] });
    expect(ann.record()).toMatchObject({ unsettled: { code: "AUTH0_ROLE_MISSING" } });
    auth0.addRole("poet");
    await ann.run(assigned, due);
    expect(roles()).toEqual({ assigned: ["poet"], metadata: [] });
  });

  it.each([
    { from: assigned, to: kept, ends: { assigned: ["vip"], metadata: ["member"] } },
    { from: kept, to: assigned, ends: { assigned: ["member", "vip"], metadata: [] } },
  ])("to $to.place ends right wherever everything ends, also with a role taken back meanwhile",
    async ({ from, to, ends }) => {
      for (const phase of ["before", "after"] as const) {
        for (let call = 1;; call += 1) {
          restart();
          auth0.addUser({ email: ANN, verified: true, roles: ["vip"] });
          await ann.run(from, act("reader", "give"), act("member", "give"));
          ann.crashAt(call, phase);
          await ann.run(to, due);
          const { crashed } = ann;
          ann.recover();
          const told = `${phase} call ${String(call)}`;
          await ann.run(to, act("reader", "take"));
          expect({ told, roles: roles() }).toEqual({ told, roles: ends });
          expect({ told, waits: summaryOf(ann.record()).waits }).toEqual({ told, waits: [] });
          if (!crashed) break;
        }
      }
    });
});

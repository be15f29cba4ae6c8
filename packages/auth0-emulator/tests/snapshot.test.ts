import { afterEach, describe, expect, it } from "@jest/globals";

import { startAuth0Emulator } from "../src/emulator.ts";
import type { Auth0Emulator } from "../src/emulator.ts";
import { GOOD_PASSWORD, rawCall, tokenOf } from "./raw-calls.ts";

const started: Auth0Emulator[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((auth0) => auth0.stop()));
});

async function tenant(...roles: string[]): Promise<Auth0Emulator> {
  const auth0 = await startAuth0Emulator({ roles, now: () => 1_000 });
  started.push(auth0);
  return auth0;
}

async function create(auth0: Auth0Emulator, email: string): Promise<void> {
  const token = await tokenOf(auth0);
  const body = { connection: "Username-Password-Authentication", email, password: GOOD_PASSWORD };
  expect((await rawCall(auth0, "POST", "/api/v2/users", { token, body })).status).toBe(201);
}

describe("a snapshot of a tenant", () => {
  it("gives another the same users with the same roles and mails", async () => {
    const before = await tenant("club");
    await create(before, "ann@example.com");
    const [ann] = before.users();
    before.giveRoles(ann!.user_id, ["club", "made-later"]);
    before.addUser({ email: "gus@gmail.com", connection: "google-oauth2", verified: true });
    const after = await tenant("club", "new");
    after.restore(before.snapshot());
    expect(after.users()).toEqual(before.users());
    expect(after.mails).toEqual(before.mails);
    const token = await tokenOf(after);
    const { body } = await rawCall(after, "GET", "/api/v2/roles", { token });
    expect(body).toMatchObject([{ name: "club" }, { name: "made-later" }, { name: "new" }]);
  });

  it("is of its moment: what happens afterwards is not in it", async () => {
    const auth0 = await tenant("club");
    const { user_id: id } = auth0.addUser({ email: "ann@example.com" });
    const snapshot = auth0.snapshot();
    auth0.giveRoles(id, ["club"]);
    auth0.addUser({ email: "bo@example.com" });
    auth0.restore(snapshot);
    expect(auth0.users().map(({ email, roles }) => ({ email, roles }))).toEqual([{ email: "ann@example.com",
      roles: [] }]);
  });

  it("keeps a role's id when it was deleted and made again, which a new tenant would not", async () => {
    const before = await tenant("club");
    before.removeRole("club");
    const { id } = before.addRole("club");
    const after = await tenant("club");
    after.restore(before.snapshot());
    const token = await tokenOf(after);
    expect((await rawCall(after, "GET", "/api/v2/roles", { token })).body).toMatchObject([{ id, name: "club" }]);
  });

  it("of something else is refused", async () => {
    const auth0 = await tenant();
    expect(() => auth0.restore(Buffer.from("nothing"))).toThrow();
  });
});

import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { JobsClient } from "auth0/jobs";
import { RolesClient } from "auth0/roles";
import { TicketsClient } from "auth0/tickets";
import { UsersClient } from "auth0/users";

import { SERVICE_SCOPES } from "../src/scopes.ts";
import { DEFAULT_CONNECTION } from "../src/options.ts";
import { startAuth0Emulator } from "../src/emulator.ts";
import type { Auth0Emulator } from "../src/emulator.ts";
import { GOOD_PASSWORD, tokenOf } from "./raw-calls.ts";

const NOBODY = "auth0|000000000000000000000000";
let auth0: Auth0Emulator;
let now = Date.UTC(2026, 0, 5);
let users: UsersClient;
let roles: RolesClient;
let tickets: TicketsClient;
let jobs: JobsClient;

beforeEach(async () => {
  now = Date.UTC(2026, 0, 5);
  auth0 = await startAuth0Emulator({ now: () => now, roles: ["serverless-handbook", "club"],
    scopes: [...SERVICE_SCOPES, "create:user_tickets", "delete:users", "create:roles"], connections: [
      { name: DEFAULT_CONNECTION, strategy: "auth0" },
      { name: "email", strategy: "email" },
      { name: "google-oauth2", strategy: "google-oauth2" },
    ] });
  const token = await tokenOf(auth0);
  const options = { baseUrl: `${auth0.url}/api/v2`, token: () => Promise.resolve(token), maxRetries: 0 };
  users = new UsersClient(options);
  roles = new RolesClient(options);
  tickets = new TicketsClient(options);
  jobs = new JobsClient(options);
});
afterEach(async () => {
  await auth0.stop();
  expect(auth0.failures).toEqual([]);
});

const ann = { connection: DEFAULT_CONNECTION, email: "ann@example.com", password: GOOD_PASSWORD };
const refusal = (statusCode: number, message: string | RegExp, errorCode?: string) =>
  expect.objectContaining({ statusCode,
    body: expect.objectContaining({ statusCode,
      message: typeof message === "string" ? message : expect.stringMatching(message),
      ...(errorCode === undefined ? {} : { errorCode }) }) });

describe("creating a user", () => {
  it("answers the user as Auth0 does, without the password", async () => {
    const user = await users.create({ ...ann, email_verified: true, app_metadata: { made: "here" } });
    expect(user).toEqual({ user_id: expect.stringMatching(/^auth0\|[0-9a-f]{24}$/), email: "ann@example.com",
      email_verified: true, created_at: "2026-01-05T00:00:00.000Z", updated_at: "2026-01-05T00:00:00.000Z",
      identities: [
        { connection: DEFAULT_CONNECTION, provider: "auth0", isSocial: false,
          user_id: expect.stringMatching(/^[0-9a-f]{24}$/) },
      ], name: "ann@example.com", nickname: "ann", picture: expect.stringMatching(/^https:/),
      app_metadata: { made: "here" } });
    expect(await users.get(user.user_id!)).toEqual(user);
  });

  it("stores the email of a database user in lower case", async () => {
    expect((await users.create({ ...ann, email: "Ann@Example.com" })).email).toBe("ann@example.com");
  });

  it("refuses the same email in the same connection, whatever its letter case", async () => {
    await users.create(ann);
    await expect(users.create({ ...ann, email: "ANN@example.com" })).rejects.toEqual(
      refusal(409, "The user already exists.", "auth0_idp_error"),
    );
  });

  it("takes the same email in another connection, as another user", async () => {
    await users.create(ann);
    const passwordless = await users.create({ connection: "email", email: "ann@example.com" });
    expect(passwordless.user_id).toMatch(/^email\|[0-9a-f]{24}$/);
    expect(auth0.users()).toHaveLength(2);
  });

  it("lets only one of fifty at once through", async () => {
    const all = await Promise.allSettled(Array.from({ length: 50 }, () => users.create(ann)));
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(auth0.users()).toHaveLength(1);
  });

  it.each(["Short-1", "alllowercaseletters", "onlylower1234", "ONLYUPPER1234"])("refuses the weak password %s",
    async (password) => {
      await expect(users.create({ ...ann, password })).rejects.toEqual(
        refusal(400, "PasswordStrengthError: Password is too weak"),
      );
    });

  it.each(["Lowerupper1", "lower-case-1", "UPPER-lower"])("takes the password %s", async (password) => {
    await expect(users.create({ ...ann, password })).resolves.toBeDefined();
  });

  it.each([
    { $case: "no password for a database", body: { connection: DEFAULT_CONNECTION, email: "a@example.com" },
      message: /Missing required property: password/ },
    { $case: "no email", body: { connection: DEFAULT_CONNECTION, password: GOOD_PASSWORD },
      message: /Missing required property: email/ },
    { $case: "a connection that isn't there", body: { ...ann, connection: "Nowhere" },
      message: "The connection does not exist." },
    { $case: "a social connection", body: { connection: "google-oauth2", email: "a@gmail.com" },
      message: /come from their provider/ },
    { $case: "a password for a passwordless connection", body: { ...ann, connection: "email" },
      message: /passwordless/ },
    { $case: "a username", body: { ...ann, username: "ann" }, message: /requires_username/ },
    { $case: "a broken email", body: { ...ann, email: "ann" },
      message: /Object didn't pass validation for format email: ann' on property email/ },
  ])("refuses $case", async ({ body, message }) => {
    await expect(users.create(body)).rejects.toEqual(refusal(400, message));
    expect(auth0.users()).toEqual([]);
  });

  it.each([
    { $case: "nothing about mail", extra: {}, mailed: true },
    { $case: "a verified email", extra: { email_verified: true }, mailed: false },
    { $case: "verify_email: false", extra: { verify_email: false }, mailed: false },
    { $case: "verify_email: true", extra: { email_verified: true, verify_email: true }, mailed: true },
  ])("with $case mails a verification: $mailed", async ({ extra, mailed }) => {
    await users.create({ ...ann, ...extra });
    expect(auth0.mails.map(({ to, cause }) => ({ to, cause }))).toEqual(
      mailed ? [{ to: "ann@example.com", cause: "create" }] : [],
    );
  });
});

describe("finding users", () => {
  it("compares emails with what is stored, letter case included", async () => {
    await users.create(ann);
    auth0.addUser({ email: "Ann@Example.com", connection: "google-oauth2", verified: true });
    expect((await users.listUsersByEmail({ email: "ann@example.com" })).map((user) => user.user_id)).toEqual([
      expect.stringMatching(/^auth0\|/),
    ]);
    expect((await users.listUsersByEmail({ email: "Ann@Example.com" })).map((user) => user.user_id)).toEqual([
      expect.stringMatching(/^google-oauth2\|\d{21}$/),
    ]);
    expect(await users.listUsersByEmail({ email: "ANN@EXAMPLE.COM" })).toEqual([]);
  });

  it("keeps a plus sign in an email", async () => {
    await users.create({ ...ann, email: "ann+book@example.com" });
    expect(await users.listUsersByEmail({ email: "ann+book@example.com" })).toHaveLength(1);
  });

  it("leaves metadata out that was never set", async () => {
    await users.create(ann);
    const [user] = await users.listUsersByEmail({ email: "ann@example.com" });
    expect(user).not.toHaveProperty("app_metadata");
    expect(user).not.toHaveProperty("user_metadata");
  });

  it("shows only the fields asked for", async () => {
    await users.create(ann);
    expect(await users.listUsersByEmail({ email: "ann@example.com", fields: "email,email_verified" })).toEqual([
      { email: "ann@example.com", email_verified: false },
    ]);
  });

  it("lists in pages", async () => {
    for (const name of ["a", "b", "c"]) auth0.addUser({ email: `${name}@example.com` });
    const page = await users.list({ per_page: 2 });
    expect(page.data.map(({ email }) => email)).toEqual(["a@example.com", "b@example.com"]);
    expect(page.response).toMatchObject({ start: 0, limit: 2, length: 2, total: 3 });
    await page.getNextPage();
    expect(page.data.map(({ email }) => email)).toEqual(["c@example.com"]);
    expect(page.hasNextPage()).toBe(false);
  });

  it("does not search", async () => {
    await expect(users.list({ q: 'email:"a@example.com"' })).rejects.toEqual(refusal(400, /does not search/));
  });

  it("answers 404 for an unknown id", async () => {
    await expect(users.get(NOBODY)).rejects.toEqual(refusal(404, "The user does not exist.", "inexistent_user"));
  });
});

describe("changing a user", () => {
  it("merges root keys of app_metadata only; null removes one", async () => {
    const user = await users.create({ ...ann, app_metadata: { keep: 1, drop: 2, deep: { a: 1, b: 2 } } });
    now += 1000;
    const changed = await users.update(user.user_id!, { app_metadata: { drop: null, deep: { c: 3 } } });
    expect(changed.app_metadata).toEqual({ keep: 1, deep: { c: 3 } });
    expect(changed.updated_at).toBe("2026-01-05T00:00:01.000Z");
    expect((await users.update(user.user_id!, { app_metadata: {} })).app_metadata).toBeUndefined();
  });

  it("changes the email of a database user, which is then unverified, and mails if asked", async () => {
    const user = await users.create({ ...ann, email_verified: true });
    const changed = await users.update(user.user_id!, { email: "New@example.com", verify_email: true });
    expect(changed).toMatchObject({ email: "new@example.com", email_verified: false });
    expect(auth0.mails).toMatchObject([{ to: "new@example.com", cause: "update" }]);
  });

  it("refuses an email that another user of the connection has", async () => {
    auth0.addUser({ email: "taken@example.com" });
    const user = await users.create(ann);
    await expect(users.update(user.user_id!, { email: "taken@example.com" })).rejects.toEqual(
      refusal(400, "The specified new email already exists"),
    );
  });

  it("refuses email and password of a social user, who is then unchanged", async () => {
    const { user_id: id } = auth0.addUser({ email: "gus@gmail.com", connection: "google-oauth2" });
    await expect(users.update(id, { email: "other@gmail.com" })).rejects.toEqual(
      refusal(400, /cannot be updated: email\./, "operation_not_supported"),
    );
    await expect(users.update(id, { password: GOOD_PASSWORD })).rejects.toEqual(
      refusal(400, /non-database/, "operation_not_supported"),
    );
    expect((await users.update(id, { app_metadata: { fine: true } })).app_metadata).toEqual({ fine: true });
    expect(auth0.users()).toMatchObject([{ email: "gus@gmail.com" }]);
  });

  it("refuses a weak password, and password and email together", async () => {
    const user = await users.create(ann);
    await expect(users.update(user.user_id!, { password: "weak" })).rejects.toEqual(refusal(400, /too weak/));
    await expect(users.update(user.user_id!, { password: GOOD_PASSWORD, email: "b@example.com" })).rejects.toEqual(
      refusal(400, "Cannot update password and email simultaneously"),
    );
  });

  it("answers 404 for an unknown id, but deletes one without a word", async () => {
    await expect(users.update(NOBODY, { blocked: true })).rejects.toEqual(refusal(404, "The user does not exist."));
    await expect(users.delete(NOBODY)).resolves.toBeUndefined();
  });

  it("deletes a user with their roles", async () => {
    const { user_id: id } = auth0.addUser({ email: "a@example.com", roles: ["club"] });
    await users.delete(id);
    expect(auth0.users()).toEqual([]);
    expect(auth0.rolesOf(id)).toEqual([]);
    await expect(users.roles.list(id)).rejects.toEqual(refusal(404, "The user does not exist."));
  });
});

describe("roles", () => {
  const idOf = async (name: string) => (await roles.list({ name_filter: name })).data[0]!.id!;

  it("lists them by name, filtered and in pages", async () => {
    expect((await roles.list()).data.map(({ name }) => name)).toEqual(["club", "serverless-handbook"]);
    expect((await roles.list({ name_filter: "HAND" })).data).toEqual([
      { id: expect.stringMatching(/^rol_[A-Za-z0-9]{16}$/), name: "serverless-handbook", description: "" },
    ]);
    const second = await roles.list({ per_page: 1, page: 1 });
    expect(second.response).toMatchObject({ start: 1, limit: 1, total: 2, roles: [{ name: "serverless-handbook" }] });
  });

  it("creates one, and refuses its name a second time", async () => {
    expect(await roles.create({ name: "masterclass", description: "d" })).toMatchObject({ name: "masterclass",
      description: "d" });
    await expect(roles.create({ name: "masterclass" })).rejects.toEqual(refusal(409, /already exists/));
  });

  it("assigns and removes, each twice without harm", async () => {
    const { user_id: id } = auth0.addUser({ email: "a@example.com", roles: ["club"] });
    const handbook = await idOf("serverless-handbook");
    await users.roles.assign(id, { roles: [handbook] });
    await users.roles.assign(id, { roles: [handbook] });
    expect((await users.roles.list(id, { per_page: 100 })).data.map(({ name }) => name)).toEqual(["club",
      "serverless-handbook"]);
    await users.roles.delete(id, { roles: [handbook] });
    await users.roles.delete(id, { roles: [handbook] });
    expect(auth0.rolesOf(id)).toEqual(["club"]);
  });

  it("tells an unknown role from an unknown user, and then changes nothing", async () => {
    const { user_id: id } = auth0.addUser({ email: "a@example.com" });
    const club = await idOf("club");
    await expect(users.roles.assign(id, { roles: [club, "rol_0000000000000000"] })).rejects.toEqual(
      refusal(404, "The role does not exist: rol_0000000000000000", "inexistent_role"),
    );
    await expect(users.roles.delete(id, { roles: ["club"] })).rejects.toEqual(
      refusal(404, "The role does not exist: club"),
    );
    await expect(users.roles.assign(NOBODY, { roles: [club] })).rejects.toEqual(
      refusal(404, "The user does not exist."),
    );
    expect(auth0.rolesOf(id)).toEqual([]);
  });

  it("gives a user fifty, and not one more", async () => {
    const { user_id: id } = auth0.addUser({ email: "a@example.com",
      roles: Array.from({ length: 50 }, (_, n) => `role-${String(n)}`) });
    const held = await users.roles.list(id, { per_page: 50 });
    expect(held.data).toHaveLength(50);
    await users.roles.assign(id, { roles: [held.data[0]!.id!] });
    await expect(users.roles.assign(id, { roles: [await idOf("club")] })).rejects.toEqual(
      refusal(400, "A user can have at most 50 roles."),
    );
  });

  it("takes a deleted role from everybody, and gives its successor another id", async () => {
    const { user_id: id } = auth0.addUser({ email: "a@example.com", roles: ["club"] });
    const before = await idOf("club");
    auth0.removeRole("club");
    expect(auth0.rolesOf(id)).toEqual([]);
    expect(auth0.addRole("club").id).not.toBe(before);
  });
});

describe("tickets and mails", () => {
  it("makes a password ticket", async () => {
    const { user_id: id } = auth0.addUser({ email: "a@example.com" });
    const { ticket } = await tickets.changePassword({ user_id: id, client_id: "app", ttl_sec: 60,
      mark_email_as_verified: true });
    expect(ticket).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/lo\/reset\?ticket=/);
    expect(auth0.tickets).toEqual([
      { userId: id, url: ticket, marksEmailVerified: true, clientId: "app", resultUrl: undefined,
        expiresAt: now + 60_000 },
    ]);
  });

  it("refuses a ticket for nobody, an unknown or a passwordless user, and for two ways back", async () => {
    const { user_id: id } = auth0.addUser({ email: "a@example.com" });
    const passwordless = auth0.addUser({ email: "a@example.com", connection: "email" });
    await expect(tickets.changePassword({})).rejects.toEqual(refusal(400, /Missing required property: user_id/));
    await expect(tickets.changePassword({ user_id: NOBODY })).rejects.toEqual(
      refusal(404, "The user does not exist."),
    );
    await expect(tickets.changePassword({ user_id: passwordless.user_id })).rejects.toEqual(
      refusal(400, /does not support/),
    );
    await expect(tickets.changePassword({ user_id: id, client_id: "a", result_url: "https://example.com" })).rejects
      .toEqual(refusal(400, /not both/));
    await expect(tickets.changePassword({ user_id: "a" })).rejects.toEqual(refusal(400, /format user-id/));
    expect(auth0.tickets).toEqual([]);
  });

  it("records a verification mail, until somebody follows it", async () => {
    const { user_id: id } = auth0.addUser({ email: "a@example.com" });
    expect(await jobs.verificationEmail.create({ user_id: id })).toMatchObject({ type: "verification_email",
      status: "pending" });
    expect(auth0.mails).toEqual([{ to: "a@example.com", userId: id, at: now, cause: "job" }]);
    auth0.verifyEmail(id);
    expect((await users.get(id)).email_verified).toBe(true);
    await expect(jobs.verificationEmail.create({ user_id: NOBODY })).rejects.toEqual(
      refusal(400, "The user does not exist."),
    );
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { auth0Directory, type Directory } from "../../src/auth0/directory.ts";
import { MANAGEMENT_SCOPES } from "../../tenant/scopes.ts";
import { auth0SecretShape, type Auth0Credentials } from "../../src/auth0/secret.ts";
import type { Secret } from "../../src/config/secret.ts";
import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";

let auth0: Auth0Emulator;
let clock: number;
let clientSecret: string;
let rereads: number;
let directory: Directory;
const signal = new AbortController().signal;

beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["reader", "member"], now: () => clock });
});
afterAll(async () => {
  await auth0.stop();
});
beforeEach(() => {
  clock = Date.parse("2026-01-05T20:00:00Z");
  clientSecret = "local-secret";
  rereads = 0;
  auth0.reset();
  auth0.onCall(undefined);
  directory = auth0Directory({ secret: secret(), now: () => clock,
    retrying: { wait: async () => Promise.resolve() } });
});

function secret(): Secret<Auth0Credentials> {
  let known = credentials();
  const reread = async () => {
    rereads += 1;
    known = credentials();
    return Promise.resolve(known);
  };
  return { get: async () => Promise.resolve(known), reread };
}
const credentials = () =>
  auth0SecretShape.parse({ domain: auth0.url, client_id: "local-client", client_secret: clientSecret });
const find = async (email: string, until: AbortSignal) => directory.find(email, email, until);
const paths = () => auth0.calls.map((call) => `${call.method} ${call.path}`);

describe("the directory", () => {
  it("creates a user without a mail, marks it as ours, and finds it again", async () => {
    const created = await directory.create("ann@example.com", signal);
    expect(created).toMatchObject({ verified: false, createdByUs: true });
    expect(await find("ann@example.com", signal)).toEqual([created]);
    expect(auth0.mails).toEqual([]);
    expect(auth0.users()).toMatchObject([{
      app_metadata: { gumroad_auth0: { created_for: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    }]);
  });

  it("tells apart who is verified, and who only claims the address", async () => {
    auth0.addUser({ email: "ann@example.com", verified: true });
    auth0.addUser({ email: "bo@example.com", verified: false, user_metadata: { gumroad_auth0: { created: true } } });
    expect(await find("ann@example.com", signal)).toMatchObject([{ verified: true, createdByUs: false }]);
    expect(await find("bo@example.com", signal)).toMatchObject([{ verified: false, createdByUs: false }]);
    expect(await find("cy@example.com", signal)).toEqual([]);
  });

  it("knows its mark only with the email that it was made for, and takes any other for none", async () => {
    const user = await directory.create("mallory@example.com", signal);
    const { app_metadata } = auth0.users()[0]!;
    auth0.removeUser(user!.id);
    auth0.addUser({ email: "ann@example.com", verified: false, app_metadata: app_metadata! });
    auth0.addUser({ email: "bo@example.com", verified: false, app_metadata: { gumroad_auth0: "vip" } });
    expect(await find("ann@example.com", signal)).toMatchObject([{ createdByUs: false }]);
    expect(await find("bo@example.com", signal)).toMatchObject([{ createdByUs: false }]);
  });

  it("looks up the spelling that it is given: Auth0 compares letter for letter", async () => {
    auth0.addUser({ email: "Ann@Example.com", verified: true, connection: "google-oauth2",
      provider: "google-oauth2" });
    expect(await directory.find("ann@example.com", "ann@example.com", signal)).toEqual([]);
    expect(await directory.find("ann@example.com", "Ann@Example.com", signal)).toMatchObject([{ verified: true,
      database: null }]);
  });

  it.each(["-a1!", "-a1", "a1!", "-b2", "b2!"])("finds a password for %s@example.com, whose name none may hold",
    async (name) => {
      expect(await directory.create(`${name}@example.com`, signal)).toMatchObject({ createdByUs: true });
    });

  it("replaces a password by one that nobody knows", async () => {
    const user = auth0.addUser({ email: "ann@example.com", verified: true });
    const [found] = await find("ann@example.com", signal);
    await directory.forgetPassword(found!, "ann@example.com", signal);
    expect(found).toMatchObject({ id: user.user_id, database: "Username-Password-Authentication" });
    expect(auth0.calls.slice(-3)).toMatchObject([{ method: "PATCH", path: "/users/{id}", status: 200 }, {
      method: "DELETE",
      path: "/users/{id}/sessions",
      status: 202,
    }, { method: "DELETE", path: "/users/{id}/refresh-tokens", status: 202 }]);
  });

  it("goes on where the plan ends no sessions, and asks for the scope where only that is missing", async () => {
    auth0.addUser({ email: "ann@example.com", verified: true });
    const [found] = await find("ann@example.com", signal);
    const body = { statusCode: 403, error: "Forbidden", message: "Not on this plan",
      errorCode: "feature_not_enabled" };
    auth0.fault({ path: "/users/{id}/sessions", times: 2, answer: { status: 403, body } });
    await directory.forgetPassword(found!, "ann@example.com", signal);
    expect(auth0.calls.at(-1)).toMatchObject({ path: "/users/{id}/refresh-tokens", status: 202 });

    auth0.setScopes(MANAGEMENT_SCOPES.filter((scope) => scope !== "delete:refresh_tokens"));
    auth0.revokeTokens();
    await expect(directory.forgetPassword(found!, "ann@example.com", signal)).rejects.toMatchObject({
      code: "AUTH0_SCOPE",
      message: expect.stringContaining("delete:refresh_tokens"),
    });
    auth0.setScopes(MANAGEMENT_SCOPES);
  });

  it("changes nothing of a user without a password, and tells when each was made", async () => {
    auth0.addUser({ email: "ann@example.com", verified: true, connection: "google-oauth2",
      provider: "google-oauth2" });
    const [found] = await find("ann@example.com", signal);
    expect(found).toMatchObject({ createdAt: clock });
    const before = auth0.calls.length;
    await directory.forgetPassword(found!, "ann@example.com", signal);
    expect(auth0.calls).toHaveLength(before);
  });

  it("says null where a user with this email exists by now", async () => {
    auth0.addUser({ email: "ann@example.com" });
    expect(await directory.create("ann@example.com", signal)).toBeNull();
  });

  it("gives, lists and takes roles by name, safely twice", async () => {
    const user = await directory.create("ann@example.com", signal);
    for (let time = 0; time < 2; time += 1) {
      expect(await directory.assign(user!.id, ["reader", "member"], signal)).toBe(true);
    }
    expect(await directory.rolesOf(user!.id, signal)).toEqual(["member", "reader"]);
    for (let time = 0; time < 2; time += 1) expect(await directory.remove(user!.id, ["member"], signal)).toBe(true);
    expect(auth0.rolesOfEmail("ann@example.com")).toEqual(["reader"]);
  });

  it("fetches one token and one list of roles, however much is done at once", async () => {
    await Promise.all(
      Array.from({ length: 5 }, async (_, index) =>
        directory.assign((await directory.create(`b${String(index)}@example.com`, signal))!.id, ["reader"], signal)),
    );
    expect(paths().filter((path) => path === "POST /oauth/token")).toHaveLength(1);
    expect(paths().filter((path) => path === "GET /roles")).toHaveLength(1);
    expect(auth0.managementCalls()).toBe(10);
  });

  it("fetches a new token a minute before the old one expires, and at once when it is refused", async () => {
    await find("ann@example.com", signal);
    clock += 86_400_000 - 60_000;
    await find("ann@example.com", signal);
    auth0.revokeTokens();
    await find("ann@example.com", signal);
    expect(paths().filter((path) => path === "POST /oauth/token")).toHaveLength(3);
  });

  it("reads the secret again when Auth0 says it is wrong, and says what to mend if it still is", async () => {
    const rotated = auth0.rotateSecret();
    await expect(find("ann@example.com", signal)).rejects.toMatchObject({ code: "AUTH0_CREDENTIALS" });
    clientSecret = rotated;
    expect(await find("ann@example.com", signal)).toEqual([]);
    expect(rereads).toBe(2);
    auth0.rotateSecret("local-secret");
  });

  it("doesn't tell a quota as a missing scope", async () => {
    const body = { statusCode: 403, error: "Forbidden", message: "User quota exceeded", errorCode: "users_quota" };
    auth0.fault({ path: "/users", times: 2, answer: { status: 403, body } });
    await expect(directory.create("ann@example.com", signal)).rejects.toMatchObject({ code: "AUTH0_FORBIDDEN",
      message: expect.stringContaining("User quota exceeded") });
  });

  it("names the scope that is missing, and works once it is granted", async () => {
    auth0.setScopes(MANAGEMENT_SCOPES.filter((scope) => scope !== "create:users"));
    await expect(directory.create("ann@example.com", signal)).rejects.toMatchObject({ code: "AUTH0_SCOPE",
      message: expect.stringContaining("create:users") });
    auth0.setScopes(MANAGEMENT_SCOPES);
    clock += 60_000;
    expect(await directory.create("ann@example.com", signal)).not.toBeNull();
  });

  it("names a role that the tenant lacks, gives the others, and finds it once it is made", async () => {
    const user = await directory.create("ann@example.com", signal);
    await expect(directory.assign(user!.id, ["reader", "poet"], signal)).rejects.toMatchObject({
      code: "AUTH0_ROLE_MISSING",
      message: expect.stringContaining('"poet"'),
    });
    expect(auth0.rolesOfEmail("ann@example.com")).toEqual(["reader"]);
    auth0.addRole("poet");
    clock += 10_000;
    expect(await directory.assign(user!.id, ["reader", "poet"], signal)).toBe(true);
    expect(auth0.rolesOfEmail("ann@example.com")).toEqual(["poet", "reader"]);
    auth0.removeRole("poet");
    expect(await directory.remove(user!.id, ["poet"], signal)).toBe(true);
  });

  it("copes with a role that was deleted and made anew, under another id", async () => {
    const user = await directory.create("ann@example.com", signal);
    await directory.assign(user!.id, ["member"], signal);
    auth0.removeRole("reader");
    auth0.addRole("reader");
    expect(await directory.assign(user!.id, ["reader"], signal)).toBe(true);
    expect(auth0.rolesOfEmail("ann@example.com")).toEqual(["member", "reader"]);
  });

  it("tells when a user is gone", async () => {
    const user = await directory.create("ann@example.com", signal);
    auth0.removeUser(user!.id);
    expect(await directory.assign(user!.id, ["reader"], signal)).toBe(false);
    expect(await directory.remove(user!.id, ["reader"], signal)).toBe(false);
  });

  it("creates users without a password where nobody has one, and names another application in its mails", async () => {
    const known = async () =>
      Promise.resolve(
        auth0SecretShape.parse({ domain: auth0.url, client_id: "local-client", client_secret: "local-secret",
          login_client_id: "courses" }),
      );
    const passwordless = auth0Directory({ secret: { get: known, reread: known }, passwordless: true });
    expect(await passwordless.create("ann@example.com", signal)).toMatchObject({ database: null, createdByUs: true,
      metadataRoles: [] });
    expect(auth0.users()).toMatchObject([{ connection: "email", email_verified: false }]);
    expect(auth0.mails).toEqual([]);
    await expect(passwordless.invite("ann@example.com", null, signal)).rejects.toMatchObject({ code: "AUTH0_REFUSED",
      message: expect.stringContaining("courses") });
  });

  it("keeps roles in app_metadata beside the mark, and takes any other shape there for none", async () => {
    const user = await directory.create("ann@example.com", signal, ["reader"]);
    expect(user).toMatchObject({ createdByUs: true, metadataRoles: ["reader"] });
    expect(await directory.writeMetadataRoles(user!.id, "ann@example.com", ["member"], signal)).toBe(true);
    expect(await find("ann@example.com", signal)).toMatchObject([{ createdByUs: true, metadataRoles: ["member"] }]);
    auth0.addUser({ email: "bo@example.com", app_metadata: { gumroad_auth0: { created_for: 7, roles: "reader" } } });
    expect(await find("bo@example.com", signal)).toMatchObject([{ createdByUs: false, metadataRoles: [] }]);
    auth0.removeUser(user!.id);
    expect(await directory.writeMetadataRoles(user!.id, null, [], signal)).toBe(false);
  });

  it.each([
    { answer: { status: 429 } as const, code: "AUTH0_MAIL_THROTTLED" },
    { answer: { status: 500 } as const, code: "AUTH0_UNREACHABLE" },
    { answer: "reset" as const, code: "AUTH0_UNREACHABLE" },
    { answer: { status: 403 } as const, code: "AUTH0_REFUSED" },
  ])("tells an invitation that surely wasn't sent from one that may have been: $code", async ({ answer, code }) => {
    auth0.fault({ path: "/dbconnections/change_password", answer });
    await expect(directory.invite("ann@example.com", null, signal)).rejects.toMatchObject({ code });
    expect(auth0.managementCalls()).toBe(0);
  });

  it("has a verification mailed", async () => {
    const user = auth0.addUser({ email: "ann@example.com", verified: false });
    await directory.mailVerification(user.user_id, signal);
    expect(auth0.mails).toMatchObject([{ userId: user.user_id }]);
  });

  it.each([
    { trouble: "a 502", answer: { status: 502 } as const },
    { trouble: "a cut connection", answer: "reset" as const },
    { trouble: "an answer lost on the way", answer: "answerThenReset" as const },
  ])("tries $trouble again, and calls it temporary after five times", async ({ answer }) => {
    auth0.fault({ path: "/users-by-email", answer });
    expect(await find("ann@example.com", signal)).toEqual([]);
    auth0.fault({ path: "/users-by-email", times: 5, answer });
    await expect(find("ann@example.com", signal)).rejects.toMatchObject({ name: "TemporaryError",
      code: "AUTH0_UNREACHABLE" });
    expect(await find("ann@example.com", signal)).toEqual([]);
  });

  it("ends a call that hangs when the time is up", async () => {
    const fault = auth0.fault({ path: "/users-by-email", answer: "hang" });
    const deadline = new AbortController();
    auth0.onCall((call) => {
      if (call.path === "/users-by-email") deadline.abort();
    });
    await expect(find("ann@example.com", deadline.signal)).rejects.toMatchObject({ name: "TemporaryError" });
    fault.remove();
  });

  it("never breaks Auth0's description", () => {
    expect(auth0.failures).toEqual([]);
  });
});

describe("the secret auth0", () => {
  const parse = (domain: string) => auth0SecretShape.safeParse({ domain, client_id: "c", client_secret: "s" });

  it.each([
    ["acme.eu.auth0.com", "https://acme.eu.auth0.com", "https://acme.eu.auth0.com/api/v2/"],
    ["https://acme.eu.auth0.com/", "https://acme.eu.auth0.com", "https://acme.eu.auth0.com/api/v2/"],
    ["http://127.0.0.1:3001", "http://127.0.0.1:3001", "http://127.0.0.1:3001/api/v2/"],
  ])("takes %s", (domain, url, audience) => {
    expect(parse(domain)).toMatchObject({ success: true,
      data: { url, audience, connection: "Username-Password-Authentication" } });
  });

  it.each(["", "http://acme.eu.auth0.com", "https://user@acme.auth0.com", "https://acme.auth0.com?x=1", "a b"])(
    "refuses %p",
    (domain) => {
      expect(parse(domain).success).toBe(false);
    },
  );
});

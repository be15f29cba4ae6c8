import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { auth0Directory, type Directory } from "../../src/auth0/directory.ts";
import { MANAGEMENT_SCOPES, scopesFor } from "../../tenant/scopes.ts";
import { auth0SecretShape } from "../../src/auth0/secret.ts";
import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";

const signal = new AbortController().signal;
const email = "ann@shop.test";

/**
 * Every call that the service makes of Auth0. A new method of the directory is a type error here until it is called.
 */
const calls: { readonly [Method in keyof Directory]: (directory: Directory, userId: string) => Promise<unknown> } = {
  find: (directory) => directory.find(email, email, signal),
  create: (directory) => directory.create("bo@shop.test", signal),
  rolesOf: (directory, userId) => directory.rolesOf(userId, signal),
  assign: (directory, userId) => directory.assign(userId, ["reader"], signal),
  remove: (directory, userId) => directory.remove(userId, ["reader"], signal),
  forgetPassword: (directory, userId) =>
    directory.forgetPassword({ id: userId, verified: false, createdByUs: false,
      database: "Username-Password-Authentication", metadataRoles: [], createdAt: 0, hasLoggedIn: false }, email,
      signal),
  writeMetadataRoles: (directory, userId) => directory.writeMetadataRoles(userId, email, ["reader"], signal),
  invite: (directory) => directory.invite(email, null, signal),
  mailVerification: (directory, userId) => directory.mailVerification(userId, signal),
};

let auth0: Auth0Emulator;

beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["reader"] });
});
afterAll(async () => {
  await auth0.stop();
});
beforeEach(() => {
  auth0.reset();
});

/** The codes of what is refused to an application with these scopes. */
async function refusals(scopes: readonly string[]): Promise<readonly unknown[]> {
  auth0.setScopes(scopes);
  const secret = auth0SecretShape.parse({ domain: auth0.url, client_id: "local-client",
    client_secret: "local-secret" });
  const known = async () => Promise.resolve(secret);
  const directory = auth0Directory({ secret: { get: known, reread: known } });
  const { user_id: userId } = auth0.addUser({ email, verified: false });
  const codes: unknown[] = [];
  for (const call of Object.values(calls)) {
    try {
      await call(directory, userId);
    } catch (error) {
      codes.push(error instanceof Error && "code" in error ? error.code : error);
    }
  }
  return codes;
}

describe("the scopes", () => {
  it("are enough for every call that the service makes", async () => {
    expect(await refusals(MANAGEMENT_SCOPES)).toEqual([]);
  });

  it("are only those of users where roles are kept in app_metadata", () => {
    expect(scopesFor("app_metadata")).toEqual(["read:users", "create:users", "update:users", "delete:sessions",
      "delete:refresh_tokens"]);
    expect(scopesFor("roles")).toEqual(MANAGEMENT_SCOPES);
  });

  it.each(MANAGEMENT_SCOPES)("are none too many: a call fails without %s", async (scope) => {
    const codes = await refusals(MANAGEMENT_SCOPES.filter((one) => one !== scope));
    expect(new Set(codes)).toEqual(new Set(["AUTH0_SCOPE"]));
  });
});

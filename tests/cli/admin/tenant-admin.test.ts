import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { ADMIN_SCOPES } from "../../../tenant/scopes.ts";
import { MANAGEMENT_SCOPES } from "../../../tenant/scopes.ts";
import { auth0SecretShape } from "../../../src/auth0/secret.ts";
import { tenantAdmin } from "../../../cli/admin/tenant-admin.ts";
import { type Auth0Emulator, startAuth0Emulator } from "auth0-emulator";
import { ADMIN_CLIENT, DEFAULT_CONNECTION } from "auth0-emulator/options";

let auth0: Auth0Emulator;
beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["club"] });
});
afterAll(() => auth0.stop());
beforeEach(() => {
  auth0.reset();
});
const soon = () => AbortSignal.timeout(60_000);
const as = (clientId: string, clientSecret: string) =>
  tenantAdmin(auth0SecretShape.parse({ domain: auth0.url, client_id: clientId, client_secret: clientSecret }));
const service = () => as("local-client", "local-secret");
const admin = () => as(ADMIN_CLIENT.id, ADMIN_CLIENT.secret);

describe("a tenant's settings", () => {
  it("are seen and changed by the operator's application, with its own scopes only", async () => {
    expect(await admin().scopes(soon())).toEqual(ADMIN_SCOPES);
    await admin().createRole("book", soon());
    await admin().createRole("book", soon());
    expect(await admin().roleNames(soon())).toEqual(["book", "club"]);
    const { user_id } = auth0.addUser({ email: "ann@example.com" });
    await admin().deleteUser(user_id, soon());
    await admin().deleteUser(user_id, soon());
    expect(auth0.users()).toEqual([]);
    expect(auth0.failures).toEqual([]);
  });

  it("tell whether a connection is enabled for an application, and enable it", async () => {
    auth0.enableConnection(DEFAULT_CONNECTION, false);
    const state = await admin().connection(DEFAULT_CONNECTION, "local-client", soon());
    expect(state).toEqual({ id: expect.stringMatching(/^con_\w{16}$/), enabled: false });
    await admin().enableConnection(state!.id, "local-client", soon());
    expect(await admin().connection(DEFAULT_CONNECTION, "local-client", soon())).toMatchObject({ enabled: true });
    expect(await admin().connection("other", "local-client", soon())).toBeNull();
    expect(auth0.failures).toEqual([]);
  });

  it("hold the service's grant, which shows in new tokens", async () => {
    auth0.setScopes(["read:users", "delete:users"]);
    expect(await service().scopes(soon())).toEqual(["read:users", "delete:users"]);
    const grant = await admin().grant("local-client", `${auth0.url}/api/v2/`, soon());
    expect(grant).toEqual({ id: expect.stringMatching(/^cgr_/), scopes: ["read:users", "delete:users"] });
    await admin().setScopes(grant!.id, MANAGEMENT_SCOPES, soon());
    expect(await service().scopes(soon())).toEqual(MANAGEMENT_SCOPES);
    expect(await admin().grant("local-client", "https://other.example.com/", soon())).toBeNull();
    expect(await admin().grant("nobody", `${auth0.url}/api/v2/`, soon())).toBeNull();
    expect(auth0.failures).toEqual([]);
  });

  it("are none of the service's own application's", async () => {
    const refused = { code: "AUTH0_SCOPE" };
    await expect(service().createRole("book", soon())).rejects.toMatchObject(refused);
    await expect(service().connection(DEFAULT_CONNECTION, "local-client", soon())).rejects.toMatchObject(refused);
    await expect(service().grant("local-client", "x", soon())).rejects.toMatchObject(refused);
    await expect(service().deleteUser("auth0|1", soon())).rejects.toMatchObject(refused);
    expect(await service().roleNames(soon())).toEqual(["club"]);
  });

  it("are refused to wrong credentials, and unreachable at a wrong domain", async () => {
    await expect(as("local-client", "guess").scopes(soon())).rejects.toMatchObject({ code: "AUTH0_CREDENTIALS" });
    auth0.fault({ path: "/oauth/token", answer: { status: 503 } });
    await expect(service().scopes(soon())).rejects.toMatchObject({ code: "AUTH0_UNREACHABLE" });
  });
});

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import * as z from "zod";

import type { Auth0Emulator } from "../src/emulator.ts";
import { startAuth0Emulator } from "../src/emulator.ts";
import { ADMIN_CLIENT, DEFAULT_CONNECTION } from "../src/options.ts";
import { askToken, rawCall } from "./raw-calls.ts";

const SCOPES = ["clients", "client_grants", "connections", "resource_servers", "roles", "actions", "email_templates"]
  .flatMap((kind) => ["read", "create", "update"].map((verb) => `${verb}:${kind}`));
const Token = z.object({ access_token: z.string() });
const Identified = z.looseObject({ id: z.string() });
const Application = z.object({ client_id: z.string(), client_secret: z.string() });

let auth0: Auth0Emulator;
let token: string;

beforeAll(async () => {
  auth0 = await startAuth0Emulator({ deployment: true, adminScopes: SCOPES, roles: ["club"] });
  const { body } = await askToken(auth0, { client_id: ADMIN_CLIENT.id, client_secret: ADMIN_CLIENT.secret });
  token = Token.parse(body).access_token;
});
afterAll(async () => {
  await auth0.stop();
  expect(auth0.failures).toEqual([]);
});

const call = async (method: string, path: string, body?: unknown) =>
  rawCall(auth0, method, `/api/v2${path}`, { token, ...(body === undefined ? {} : { body }) });

describe("what a tool that imports a tenant calls", () => {
  it("makes an application with one grant, which gets a token with its scopes and may use a connection", async () => {
    const application = await call("POST", "/clients", { name: "service", app_type: "non_interactive" });
    const made = Application.parse(application.body);
    const asked = { client_id: made.client_id, audience: `${auth0.url}/api/v2/`, scope: ["read:users"] };
    const grant = await call("POST", "/client-grants", asked);
    expect((await call("POST", "/client-grants", asked)).status).toBe(409);
    await call("PATCH", `/client-grants/${Identified.parse(grant.body).id}`, { scope: ["read:users", "read:roles"] });
    expect((await askToken(auth0, made)).body).toMatchObject({ scope: "read:users read:roles" });

    const { body } = await call("GET", `/connections?name=${DEFAULT_CONNECTION}`);
    const [connection] = z.array(Identified).parse(body);
    const clients = `/connections/${connection?.id ?? ""}/clients`;
    expect((await call("PATCH", clients, [{ client_id: made.client_id, status: true }])).status).toBe(204);
    expect((await call("GET", clients)).body).toMatchObject({
      clients: expect.arrayContaining([{ client_id: made.client_id }]),
    });
    await call("PATCH", clients, [{ client_id: made.client_id, status: false }]);
    expect((await call("GET", clients)).body).toEqual({ clients: [{ client_id: "local-client" }] });
  });

  it("binds an Action once it is deployed, and never shows a secret's value", async () => {
    const made = await call("POST", "/actions/actions", { name: "roles", code: "x",
      supported_triggers: [{ id: "post-login", version: "v3" }], secrets: [{ name: "TOKEN", value: "hush" }] });
    const action = `/actions/actions/${Identified.parse(made.body).id}`;
    const bind = async () =>
      call("PATCH", "/actions/triggers/post-login/bindings", {
        bindings: [{ ref: { type: "action_name", value: "roles" }, display_name: "roles" }],
      });
    expect((await bind()).status).toBe(400);
    expect((await call("POST", `${action}/deploy`)).status).toBe(202);
    expect((await bind()).status).toBe(200);
    const shown = await call("GET", action);
    expect(shown.body).toMatchObject({ secrets: [{ name: "TOKEN" }] });
    expect(JSON.stringify(shown.body)).not.toContain("hush");
  });

  it("keeps APIs, what roles are for and mails' templates, and refuses fields that Auth0 doesn't know", async () => {
    const api = { identifier: "https://api.shop.test", name: "API" };
    const { id } = Identified.parse((await call("POST", "/resource-servers", api)).body);
    expect((await call("POST", "/resource-servers", api)).status).toBe(409);
    expect((await call("PATCH", `/resource-servers/${id}`, { token_lifetime: 60 })).body).toMatchObject({ ...api,
      token_lifetime: 60 });
    const [role] = z.array(Identified).parse((await call("GET", "/roles")).body);
    expect((await call("PATCH", `/roles/${role?.id ?? ""}`, { description: "paid" })).body).toEqual({ id: role?.id,
      name: "club", description: "paid" });
    expect((await call("PATCH", "/email-templates/reset_email", { subject: "x" })).status).toBe(404);
    expect((await call("POST", "/clients", { name: "x", colour: "red" })).status).toBe(400);
  });

  it("is not there unless it is asked for", async () => {
    const plain = await startAuth0Emulator();
    expect((await rawCall(plain, "GET", "/api/v2/clients")).status).toBe(404);
    await plain.stop();
  });
});

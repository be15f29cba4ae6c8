import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { describe, expect, it } from "@jest/globals";
import { parse } from "yaml";

import { roleNames } from "../../tenant/role-names.ts";
import { MANAGEMENT_SCOPES } from "../../tenant/scopes.ts";
import { tenantFiles, tenantSettings, writeTenant } from "../../scripts/tenant-build.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import policy from "../../fixtures/policy.ts";
import allSettings from "../../tenant/settings.ts";
import { LOGIN_ACTION, PROVISIONING_CLIENT, tenantAssets, type TenantSettings } from "../../tenant/tenant.ts";

const settings: TenantSettings = { connection: "Buyers",
  api: { name: "Shop API", identifier: "https://api.shop.test" },
  app: { name: "Shop", url: "https://shop.test", callbacks: ["https://shop.test/callback"],
    logoutUrls: ["https://shop.test"], origins: ["https://shop.test"] }, rolesClaim: "https://shop.test/roles",
  bindUrl: "https://api.execute.test/bind", otherApps: ["Forum"], otherLoginActions: ["Ask for the terms"],
  ownEmailProvider: true };

describe("the tenant", () => {
  it("grants the provisioning application the scopes of the service's calls, and nobody anything else", () => {
    const { clientGrants } = tenantAssets(settings, policy);
    expect(clientGrants).toEqual([{ client_id: PROVISIONING_CLIENT, audience: "https://##AUTH0_DOMAIN##/api/v2/",
      scope: MANAGEMENT_SCOPES }]);
  });

  it("has every role that the policy gives", () => {
    expect(tenantAssets(settings, policy).roles.map(({ name }) => name)).toEqual(roleNames(policy));
    expect(
      tenantAssets(settings, defineProducts([{ id: "b", name: "Book", roles: ["poet"] }])).roles.map(({ name }) =>
        name
      ),
    ).toEqual(["poet"]);
  });

  it("switches the connection on for both applications, and leaves it on for those that are named", () => {
    expect(tenantAssets(settings, policy).databases).toMatchObject([{ name: "Buyers",
      enabled_clients: [PROVISIONING_CLIENT, "Shop", "Forum"] }]);
  });

  it("runs the Action after those that are named", () => {
    const { triggers } = tenantAssets(settings, policy);
    expect(triggers["post-login"].map(({ action_name }) => action_name)).toEqual(["Ask for the terms", LOGIN_ACTION]);
  });

  it("holds no secret: the token of bind is taken from the environment, and only where there is bind", () => {
    const secretsOf = (bindUrl: string | null) => tenantAssets({ ...settings, bindUrl }, policy).actions[0]?.secrets;
    expect(secretsOf(settings.bindUrl)).toEqual([
      { name: "ROLES_CLAIM", value: "https://shop.test/roles" },
      { name: "BIND_URL", value: "https://api.execute.test/bind" },
      { name: "BIND_TOKEN", value: "##GUMROAD_AUTH0_BIND_TOKEN##" },
    ]);
    expect(secretsOf(null)).toEqual([{ name: "ROLES_CLAIM", value: "https://shop.test/roles" }]);
  });
});

describe("what is imported", () => {
  it("deletes nothing, and touches only what is there", () => {
    for (const ownEmailProvider of [true, false]) {
      const { tenantYaml, configJson } = tenantFiles({ ...settings, ownEmailProvider }, policy);
      expect(JSON.parse(configJson)).toEqual({ AUTH0_ALLOW_DELETE: false,
        AUTH0_INCLUDED_ONLY: Object.keys(parse(tenantYaml)) });
      expect(tenantYaml.includes("emailTemplates")).toBe(ownEmailProvider);
    }
  });

  it("leaves two values to the environment of the import, and no more", () => {
    const { tenantYaml } = tenantFiles(settings, policy);
    expect(new Set(tenantYaml.match(/##\w+##|@@\w+@@/g))).toEqual(
      new Set(["##AUTH0_DOMAIN##", "##GUMROAD_AUTH0_BIND_TOKEN##"]),
    );
  });

  it("has every file that the tool's own names", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "tenant-"));
    try {
      const { input } = await writeTenant(folder, settings, policy);
      const { actions, emailTemplates } = parse(await readFile(input, "utf8"));
      expect(await readFile(path.join(folder, actions[0].code), "utf8")).toContain("exports.onExecutePostLogin =");
      const mail = await readFile(path.join(folder, emailTemplates[0].body), "utf8");
      expect(mail.match(/\{\{ url \}\}/g)).toHaveLength(2);
      // Subject and text must tell the same people welcome.
      const welcomes = (text: string) => /\{% if (user\.app_metadata.*?) %\}/.exec(text)?.[1];
      expect(welcomes(mail)).toBeDefined();
      expect(welcomes(mail)).toBe(welcomes(emailTemplates[0].subject));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("the settings", () => {
  const check = (changes: object) => () => tenantSettings({ prod: { ...settings, ...changes } }, "prod");

  it("are taken as they are once they are right", () => {
    expect(check({})()).toEqual(settings);
  });

  it.each([
    ["a claim without a namespace", { rolesClaim: "roles" }, "prod.rolesClaim"],
    ["a claim under Auth0's name", { rolesClaim: "https://acme.auth0.com/roles" }, "prod.rolesClaim"],
    ["a bind without TLS", { bindUrl: "http://api.shop.test/bind" }, "prod.bindUrl"],
    ["an app without a callback", { app: { ...settings.app, callbacks: [] } }, "prod.app.callbacks"],
    ["an unknown key", { apps: [] }, "apps"],
    ["an address left as it was shipped", { bindUrl: "https://api.example.com/bind" }, "example.com"],
  ])("are refused with %s, naming it", (_what, changes, named) => {
    expect(check(changes)).toThrow(
      expect.objectContaining({ code: "TENANT_SETTINGS", message: expect.stringContaining(named) }),
    );
  });

  it("are refused for a stage that has none", () => {
    expect(() => tenantSettings({ prod: settings }, "staging")).toThrow(
      expect.objectContaining({ code: "TENANT_UNKNOWN_STAGE", message: expect.stringContaining("prod") }),
    );
    expect(() => tenantSettings({ prod: settings }, "constructor")).toThrow(
      expect.objectContaining({ code: "TENANT_UNKNOWN_STAGE" }),
    );
  });

  it("as shipped ask to be edited, and are right otherwise", () => {
    expect(() => tenantSettings(allSettings, "prod")).toThrow("still says example.com");
    const edited = JSON.parse(JSON.stringify(allSettings.prod).replaceAll("example.com", "shop.test"));
    expect(tenantSettings({ prod: edited }, "prod")).toEqual(edited);
  });
});

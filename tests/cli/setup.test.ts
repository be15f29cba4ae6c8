import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import path from "node:path";

import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";

import { RESOURCE_NAMES, shopAdmin } from "../../cli/admin/shop-admin.ts";
import { LOCAL_ACCESS_TOKEN } from "gumroad-emulator/options";
import { removeStackFile, writeStackFile } from "../../local/stack-file.ts";
import { LOCAL_SELLER_ID, type Stack } from "../../local/stack.ts";
import { answers, cliOn, stackFileOf, stageOn, startComplete } from "./local-cli.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startComplete();
});
afterAll(() => stack.stop());
beforeEach(() => {
  stack.gumroad.reset();
  stack.auth0.reset();
  stack.secrets.set("ping", { tokens: ["local"], seller_id: LOCAL_SELLER_ID });
  stack.secrets.set("auth0", { domain: stack.auth0.url, client_id: "local-client", client_secret: "local-secret" });
  stack.secrets.set("gumroad", { access_token: LOCAL_ACCESS_TOKEN, seller_id: LOCAL_SELLER_ID,
    api: stack.gumroad.apiUrl });
});

const run = (line: string, options = {}) => cliOn(stack)(line, options);
const secret = async (name: string) => {
  const { SecretString = "" } = await stageOn(stack).secretsManager.send(
    new GetSecretValueCommand({ SecretId: `gumroad-auth0/local/${name}` }),
  );
  return JSON.parse(SecretString);
};
const shop = () => shopAdmin({ token: LOCAL_ACCESS_TOKEN, api: stack.gumroad.apiUrl });
const registered = async () => {
  const signal = AbortSignal.timeout(60_000);
  return (await Promise.all(RESOURCE_NAMES.map((event) => shop().subscriptions(event, signal)))).flat().map((
    { event, postUrl },
  ) => `${event} ${postUrl.replace(stack.url, "")}`);
};
const all = (url: string) => RESOURCE_NAMES.map((event) => `${event} ${url}`);

describe("setup", () => {
  it("changes nothing where everything is right, and says the ping URL", async () => {
    const { code, out } = await run("setup --json");
    expect(code).toBe(0);
    const { steps, pingUrl, ...rest } = JSON.parse(out);
    expect(rest).toEqual({ stage: "local", dryRun: false });
    expect(pingUrl).toBe(stack.pingUrl);
    expect(new Set(steps.map(({ outcome }: { outcome: string }) => outcome))).toEqual(new Set(["kept"]));
    expect(await registered()).toEqual(all("/ping/local"));
  });

  it("fills empty secrets, with tokens and keys made up, and is done the second time", async () => {
    for (const name of ["ping", "auth0", "gumroad", "accounts", "gumroad-auth0/local/bind"]) {
      stack.secrets.set(name, undefined);
    }
    const { code, out, err } = await run("setup --self-built-login");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const { tokens, seller_id } = await secret("ping");
    expect({ tokens, seller_id }).toEqual({ tokens: [expect.stringMatching(/^[\w-]{43}$/)],
      seller_id: LOCAL_SELLER_ID });
    expect(out).toContain(`Ping URL  ${stack.url}/ping/${tokens[0]}`);
    expect(await secret("bind")).toEqual({ tokens: [expect.stringMatching(/^[\w-]{43}$/)] });
    expect(await secret("accounts")).toMatchObject({ sign_with: "1", pepper_with: "1" });
    expect(await secret("gumroad")).toEqual({ access_token: LOCAL_ACCESS_TOKEN, seller_id: LOCAL_SELLER_ID,
      api: stack.gumroad.apiUrl });
    // The pings of the token before are stale now.
    expect((await registered()).sort()).toEqual(all(`/ping/${tokens[0]}`).sort());
    const again = await run("setup --json");
    expect(JSON.parse(again.out).steps.filter(({ outcome }: { outcome: string }) => outcome !== "kept")).toEqual([]);
    expect(await secret("ping")).toEqual({ tokens, seller_id });
  });

  it("says what it would do in a dry run, and does nothing", async () => {
    stack.secrets.set("ping", { tokens: ["mine"] });
    stack.auth0.removeRole("club");
    const { code, out } = await run("setup --dry-run");
    expect(code).toBe(0);
    expect(out).toContain("planned  secret ping: changed: seller_id");
    expect(out).toContain("planned  Auth0 role club: created");
    expect(out).toContain("planned  pings of refund: registered");
    expect(await secret("ping")).toEqual({ tokens: ["mine"] });
    expect(await registered()).toEqual(all("/ping/local"));
    expect(stack.auth0.calls.filter(({ method, path }) => method !== "GET" && path !== "/oauth/token")).toEqual([]);
  });

  it("keeps the tokens that are there, and everything else in a secret", async () => {
    stack.secrets.set("ping", { tokens: ["new", "local"], seller_id: "wrong", note: "mine" });
    await run("setup");
    expect(await secret("ping")).toEqual({ tokens: ["new", "local"], seller_id: LOCAL_SELLER_ID, note: "mine" });
  });

  it("rotates the ping token: the new one first, pings with it, the old one taken until forgotten", async () => {
    await run("setup --new-ping-token");
    const { tokens } = await secret("ping");
    expect(tokens).toEqual([expect.stringMatching(/^[\w-]{43}$/), "local"]);
    expect((await registered()).sort()).toEqual(all(`/ping/${tokens[0]}`).sort());
    await run("setup --forget-old-ping-tokens");
    expect(await secret("ping")).toMatchObject({ tokens: [tokens[0]] });
  });

  it("has replay post files with the new token from then on, as the old one is refused", async () => {
    const { port } = new URL(stack.url);
    const stackFile = writeStackFile(path.resolve(import.meta.dirname, "../../.local"), Number(port),
      stackFileOf(stack));
    const statuses = async (flags: string) => {
      const { out } = await run(`replay fixtures/pings/test-ping.txt --json ${flags}`, { env: { PORT: port } });
      return JSON.parse(out).pings.map(({ status }: { status: number }) => status);
    };
    try {
      await run("setup --new-ping-token --forget-old-ping-tokens");
      expect([await statuses(""), await statuses("--token local")]).toEqual([[200], [401]]);
    } finally {
      removeStackFile(stackFile);
    }
  });

  it("removes registrations of its own that are doubled or stale, and leaves other people's alone", async () => {
    stack.gumroad.subscribe("sale", stack.pingUrl);
    stack.gumroad.subscribe("refund", `${stack.url}/ping/stolen`);
    stack.gumroad.subscribe("refund", "https://hooks.example.com/ping/local");
    const { code, out } = await run("setup");
    expect(code).toBe(0);
    expect(await registered()).toEqual(
      all("/ping/local").flatMap((
        line,
      ) => (line.startsWith("refund ") ? [line, "refund https://hooks.example.com/ping/local"] : [line])),
    );
    expect(out).toContain("pings of refund: not ours, left alone: https://hooks.example.com/ping/…");
    expect(out).not.toContain("stolen");
  });

  it("asks again for credentials that are refused, and doesn't write them", async () => {
    const tokens = { GUMROAD_ACCESS_TOKEN: "revoked" };
    const questions = answers(LOCAL_ACCESS_TOKEN);
    const { code, out } = await run("setup", { questions, env: tokens });
    expect({ code, asked: questions.asked }).toEqual({ code: 0,
      asked: ["Gumroad access token with the scope view_sales"] });
    expect(out).toContain("The access token in the secret gumroad is refused");
    expect(await secret("gumroad")).toMatchObject({ access_token: LOCAL_ACCESS_TOKEN });
  });

  it("refuses credentials where nobody can be asked, and writes nothing", async () => {
    stack.secrets.set("accounts", undefined);
    const { code, err } = await run("setup --auth0-client-secret guess");
    expect(code).toBe(1);
    expect(err).toMatch(
      /^gumroad-auth0: Auth0 refuses the application local-client at \S+: wrong domain, client id or client secret/,
    );
    await expect(secret("accounts")).rejects.toThrow("can't find the specified secret value");
  });

  it("asks whether the self-built login is to be open, and leaves it off where nobody can be asked", async () => {
    stack.secrets.set("accounts", undefined);
    const alone = await run("setup");
    expect(alone).toMatchObject({ code: 0, out: expect.stringContaining("the self-built login is off") });
    await expect(secret("accounts")).rejects.toThrow("can't find the specified secret value");

    const no = answers("n");
    expect((await run("setup", { questions: no })).code).toBe(0);
    expect(no.asked).toEqual(["Open the self-built login, for buyers without Auth0 (docs/login.md)"]);
    await expect(secret("accounts")).rejects.toThrow("can't find the specified secret value");

    expect((await run("setup", { questions: answers("y") })).code).toBe(0);
    expect(await secret("accounts")).toMatchObject({ sign_with: "1", pepper_with: "1" });
    const again = answers();
    expect((await run("setup", { questions: again })).code).toBe(0);
    expect(again.asked).toEqual([]);
  });

  it("goes without a Gumroad token where that is asked for", async () => {
    stack.secrets.set("gumroad", undefined);
    stack.secrets.set("ping", undefined);
    expect(await run("setup --no-gumroad")).toMatchObject({ code: 2,
      err: "gumroad-auth0: without a Gumroad token the shop's seller_id is needed: --seller-id ID, as in any ping" });
    const { code, out } = await run("setup --no-gumroad --seller-id abc==");
    expect(code).toBe(1);
    expect(out).toContain("Paste it into Gumroad: Settings → Advanced → Ping.");
    expect(await secret("ping")).toMatchObject({ seller_id: "abc==" });
    await expect(secret("gumroad")).rejects.toThrow();
  });

  it("doesn't say that pings are trusted where a token is kept", async () => {
    const { code, out } = await run("setup --no-gumroad");
    expect(code).toBe(0);
    expect(out).toContain("it holds a token, so purchases go on being read back with that");
    expect(out).not.toMatch(/pings are trusted|only sales can be told|Paste it/);
    expect(await secret("gumroad")).toMatchObject({ access_token: LOCAL_ACCESS_TOKEN });
  });

  it("creates roles, mends scopes and enables the connection with the operator's application", async () => {
    stack.auth0.removeRole("club");
    stack.auth0.setScopes(["read:users", "read:roles", "delete:users"]);
    stack.auth0.enableConnection("Username-Password-Authentication", false);
    const { code, out } = await run("setup");
    expect(code).toBe(0);
    expect(out).toContain("done     Auth0 role club: created");
    expect(out).toMatch(/done {5}Auth0 scopes: grant create:users .*; take delete:users/);
    expect(out).toContain(
      "done     Auth0 connection Username-Password-Authentication: enabled for the service's application",
    );
    expect(stack.auth0.failures).toEqual([]);
  });
});

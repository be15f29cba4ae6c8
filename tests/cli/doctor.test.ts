import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { DeleteMessageCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import type { Policy } from "../../src/access/policy.ts";
import type { Finding } from "../../cli/doctor/finding.ts";
import { startLoopbackServer } from "../../local/aws/loopback.ts";
import { LOCAL_ACCESS_TOKEN } from "gumroad-emulator/options";
import { LOCAL_SELLER_ID, type Stack } from "../../local/stack.ts";
import shopPolicy from "../../fixtures/policy.ts";
import { RefusedError } from "../../src/errors.ts";
import { deadLetterQueue } from "../../src/queue/queue.ts";
import { projectRoot } from "../../scripts/project-root.ts";
import { changed, post } from "../pipeline/local-stack.ts";
import { answers, type CliRun, cli, cliOn, startComplete, stageOn } from "./local-cli.ts";
import { policyIn } from "./policy-source.ts";

let stack: Stack;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "doctor-"));
  stack = await startComplete();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await stack.stop();
});
const PING = { tokens: ["local"], seller_id: LOCAL_SELLER_ID };
const gumroadSecret = () => ({ access_token: LOCAL_ACCESS_TOKEN, seller_id: LOCAL_SELLER_ID,
  api: stack.gumroad.apiUrl });
beforeEach(() => {
  stack.gumroad.reset();
  stack.auth0.reset();
  stack.secrets.set("ping", PING);
  stack.secrets.set("auth0", { domain: stack.auth0.url, client_id: "local-client", client_secret: "local-secret" });
  stack.secrets.set("gumroad", gumroadSecret());
});

const findingsOf = ({ out }: CliRun): Finding[] => JSON.parse(out).findings;
const codesOf = (run: CliRun): string[] => [...new Set(findingsOf(run).map(({ code }) => code))].sort();
const PREFIX = "npx gumroad-auth0 ";

/** Seeds nothing itself: finds, mends with each printed command of this program, and looks again. */
async function foundAndMended(
  options: { policy?: Policy; env?: NodeJS.ProcessEnv; questions?: ReturnType<typeof answers> } = {},
): Promise<Finding[]> {
  const run = cliOn(stack);
  let { policy = shopPolicy } = options;
  const before = await run("doctor --json", { ...options, policy });
  expect(before.code).toBe(1);
  const findings = findingsOf(before);
  for (const mend of new Set(findings.map((finding) => finding.mend))) {
    expect(mend.startsWith(PREFIX)).toBe(true);
    const file = path.join(folder, "products.ts");
    const { code, err } = await run(mend.slice(PREFIX.length).replace("src/products.ts", file), { ...options,
      policy });
    expect({ code, err }).toEqual({ code: 0, err: "" });
    if (mend.includes("src/products.ts")) policy = policyIn(readFileSync(file, "utf8"));
  }
  const after = await run("doctor --json", { policy });
  expect({ code: after.code, findings: findingsOf(after) }).toEqual({ code: 0, findings: [] });
  return findings;
}

const onlyFound = async (code: string, options = {}) => {
  const findings = await foundAndMended(options);
  expect([...new Set(findings.map((finding) => finding.code))]).toEqual([code]);
  return findings;
};

describe("doctor", () => {
  it("finds nothing where all is well, and leaves no trace", async () => {
    const { code, out } = await cliOn(stack)("doctor");
    expect(code).toBe(0);
    expect(out.split("\n").filter((line) => line !== "" && !line.startsWith("good       "))).toEqual([
      "nothing found",
    ]);
    expect(await stack.sqs.deadLetters()).toEqual([]);
    expect(stack.auth0.failures).toEqual([]);
  });

  it.each(["ping", "auth0", "gumroad", "gumroad-auth0/local/bind"])("finds that the secret %s is missing",
    async (name) => {
      stack.secrets.set(name, undefined);
      const [finding] = (await foundAndMended()).filter(({ code }) => code === "SECRET_MISSING");
      expect(finding).toMatchObject({
        message: `The secret gumroad-auth0/local/${name.split("/").at(-1)!} has no value.`,
        mend: "npx gumroad-auth0 setup",
      });
    });

  it("finds nothing wrong with a self-built login that is off", async () => {
    stack.secrets.set("accounts", undefined);
    expect(await cliOn(stack)("doctor")).toMatchObject({ code: 0 });
  });

  it.each([
    { name: "ping", value: { tokens: ["local"] }, wrong: "missing or wrong: seller_id" },
    { name: "auth0", value: "{", wrong: "it is no JSON" },
    { name: "gumroad", value: { access_token: LOCAL_ACCESS_TOKEN }, wrong: "missing or wrong: seller_id" },
    { name: "accounts", value: {}, wrong: "missing or wrong: keys, sign_with" },
    { name: "gumroad-auth0/local/bind", value: { tokens: [] }, wrong: "missing or wrong: tokens" },
  ])("finds that the secret $name is incomplete", async ({ name, value, wrong }) => {
    stack.secrets.set(name, value);
    const [finding] = await onlyFound("SECRET_INCOMPLETE");
    expect(finding!.message).toContain(wrong);
  });

  it("finds wrong Auth0 credentials, which setup asks for anew", async () => {
    stack.auth0.rotateSecret("rotated");
    const questions = answers("", "", "rotated");
    await onlyFound("AUTH0_CREDENTIALS", { questions });
    expect(questions.asked).toEqual([
      "Auth0 domain, such as acme.eu.auth0.com",
      "Auth0 client id of the machine-to-machine application",
      "Auth0 client secret, empty to keep it",
    ]);
  });

  it("finds a scope too few, and one too many", async () => {
    stack.auth0.setScopes(["read:users", "create:users", "update:users", "read:roles", "read:role_members",
      "create:role_members", "delete:sessions", "delete:refresh_tokens", "delete:users"]);
    const findings = await foundAndMended();
    expect(findings.map(({ code, message }) => `${code} ${/scope (\S+),/.exec(message)?.[1] ?? ""}`)).toEqual([
      "AUTH0_SCOPE_MISSING delete:role_members",
      "AUTH0_SCOPE_EXCESS delete:users",
    ]);
  });

  it("finds a role that is missing", async () => {
    stack.auth0.removeRole("club-premium");
    expect(await onlyFound("AUTH0_ROLE_MISSING")).toMatchObject([{
      message: "The policy gives the role club-premium, which the Auth0 tenant doesn't have.",
    }]);
  });

  it("finds that the connection is not enabled: no new buyer could be created", async () => {
    stack.auth0.enableConnection("Username-Password-Authentication", false);
    await onlyFound("AUTH0_CONNECTION_DISABLED");
    expect(stack.auth0.failures).toEqual([]);
  });

  it("finds that Gumroad's token is revoked", async () => {
    stack.secrets.set("gumroad", { ...gumroadSecret(), access_token: "revoked" });
    await onlyFound("GUMROAD_TOKEN");
  });

  it("finds that Gumroad's token lacks its scope", async () => {
    stack.gumroad.addToken({ token: "narrow", scopes: ["view_profile"], application: "other" });
    stack.secrets.set("gumroad", { ...gumroadSecret(), access_token: "narrow" });
    await onlyFound("GUMROAD_SCOPE");
  });

  it("finds a wrong seller_id, in either secret", async () => {
    stack.secrets.set("ping", { ...PING, seller_id: "somebody-else" });
    stack.secrets.set("gumroad", { ...gumroadSecret(), seller_id: "somebody-else" });
    expect(await onlyFound("SELLER_WRONG")).toHaveLength(2);
  });

  it("finds a registration that is missing, doubled, or to a URL that is refused", async () => {
    const { resources } = await registrations();
    await unregister(resources.get("refund")!);
    stack.gumroad.subscribe("dispute", stack.pingUrl);
    stack.gumroad.subscribe("cancellation", `${stack.url}/ping/old`);
    const findings = await foundAndMended();
    expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      "SUBSCRIPTION_MISSING: Gumroad doesn't send refund to this stage.",
      "SUBSCRIPTION_DOUBLED: Gumroad sends each dispute 2 times.",
      `SUBSCRIPTION_WRONG: Gumroad sends cancellation to ${stack.url}/ping/… with a token that is refused.`,
    ]);
  });

  it("finds that the ping URL refuses the token, as long as the functions know another secret", async () => {
    await post(stack, changed("test-ping", {}));
    // Read again just now, so that they don't look for the new one yet.
    await fetch(`${stack.url}/ping/guess`, { method: "POST" });
    stack.secrets.set("ping", { ...PING, tokens: ["local", "another"] });
    const run = await cliOn(stack)("doctor --json", { waits: async () => undefined });
    expect(findingsOf(run)).toEqual([{ code: "PING_REFUSED",
      message:
        `${stack.url}/ping refuses the 2. ping token of the secret ping: the running functions read another secret.`,
      mend: "npm start" }]);
    await stack.crash("ping");
    expect(codesOf(await cliOn(stack)("doctor --json"))).toEqual([]);
  });

  it("finds that nothing answers at the ping URL", async () => {
    const gone = await startLoopbackServer({ port: 0 }, () => undefined);
    await gone.stop();
    const pingAddress = `${gone.url}/ping`;
    const openStage = async () => ({ ...stageOn(stack), pingAddress });
    const { code, out } = await cli("doctor --json", { openStage });
    expect(code).toBe(1);
    expect(JSON.parse(out).findings.filter((finding: Finding) => finding.code.startsWith("PING_"))).toEqual([
      { code: "PING_UNREACHABLE", message: `Nothing answers at ${pingAddress} (ECONNREFUSED).`, mend: "npm start" },
    ]);
  });

  it("finds messages in the dead-letter queue", async () => {
    expect((await post(stack, changed("sale", { seller_id: "somebody-else" }))).status).toBe(403);
    expect(findingsOf(await cliOn(stack)("doctor --json"))).toEqual([
      { code: "DEAD_LETTERS", message: "A message waits in the dead-letter queue for somebody to look at.",
        mend: "npx gumroad-auth0 replay --dead-letters" },
    ]);
    await emptyDeadLetters();
    expect(codesOf(await cliOn(stack)("doctor --json"))).toEqual([]);
  });

  it("finds a broken key of the tombstones, and has nothing against none", async () => {
    stack.secrets.set("forget", { key: "short" });
    expect(findingsOf(await cliOn(stack)("doctor --json"))).toMatchObject([{ code: "SECRET_INCOMPLETE",
      message: expect.stringContaining("gumroad-auth0/local/forget") }]);
    stack.secrets.set("forget", undefined);
    expect(codesOf(await cliOn(stack)("doctor --json"))).toEqual([]);
  });

  it("finds messages in the dead-letter queue that can be used again, and its command sends them back", async () => {
    const stage = stageOn(stack);
    const message = { v: 1, kind: "due", requestId: "r", buyer: "ann@example.com" };
    await deadLetterQueue(stage.sqs, stage.deadLetters).keep(new RefusedError("RECORD_FULL", "near 400 KB"), "r",
      JSON.stringify(message));
    const [found] = findingsOf(await cliOn(stack)("doctor --json"));
    expect(found).toMatchObject({ code: "DEAD_LETTERS" });
    expect(await cliOn(stack)(found!.mend.replace("npx gumroad-auth0 ", ""))).toMatchObject({ code: 0 });
    await stack.sqs.idle();
    expect(codesOf(await cliOn(stack)("doctor --json"))).toEqual([]);
  });

  it("finds a policy product that Gumroad doesn't know", async () => {
    const policy: Policy = new Map([...shopPolicy, ["mistyped==", { id: "mistyped==", name: "Typo",
      roles: ["club"] }]]);
    expect(await onlyFound("PRODUCT_UNKNOWN", { policy })).toMatchObject([
      { message: "The policy's product Typo (mistyped==) is not one of this shop's.",
        mend: "npx gumroad-auth0 products --drop=mistyped== --out src/products.ts" },
    ]);
  });

  it("doesn't mind a policy product that the shop stopped selling: it has buyers still", async () => {
    stack.gumroad.deleteProduct("zGyG_1JQunZuizwqd9CP7g==");
    expect(codesOf(await cliOn(stack)("doctor --json"))).toEqual([]);
  });

  it("finds a product that the policy doesn't have, and takes no for an answer", async () => {
    const policy: Policy = new Map([...shopPolicy].filter(([id]) => id !== "lnHn8l0Cn_FH_VuURa1aEw=="));
    expect(await onlyFound("PRODUCT_NOT_IN_POLICY", { policy })).toMatchObject([{
      mend: "npx gumroad-auth0 products --out src/products.ts",
    }]);
    expect((await cliOn(stack)("doctor --ignore PRODUCT_NOT_IN_POLICY", { policy })).code).toBe(0);
  });

  it("finds options that the shop has and the policy lacks, sold or not, and what a bundle holds", async () => {
    const [book, course, club, all] = ["zGyG_1JQunZuizwqd9CP7g==", "Z7kcrf7WgiSjiBnsGYi45w==",
      "wg2b8FhyMUKaJ6Eo3PrR5g==", "zdLk8Uz-AIidbazwzX2EkA=="];
    const policy: Policy = new Map([...shopPolicy, [club!, { id: club!, name: "Pro Club", variant: "Tier",
      roles: { Premium: ["club"] } }], [all!, { id: all!, name: "Everything Bundle", contains: [book!] }]]);
    expect(policy.has(course!)).toBe(true);
    expect(findingsOf(await cliOn(stack)("doctor --json", { policy }))).toEqual([
      { code: "OPTION_UNLISTED", mend: "npx gumroad-auth0 products",
        message: 'Pro Club: src/products.ts doesn\'t list the Tier "Basic": add it there, under "also" if it is a ' +
          "new name." },
      { code: "BUNDLE_CONTENT_UNLISTED", mend: "npx gumroad-auth0 products",
        message: 'Everything Bundle: the bundle holds React for Data Visualization, which its "contains" in ' +
          "src/products.ts lacks." },
    ]);
    expect((await cliOn(stack)("products", { policy })).out).toContain(
      "// Not listed yet: React for Data Visualization.",
    );
  });

  it("finds what differs between records and Auth0, once for each role, with the buyers", async () => {
    const bought = ["d1@example.com", "d2@example.com", "d3@example.com"];
    for (const email of bought) await sold({ email });
    const ids = bought.map((email) => stack.auth0.users().find((user) => user.email === email)!.user_id);
    for (const id of ids.slice(0, 2)) stack.auth0.takeRoles(id, ["serverless-handbook"]);
    stack.auth0.removeUser(ids[2]!);
    expect(findingsOf(await cliOn(stack)("doctor --json"))).toEqual([
      { code: "USER_GONE", mend: "npx gumroad-auth0 sync --drift",
        message: "The Auth0 user to whom we gave roles was deleted. It concerns d3@example.com." },
      { code: "ROLE_DRIFTED", mend: "npx gumroad-auth0 sync --drift",
        message: expect.stringMatching(
          /^Somebody took away at Auth0 the role serverless-handbook. It concerns 2 buyers: d\d@example.com, d\d/,
        ) },
    ]);
    // Where no terminal is, the bar is a line now and then, beside the report.
    let at = Date.now();
    const openStage = async () => ({ ...stageOn(stack), now: () => (at += 11_000) });
    const { out, err } = await cliOn(stack)("doctor --deep", { openStage });
    expect(out).toContain("found      Auth0 and all buyers: The Auth0 user");
    expect(err.split("\n").slice(-3)).toEqual(
      [1, 2, 3].map((done) => expect.stringMatching(new RegExp(`^${String(done)} of 3 buyers, `))),
    );
    await stack.forget("LedgerTable");
  });

  it("finds what records show: a tier that was renamed and sold", async () => {
    stack.gumroad.renameTier("wg2b8FhyMUKaJ6Eo3PrR5g==", "Premium", "Gold");
    await sold({ email: "tier@example.com", product: "wg2b8FhyMUKaJ6Eo3PrR5g==", tier: "Gold" });
    // Once: the shop's own list says the same of it.
    expect(findingsOf(await cliOn(stack)("doctor --json"))).toMatchObject([{ code: "OPTION_UNLISTED",
      message: expect.stringContaining('doesn\'t list the Tier "Gold"'), mend: "npx gumroad-auth0 products" }]);
    await stack.forget("LedgerTable");
  });

  it("says, as the README does, that without a token a refunded gift to oneself stays for good", async () => {
    stack.secrets.set("gumroad", undefined);
    const found = findingsOf(await cliOn(stack)("doctor --json"));
    expect(found.map(({ code }) => code).sort()).toEqual(["ON_TRUST", "SECRET_MISSING"]);
    expect(found.find(({ code }) => code === "ON_TRUST")?.message).toContain(
      "a gift that a buyer made to themselves keeps its access for good",
    );
    const readme = readFileSync(path.join(projectRoot, "README.md"), "utf8").replaceAll(/\s+/g, " ");
    expect(readme).toContain("and a gift, also one to oneself, outlives its refund");
  });

  it("says what it could not look at, and finds the rest all the same", async () => {
    stack.secrets.set("gumroad", undefined);
    stack.auth0.removeRole("club");
    const { out } = await cliOn(stack)("doctor");
    expect(out).toContain("unchecked  seller_id: the secret gumroad isn't filled");
    expect(out).toContain(
      "found      secret gumroad: The secret gumroad-auth0/local/gumroad has no value. (SECRET_MISSING)\n" +
        "             mend it: npx gumroad-auth0 setup",
    );
    expect(out).toContain(
      "found      Auth0 roles: The policy gives the role club, which the Auth0 tenant doesn't have. " +
        "(AUTH0_ROLE_MISSING)",
    );
    expect(out).toContain("\n3 found");
  });

  it("names the stage in the commands that mend", async () => {
    stack.auth0.removeRole("club");
    const openStage = async () => ({ ...stageOn(stack), name: "prod" });
    const { out } = await cli("doctor --stage prod --json", { openStage });
    expect([...new Set(findingsOf({ code: 1, out, err: "" }).map(({ mend }) => mend))]).toEqual([
      "npm run deploy -- --stage prod",
    ]);
  });
});

describe("explain, where there is a token", () => {
  it("finds a buyer by an order number, and says what Gumroad says now and how many were bought", async () => {
    await sold({ email: "team@example.com", quantity: 3 });
    const sale = stack.gumroad.sales.at(-1)!;
    const { code, out } = await cliOn(stack)(`explain ${String(sale.orderNumber)}`);
    expect(code).toBe(0);
    expect(out).toContain(`Gumroad says now: paid, order ${String(sale.orderNumber)}, 3 were bought`);
    stack.gumroad.setDeliver(() => 200);
    stack.gumroad.refund(sale);
    stack.gumroad.setDeliver("http");
    expect((await cliOn(stack)("explain team@example.com")).out).toContain("Gumroad says now: refunded");
  });
});

async function registrations() {
  const resources = new Map<string, string>();
  for (const event of ["refund"]) {
    const answer = await fetch(`${stack.gumroad.apiUrl}/resource_subscriptions?resource_name=${event}`, {
      headers: { authorization: `Bearer ${LOCAL_ACCESS_TOKEN}` },
    });
    resources.set(event, JSON.parse(await answer.text()).resource_subscriptions[0].id);
  }
  return { resources };
}

async function unregister(id: string): Promise<void> {
  await fetch(`${stack.gumroad.apiUrl}/resource_subscriptions/${encodeURIComponent(id)}`, { method: "DELETE",
    headers: { authorization: `Bearer ${LOCAL_ACCESS_TOKEN}` } });
}

/** Somebody buys in the shop, and gets what that gives. */
async function sold(order: Partial<Parameters<typeof stack.gumroad.sell>[0]>): Promise<void> {
  stack.gumroad.setPingUrl(stack.pingUrl);
  stack.gumroad.sell({ product: "zGyG_1JQunZuizwqd9CP7g==", email: "ann@example.com", ...order });
  await stack.gumroad.settled();
  await stack.sqs.idle();
}

async function emptyDeadLetters(): Promise<void> {
  const { sqs, deadLetters } = stageOn(stack);
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: deadLetters, MaxNumberOfMessages: 10 }),
  );
  for (const { ReceiptHandle } of Messages) {
    await sqs.send(new DeleteMessageCommand({ QueueUrl: deadLetters, ReceiptHandle }));
  }
}

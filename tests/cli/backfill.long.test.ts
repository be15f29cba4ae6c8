import { spawn } from "node:child_process";
import path from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { LOCAL_ACCESS_TOKEN } from "gumroad-emulator/options";
import type { Order } from "gumroad-emulator/order";
import { removeStackFile, writeStackFile } from "../../local/stack-file.ts";
import { LOCAL_SELLER_ID, type Stack } from "../../local/stack.ts";
import { recordOf } from "../pipeline/local-stack.ts";
import { answers, cli, cliOn, emptied, stackFileOf, startComplete } from "./local-cli.ts";

const root = path.resolve(import.meta.dirname, "../..");
const HANDBOOK = "zGyG_1JQunZuizwqd9CP7g==";
const REACT = "Z7kcrf7WgiSjiBnsGYi45w==";
const TOKEN = { access_token: LOCAL_ACCESS_TOKEN, seller_id: LOCAL_SELLER_ID };

let stack: Stack;
beforeAll(async () => {
  stack = await startComplete();
});
afterAll(() => stack.stop());
beforeEach(() => emptied(stack));
const run = (line: string, options: Parameters<ReturnType<typeof cliOn>>[1] = {}) => cliOn(stack)(line, options);
const sold = (email: string, order: Partial<Order> = {}) => stack.gumroad.sell({ product: HANDBOOK, email, ...order });
const people = () =>
  stack.auth0.users().map(({ email = "", user_id }) => [email, stack.auth0.rolesOf(user_id)] as const);
const rolesOf = (email: string) => stack.auth0.rolesOfEmail(email);
const checkpoint = async () =>
  (await stack.ledger()).find(({ pk, sk }) => pk === "sweep#backfill" && sk === "checkpoint");

describe("backfill", () => {
  it("brings every past buyer in, the receivers of gifts too, and those only who still have something", async () => {
    sold("ann@example.com");
    sold("ann@example.com", { product: REACT });
    sold("giver@example.com", { gift: { to: "cy@example.com" } });
    stack.gumroad.refund(sold("gone@example.com").sale);
    const { code, out } = await run("backfill --keep-foreign --json");
    expect(JSON.parse(out)).toEqual({
      ...{ stage: "local", dryRun: false, finished: true, since: null, adopt: false, invite: false, resumed: false },
      ...{ sales: 4, differed: 4, sent: 4, taken: 4, changed: expect.any(Number), untaken: [], forgotten: [],
        nobodys: [], tookMs: expect.any(Number) },
    });
    expect(code).toBe(0);
    expect(people().sort()).toEqual([
      ["ann@example.com", ["react-for-dataviz", "serverless-handbook"]],
      ["cy@example.com", ["serverless-handbook"]],
    ]);
  });

  it("is done once: the second time it says so, and --restart finds nothing new", async () => {
    sold("ann@example.com");
    await run("backfill --keep-foreign");
    const calls = stack.auth0.managementCalls();
    expect(await run("backfill")).toMatchObject({ code: 0,
      out: expect.stringMatching(
        /^finished on \d{4}-\d\d-\d\d: 1 sale seen, 1 change of roles\. Anew: npx gumroad-auth0 backfill --restart$/,
      ) });
    expect(JSON.parse((await run("backfill --restart --keep-foreign --json")).out)).toMatchObject({ sales: 1, sent: 0,
      changed: 0 });
    expect(stack.auth0.managementCalls()).toBe(calls);
  });

  it("leaves who was forgotten forgotten, which is no finding", async () => {
    sold("ann@example.com");
    await run("backfill --keep-foreign");
    await run("forget ann@example.com --user --yes");
    const { id } = sold("ann@example.com", { product: REACT }).sale;
    // Bought after that, it counts.
    const { code, out } = await run("backfill --restart --keep-foreign");
    expect({ code, out }).toMatchObject({ code: 0,
      out: expect.stringMatching(/of people who were forgotten, and stay so: \S+$/) });
    expect(out).not.toContain(id);
    expect(rolesOf("ann@example.com")).toEqual(["react-for-dataviz"]);
  });

  it("takes only the sales since a day", async () => {
    sold("old@example.com");
    await stack.gumroad.advance(3 * 86_400_000);
    sold("new@example.com");
    const day = new Date(stack.gumroad.now()).toISOString().slice(0, 10);
    const { out } = await run(`backfill --keep-foreign --since ${day}`);
    expect(out.split("\n")).toEqual([
      `counting the sales since ${day}: Gumroad doesn't say how many there are`,
      "1 sale, 1 of them with something new. Ctrl-C stops; npx gumroad-auth0 backfill goes on",
      "done: 1 sale seen, 1 told to provision, 1 change of roles in Auth0. This run took less than a minute",
    ]);
    expect(people()).toEqual([["new@example.com", ["serverless-handbook"]]]);
  });

  it("only counts in a dry run, and says how long it would take", async () => {
    for (let nth = 0; nth < 12; nth += 1) sold(`buyer${String(nth % 6)}@example.com`);
    const { code, out } = await run("backfill --dry-run");
    expect(code).toBe(0);
    expect(out.split("\n")).toEqual([
      "12 sales of 6 buyers; would have 12 of them read back, of 6 buyers",
      "  on Auth0 Free: less than a minute, if all of them are new there",
      "  on Auth0 Essentials and Professional: less than a minute, if all of them are new there",
      "  on Auth0 Enterprise: less than a minute, if all of them are new there",
    ]);
    expect([people(), await stack.ledger()]).toEqual([[], []]);
  });

  it("goes around a page that Gumroad refuses, as the weekly sweep does, and brings all in", async () => {
    const buyers = Array.from({ length: 25 }, (_, nth) => `buyer${String(nth)}@example.com`);
    for (const [nth, email] of buyers.entries()) {
      if (nth % 5 === 0) await stack.gumroad.advance(86_400_000);
      sold(email);
    }
    stack.gumroad.fault({ path: "/sales", skip: 1, times: 1, answer: { status: 400 } });
    expect((await run("backfill --dry-run")).out).toContain("25 sales of 25 buyers; would have 25 of them read back");
    stack.gumroad.fault({ path: "/sales", skip: 4, times: 1, answer: { status: 400 } });
    expect(await run("backfill --keep-foreign")).toMatchObject({ code: 0, err: "" });
    expect(people().map(([email]) => email).sort()).toEqual(buyers.sort());
    // Refused from its very beginning on, or again at once, it is the shop that can't be read.
    stack.gumroad.fault({ path: "/sales", times: 9, answer: { status: 400 } });
    expect((await run("backfill --restart --keep-foreign --json")).out).toContain('"code": "GUMROAD_REFUSED"');
  });

  it("says of which gifts nobody knows the receiver", async () => {
    stack.gumroad.seed({
      sales: [{ id: "gift1", product_id: HANDBOOK, created_at: "2026-01-05T19:38:56Z",
        purchase_email: "giver@example.com", price: 100, is_gift_sender_purchase: true }],
    });
    const { code, out } = await run("backfill --keep-foreign");
    expect({ code, last: out.split("\n").at(-1) }).toEqual({ code: 1,
      last: "gifts whose receiver Gumroad doesn't name: gift1" });
  });
});

describe("roles that buyers have already", () => {
  const integrated = (): void => {
    stack.auth0.addUser({ email: "ann@example.com", verified: true, roles: ["serverless-handbook", "club"] });
  };

  it("count as ours with --adopt: a refund takes what the purchase gave, and nothing else", async () => {
    integrated();
    const { sale } = sold("ann@example.com");
    await run("backfill --adopt");
    expect(Object.values((await recordOf(stack, "ann@example.com"))!.users)).toEqual([{ origin: "verified",
      foreign: ["club"], roles: { "serverless-handbook": "has" }, told: ["serverless-handbook"] }]);
    stack.gumroad.setDeliver("http");
    stack.gumroad.refund(sale);
    await stack.gumroad.settled();
    await stack.sqs.idle();
    expect(rolesOf("ann@example.com")).toEqual(["club"]);
  });

  it("stay theirs with --keep-foreign, until a backfill adopts them", async () => {
    integrated();
    const { sale } = sold("ann@example.com");
    await run("backfill --keep-foreign");
    stack.gumroad.setDeliver("http");
    stack.gumroad.refund(sale, { partial: 1 });
    await stack.gumroad.settled();
    await stack.sqs.idle();
    expect(Object.values((await recordOf(stack, "ann@example.com"))!.users)).toMatchObject([{
      foreign: ["club", "serverless-handbook"],
      roles: {},
    }]);
    expect(JSON.parse((await run("backfill --restart --adopt --json")).out)).toMatchObject({ differed: 1, sent: 1,
      taken: 1, adopt: true });
    stack.gumroad.refund(sale);
    await stack.gumroad.settled();
    await stack.sqs.idle();
    expect(rolesOf("ann@example.com")).toEqual(["club"]);
  });

  it("are adopted also where the buyer has to verify the address first", async () => {
    const user = stack.auth0.addUser({ email: "ann@example.com", verified: false, roles: ["serverless-handbook"] });
    sold("ann@example.com");
    await run("backfill --adopt");
    expect(await recordOf(stack, "ann@example.com")).toMatchObject({ adopts: true, users: {},
      unsettled: { code: "EMAIL_UNVERIFIED" } });
    stack.auth0.verifyEmail(user.user_id);
    await stack.advance(5 * 60_000);
    await stack.invoke("reconcile");
    await stack.sqs.idle();
    expect((await recordOf(stack, "ann@example.com"))!.users[user.user_id]).toMatchObject({ foreign: [],
      roles: { "serverless-handbook": "has" } });
  });

  it("are asked about at a terminal", async () => {
    integrated();
    sold("ann@example.com");
    const questions = answers("y");
    expect(JSON.parse((await run("backfill --json", { questions })).out)).toMatchObject({ adopt: true });
    expect(questions.asked).toEqual([
      "Did another integration give buyers their roles before? Then such a role counts as ours, and a refund takes " +
      "it away",
    ]);
  });

  it("must be decided on where nobody can be asked", async () => {
    expect(await run("backfill")).toMatchObject({ code: 2,
      err: expect.stringMatching(
        /^gumroad-auth0: say what becomes of roles that .* have: --adopt counts .*--keep-foreign leaves them alone/,
      ) });
    expect(await checkpoint()).toBeUndefined();
  });
});

describe("a backfill that is killed", () => {
  it("goes on where it stopped, and ends with every buyer in and no user twice", async () => {
    const buyers = Array.from({ length: 16 }, (_, nth) => `buyer${String(nth)}@example.com`);
    for (const [nth, email] of [...buyers, ...buyers, ...buyers].entries()) {
      sold(email, { product: nth % 3 === 0 ? REACT : HANDBOOK });
    }
    const stackFile = writeStackFile(path.join(root, ".local"), Number(new URL(stack.url).port), stackFileOf(stack));
    try {
      const child = spawn(process.execPath, ["cli/main.ts", "backfill", "--keep-foreign"], { cwd: root,
        stdio: "ignore", env: { PATH: process.env["PATH"], PORT: new URL(stack.url).port } });
      const gone = new Promise((resolve) => child.once("close", (_code, signal) => resolve(signal)));
      for (let read = 0; read < 12; read = Number((await checkpoint())?.["read"] ?? 0)) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      child.kill("SIGKILL");
      expect(await gone).toBe("SIGKILL");
    } finally {
      removeStackFile(stackFile);
    }
    const stoppedAt = Number((await checkpoint())?.["read"]);
    expect(stoppedAt).toBeLessThan(48);

    const { code, out } = await run("backfill");
    expect({ code, first: out.split("\n")[0] }).toEqual({ code: 0,
      first: `goes on where it stopped, after ${String(stoppedAt)} of 48 sales` });
    expect(await checkpoint()).toMatchObject({ read: 48 });
    expect(people().sort()).toEqual(
      buyers.map((email) => [email, ["react-for-dataviz", "serverless-handbook"]] as const).sort(),
    );
    const created = stack.auth0.calls.filter(({ method, path: called, status }) =>
      method === "POST" && called === "/users" && status === 201
    );
    expect(created).toHaveLength(16);
  });
});

describe("backfill refuses", () => {
  it.each([
    ["--adopt --keep-foreign", 2, "--adopt and --keep-foreign are opposites: give one of them"],
    ["--since yesterday --adopt", 2, "--since yesterday is no day such as 2026-01-31"],
    ["--since 2026-02-30 --adopt", 2, "--since 2026-02-30 is no day such as 2026-01-31"],
  ])("%s", async (flags, code, message) => {
    expect(await run(`backfill ${flags}`)).toEqual({ code, out: "", err: `gumroad-auth0: ${message}` });
  });

  it("other terms than those that it began with", async () => {
    sold("ann@example.com");
    await run("backfill --keep-foreign");
    expect(await run("backfill --adopt --invite")).toMatchObject({ code: 2,
      err: "gumroad-auth0: a backfill without --adopt --invite is finished: begin anew with --restart" });
  });

  it("to work without a token that the service has too", async () => {
    stack.secrets.set("gumroad", undefined);
    try {
      expect(await run("backfill --adopt --json")).toMatchObject({ code: 1,
        out: expect.stringContaining('"code": "GUMROAD_TOKEN_MISSING"') });
    } finally {
      stack.secrets.set("gumroad", { ...TOKEN, api: stack.gumroad.apiUrl });
    }
  });

  it("to work on a stage that doesn't run", async () => {
    expect(await cli("backfill --adopt")).toMatchObject({ code: 2,
      err: expect.stringContaining("nothing runs on port 3000") });
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { InvokeCommand } from "@aws-sdk/client-lambda";

import { LOCAL_ACCESS_TOKEN } from "gumroad-emulator/options";
import { LOCAL_SELLER_ID, type Stack } from "../../local/stack.ts";
import { cliOn, emptied, stageOn, startComplete } from "./local-cli.ts";

const HANDBOOK = "zGyG_1JQunZuizwqd9CP7g==";

let stack: Stack;
beforeAll(async () => {
  stack = await startComplete();
});
afterAll(() => stack.stop());
beforeEach(() => emptied(stack));
const run = (line: string) => cliOn(stack)(line);
const sold = (email: string) => stack.gumroad.sell({ product: HANDBOOK, email }).sale;

describe("reconcile", () => {
  it("has the service find what no ping told, and shows what became of it", async () => {
    sold("ann@example.com");
    const refunded = sold("bo@example.com");
    stack.gumroad.refund(refunded);
    const { code, out } = await run("reconcile");
    expect(code).toBe(0);
    expect(out.split("\n").slice(-3)).toEqual([
      "sweep   read  differed  sent  changed",
      "------  ----  --------  ----  -------",
      "recent  2     2         2     1",
    ]);
    expect(stack.auth0.rolesOfEmail("ann@example.com")).toEqual(["serverless-handbook"]);
    expect(JSON.parse((await run("reconcile weekly --json")).out)).toEqual({ stage: "local", dryRun: false,
      sweep: "weekly", read: 2, differed: 0, sent: 0, changed: 0, token: true });
  });

  it("goes on until the sweep has ended, though the queue takes only so much at once", async () => {
    for (let nth = 0; nth < 35; nth += 1) sold(`buyer${String(nth)}@example.com`);
    expect(JSON.parse((await run("reconcile weekly --json")).out)).toMatchObject({ read: 35, differed: 35, sent: 35,
      changed: 35 });
    expect(stack.auth0.users()).toHaveLength(35);
  });

  it("only looks in a dry run, and lists what it would have read back", async () => {
    const { id } = sold("ann@example.com");
    const { code, out } = await run("reconcile weekly --dry-run");
    expect({ code, lines: out.split("\n") }).toEqual({ code: 0, lines: [
      "1 read, 1 differ; would have 1 read back or worked out anew: npx gumroad-auth0 reconcile weekly",
      "buyer            what",
      `---------------  ${"-".repeat(`sale ${id}`.length)}`,
      `ann@example.com  sale ${id}`,
    ] });
    expect(JSON.parse((await run("reconcile daily --dry-run --json")).out)).toMatchObject({ dryRun: true,
      sweep: "daily", found: [] });
    expect([stack.auth0.users(), await stack.ledger()]).toEqual([[], []]);
  });

  it("goes on with one that is under way, and says the last one's count where none is", async () => {
    sold("ann@example.com");
    await run("reconcile");
    sold("bo@example.com");
    expect(JSON.parse((await run("reconcile --go-on --json")).out)).toMatchObject({ read: 1, sent: 1 });
    expect(JSON.parse((await run("reconcile --json")).out)).toMatchObject({ read: 2, sent: 1 });
  });

  it("refuses a sweep that there isn't", async () => {
    expect(await run("reconcile hourly")).toMatchObject({ code: 2,
      err: expect.stringContaining("Allowed choices are recent, daily, weekly") });
  });
});

describe("reconcile on a stage that can't be read", () => {
  afterEach(() => {
    stack.secrets.set("gumroad", { access_token: LOCAL_ACCESS_TOKEN, seller_id: LOCAL_SELLER_ID,
      api: stack.gumroad.apiUrl });
  });

  it("says that lost pings can't be found without a token, and what mends it", async () => {
    stack.secrets.set("gumroad", undefined);
    await stack.crash("reconcile");
    const { code, out } = await run("reconcile");
    expect({ code, first: out.split("\n")[0] }).toEqual({ code: 1,
      first: "without a Gumroad token lost pings can't be found: npx gumroad-auth0 setup" });
    expect(await run("reconcile --dry-run")).toMatchObject({ code: 1,
      err: expect.stringContaining("without an access token in the secret gumroad: npx gumroad-auth0 setup") });
    expect(await run("reconcile daily --dry-run")).toMatchObject({ code: 0 });
  });

  it("says that Gumroad refuses the token", async () => {
    await stack.crash("reconcile");
    stack.gumroad.revokeToken();
    expect(await run("reconcile")).toMatchObject({ code: 1,
      err: "gumroad-auth0: the sweep could not begin: Gumroad can't be read, or another run was first. npx " +
        "gumroad-auth0 doctor finds why; the function's log says it too" });
  });
});

describe("functions by their names, as on AWS", () => {
  it("are found, and no others", async () => {
    const { lambda } = stageOn(stack);
    await expect(lambda.send(new InvokeCommand({ FunctionName: "gumroad-auth0-local-nothing" }))).rejects.toThrow(
      "Function not found: gumroad-auth0-local-nothing",
    );
    await expect(lambda.send(new InvokeCommand({ FunctionName: "gumroad-auth0-local-reconcile", Payload: "{" })))
      .rejects.toThrow("Could not parse request body into json");
    const { StatusCode, FunctionError } = await lambda.send(
      new InvokeCommand({ FunctionName: "gumroad-auth0-local-provision", Payload: "{}" }),
    );
    expect({ StatusCode, FunctionError }).toEqual({ StatusCode: 200, FunctionError: "Unhandled" });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { LOCAL_ACCESS_TOKEN } from "gumroad-emulator/options";
import { LOCAL_SELLER_ID, type Stack } from "../../local/stack.ts";
import { cliOn, startComplete } from "./local-cli.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startComplete();
});
afterAll(() => stack.stop());
beforeEach(() => {
  stack.gumroad.reset();
  stack.auth0.reset();
  stack.secrets.set("gumroad", { access_token: LOCAL_ACCESS_TOKEN, seller_id: LOCAL_SELLER_ID,
    api: stack.gumroad.apiUrl });
});
const run = (line: string) => cliOn(stack)(line);
const traces = async () => ({ users: stack.auth0.users(),
  items: (await stack.ledger()).filter(({ pk }) => String(pk).includes("smoke")) });

describe("smoke", () => {
  it("has the emulated shop sell and refund: the buyer gets the role, loses it and leaves no trace", async () => {
    const { code, out } = await run("smoke --json");
    expect(JSON.parse(out)).toEqual({ stage: "local", way: "shop", dryRun: false,
      buyer: expect.stringMatching(/^smoke\+[0-9a-f]{12}@example\.com$/), roles: ["serverless-handbook"],
      gainedMs: expect.any(Number), lostMs: expect.any(Number), erasedItems: expect.any(Number), deletedUsers: 1,
      leftUsers: [] });
    expect(code).toBe(0);
    expect(stack.gumroad.posts.map(({ event }) => event)).toEqual(["sale", "refund"]);
    expect(await traces()).toEqual({ users: [], items: [] });
  });

  it("leaves nobody whom the next sweep brings back", async () => {
    await run("smoke");
    // Functions that found no key of tombstones ask again after a minute.
    await stack.advance(61_000);
    expect(await run("reconcile recent")).toMatchObject({ code: 0 });
    await stack.sqs.idle();
    expect(await traces()).toEqual({ users: [], items: [] });
  });

  it("gives a complimentary role through the queue and takes it, where the shop can't be had", async () => {
    const { code, out } = await run("smoke --way grant --role club-premium");
    expect(code).toBe(0);
    expect(out.split("\n")).toEqual([
      expect.stringMatching(
        /^a complimentary club-premium is given and taken: smoke\+\w+@example\.com is to get club-premium$/,
      ),
      expect.stringMatching(/^has the role after \d+\.\d s$/),
      expect.stringMatching(/^has lost it again after \d+\.\d s$/),
      expect.stringMatching(/^erased: \d items? of the ledger, 1 user$/),
    ]);
    expect(stack.gumroad.posts).toEqual([]);
    expect(await traces()).toEqual({ users: [], items: [] });
  });

  it("says that made-up pings give nothing where purchases are read back", async () => {
    expect(await run("smoke --way pings")).toMatchObject({ code: 2,
      err: "gumroad-auth0: --way pings: this stage reads purchases back, so made-up pings give nothing; use --way " +
        "grant" });
  });

  it("refuses a role that the policy doesn't give, and one that no refund takes", async () => {
    expect(await run("smoke --role nobody")).toMatchObject({ code: 2,
      err: "gumroad-auth0: no product of the policy gives the role nobody" });
    expect(await run("smoke --role club")).toMatchObject({ code: 2,
      err: "gumroad-auth0: no single product of the policy gives club and takes it back with a refund: use --way " +
        "grant" });
    expect(await run("smoke --way none")).toMatchObject({ code: 2,
      err: expect.stringContaining("Allowed choices are shop, pings, grant") });
  });

  it("only says what it would do in a dry run", async () => {
    expect((await run("smoke --dry-run")).code).toBe(0);
    expect(stack.gumroad.sales).toEqual([]);
    expect(stack.auth0.calls).toEqual([]);
  });

  it("posts made-up pings where they are trusted", async () => {
    stack.secrets.set("gumroad", undefined);
    await stack.crash("provision");
    const { code, out } = await run("smoke --way pings");
    expect({ code, out }).toEqual({ code: 0,
      out: expect.stringContaining("made-up pings sell and refund Serverless Handbook") });
    expect(await traces()).toEqual({ users: [], items: [] });
  });

  it("fails where the role doesn't come in time, and cleans up all the same", async () => {
    stack.auth0.setScopes(["read:users", "read:roles", "read:role_members"]);
    stack.auth0.revokeTokens();
    const { code, out } = await run("smoke --within 1");
    expect(code).toBe(1);
    expect(out).toContain("not within 1 s: has the role. Why: npx gumroad-auth0 doctor");
    expect(out).not.toContain("has lost it again");
    expect(await traces()).toEqual({ users: [], items: [] });
  });
});

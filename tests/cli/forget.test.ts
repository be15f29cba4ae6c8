import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import type { Stack } from "../../local/stack.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoTombstones } from "../../src/ledger/tombstones.ts";
import { body, changed, deliver, recordOf, saleBy, startLocal } from "../pipeline/local-stack.ts";
import { changeEmail } from "../pipeline/login-address.ts";
import { answers, cliOn, stageOn } from "./local-cli.ts";

const KEY = "f".repeat(43);
const SECRET = "gumroad-auth0/local/forget";

let stack: Stack;
beforeAll(async () => {
  stack = await startLocal({ maxWorkers: 1, secrets: { [SECRET]: { key: KEY } } });
});
afterAll(() => stack.stop());
const run = (line: string, options?: Parameters<ReturnType<typeof cliOn>>[1]) => cliOn(stack)(line, options);
const tombstones = (key = KEY) => {
  const { dynamo, ledger } = stageOn(stack);
  return dynamoTombstones(ledgerTable(dynamo, ledger), key);
};
const traces = async (what: string) => (await stack.ledger()).filter((item) => JSON.stringify(item).includes(what));
const usersOf = (email: string) => stack.auth0.users().filter((user) => user.email === email);

describe("forget", () => {
  it("erases a buyer, their roles and our marks, and leaves tombstones that name nobody", async () => {
    await deliver(stack, saleBy("ann@example.com"), saleBy("bo@example.com"));
    await run("grant ann@example.com club --why friend");
    const { code, out } = await run("forget ann@example.com --yes --json");
    const id = usersOf("ann@example.com")[0]?.user_id ?? "";
    expect({ code, told: JSON.parse(out) }).toEqual({ code: 0,
      told: { buyer: "ann@example.com", dryRun: false, known: true, purchases: ["sale:sale-of-ann@example.com"],
        users: [{ id, createdByUs: true, roles: ["club", "serverless-handbook"] }], steps: [
          { step: "tombstones", outcome: "done", detail: expect.stringMatching(/^2 written/) },
          { step: `roles of ${id}`, outcome: "done", detail: "club, serverless-handbook, which we gave, taken" },
          { step: `marks of ${id}`, outcome: "done", detail: expect.any(String) },
          { step: "ledger", outcome: "done", detail: expect.any(String) },
        ], erasedItems: 4,
        remains: expect.arrayContaining([expect.objectContaining({ where: "Gumroad" }),
          expect.objectContaining({ where: "CloudWatch logs", howLong: "30 days" })]) } });
    expect(await traces("ann@example.com")).toEqual([]);
    expect(usersOf("ann@example.com")).toEqual([expect.objectContaining({ roles: [] })]);
    expect(usersOf("ann@example.com")[0]?.app_metadata ?? {}).toEqual({});
    expect(await tombstones().forgottenAt("buyer:ann@example.com")).toEqual(expect.any(Number));
    expect(await tombstones().forgottenAt("sale:sale-of-ann@example.com")).toEqual(expect.any(Number));
    expect(await tombstones().forgottenAt("grant:club")).toBeNull();
    expect(stack.auth0.rolesOfEmail("bo@example.com")).toEqual(["serverless-handbook"]);
    expect(await run("explain ann@example.com")).toMatchObject({ code: 1 });
  });

  it("does no harm when it is run again", async () => {
    await deliver(stack, saleBy("again@example.com"));
    expect((await run("forget again@example.com --yes")).code).toBe(0);
    expect(JSON.parse((await run("forget again@example.com --yes --json")).out)).toMatchObject({ known: false,
      erasedItems: 0 });
  });

  it("says what it would do, and changes nothing, in a dry run", async () => {
    await deliver(stack, saleBy("dry@example.com"));
    const before = await recordOf(stack, "dry@example.com");
    const { code, out } = await run("forget dry@example.com --user --dry-run");
    expect(code).toBe(0);
    expect(out).toMatch(/^dry@example.com: 1 purchase, 1 event, 1 user at Auth0$/m);
    expect(out).toMatch(
      /planned {2}tombstones: 2 written[\s\S]*planned {2}user auth0\|\w+: deleted at Auth0[\s\S]*planned {2}ledger:/,
    );
    expect(await recordOf(stack, "dry@example.com")).toEqual(before);
    expect(stack.auth0.rolesOfEmail("dry@example.com")).toEqual(["serverless-handbook"]);
    expect(await tombstones().forgottenAt("buyer:dry@example.com")).toBeNull();
  });

  it("asks before it erases, and does nothing where nobody can be asked", async () => {
    await deliver(stack, saleBy("ask@example.com"));
    expect(await run("forget ask@example.com")).toMatchObject({ code: 2,
      err: "gumroad-auth0: this can't be undone: say --yes" });
    expect(await run("forget ask@example.com", { questions: answers("n") })).toMatchObject({ code: 2,
      err: "gumroad-auth0: nothing was erased" });
    expect(await recordOf(stack, "ask@example.com")).toBeDefined();
    expect((await run("forget ask@example.com", { questions: answers("y") })).code).toBe(0);
    expect(await recordOf(stack, "ask@example.com")).toBeUndefined();
  });

  it("deletes the user too where it is asked to, if we made it; others only by force", async () => {
    await deliver(stack, saleBy("ours@example.com"));
    expect((await run("forget ours@example.com --user --yes")).code).toBe(0);
    expect(usersOf("ours@example.com")).toEqual([]);

    stack.auth0.addUser({ email: "theirs@example.com", verified: true, roles: ["club-premium"] });
    await deliver(stack, saleBy("theirs@example.com"));
    const kept = await run("forget theirs@example.com --user --yes");
    expect(kept.out).toContain("not made by us, or made over since: --force deletes it too");
    // What others gave stays.
    expect(usersOf("theirs@example.com")).toEqual([expect.objectContaining({ roles: ["club-premium"] })]);
    expect((await run("forget theirs@example.com --user --force --yes")).code).toBe(0);
    expect(usersOf("theirs@example.com")).toEqual([]);
    expect((await run("forget theirs@example.com --force --yes")).err).toContain("--force is for --user");
  });

  it("leaves the user to a person where no application may delete it, and still erases the rest", async () => {
    await deliver(stack, saleBy("hand@example.com"));
    const weak = { AUTH0_ADMIN_CLIENT_ID: "local-client", AUTH0_ADMIN_CLIENT_SECRET: "local-secret" };
    const { code, out } = await run("forget hand@example.com --user --yes", { env: weak });
    expect(code).toBe(1);
    expect(out).toMatch(
      /by hand {2}user auth0\|\w+: nobody here may delete users: delete it .* or set AUTH0_ADMIN_CLIENT_ID/,
    );
    expect(await traces("hand@example.com")).toEqual([]);
    expect(usersOf("hand@example.com")).toEqual([expect.objectContaining({ roles: [] })]);
  });

  it("takes the notes of gifts with it, and leaves what others bought", async () => {
    await deliver(stack, body("sale-gift"));
    expect((await traces("cy@example.com")).map(({ pk }) => pk)).toContain("giver#dee@example.com");
    await run("forget cy@example.com --yes");
    expect(await traces("cy@example.com")).toEqual([]);
  });

  it("takes what waits for word of its sale, too", async () => {
    await deliver(stack, changed("refund-full", { email: "early@example.com", sale_id: "early" }));
    expect(await traces("early@example.com")).toHaveLength(1);
    await run("forget early@example.com --yes");
    expect(await traces("early@example.com")).toEqual([]);
    expect(await traces("source#sale:early")).toEqual([]);
  });

  it("leaves a user whom another buyer's record leads to, too, what that one gives", async () => {
    await deliver(stack, saleBy("renamed@example.com"));
    await changeEmail(stack.auth0, usersOf("renamed@example.com")[0]!.user_id, "later@example.com");
    await deliver(stack, saleBy("later@example.com"));
    expect((await run("forget renamed@example.com --user --yes")).code).toBe(0);
    expect(stack.auth0.rolesOfEmail("later@example.com")).toEqual(["serverless-handbook"]);
    expect(await traces("renamed@example.com")).toEqual([]);
    await deliver(stack, changed("refund-full", { email: "later@example.com", sale_id: "sale-of-later@example.com" }));
    expect(stack.auth0.rolesOfEmail("later@example.com")).toEqual([]);
  });

  it("takes what is kept apart of the record, too", async () => {
    await deliver(stack, saleBy("apart@example.com", { product_id: "BBBBBBBBBBBBBBBBBBBBBB==" }));
    expect((await run("forget apart@example.com --yes")).code).toBe(0);
    expect(await traces("apart@example.com")).toEqual([]);
    expect(await tombstones().forgottenAt("sale:sale-of-apart@example.com")).toEqual(expect.any(Number));
  });

  it("isn't undone by pings told again, and the next purchase counts as anybody's", async () => {
    const email = "back@example.com";
    await deliver(stack, saleBy(email));
    await run(`forget ${email} --user --yes`);
    const again = [saleBy(email, { retry_count: "2" }), saleBy("other@example.com", { sale_id: `sale-of-${email}` }),
      changed("refund-full", { email, sale_id: `sale-of-${email}` })];
    await deliver(stack, ...again);
    expect(await traces(email)).toEqual([]);
    expect(await recordOf(stack, "other@example.com")).toBeUndefined();
    expect(await stack.sqs.deadLetters()).toEqual([]);

    const soldAt = `${new Date(Date.now() + 5_000).toISOString().slice(0, 19)}Z`;
    await deliver(stack, saleBy(email, { sale_id: "new-sale", sale_timestamp: soldAt }));
    expect(stack.auth0.rolesOfEmail(email)).toEqual(["serverless-handbook"]);
  });

  it("makes the key for the first who is forgotten, and waits until the functions know it", async () => {
    await deliver(stack, saleBy("first@example.com"));
    stack.secrets.set(SECRET, undefined);
    const waited: number[] = [];
    const { code, out } = await run("forget first@example.com --yes", { waits: async (ms) => void waited.push(ms) });
    expect(code).toBe(0);
    expect(out).toContain("done     key: made, as nobody was forgotten on this stage yet");
    expect(waited[0]).toBeGreaterThan(60_000);
    expect(await tombstones().forgottenAt("buyer:first@example.com")).toBeNull();

    stack.secrets.set(SECRET, "{");
    expect(await run("forget first@example.com --yes")).toMatchObject({ code: 1,
      err: expect.stringContaining("AWSPREVIOUS") });
    stack.secrets.set(SECRET, { key: KEY });
  });
});

import { readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import type { Stack } from "../../local/stack.ts";
import { changed, deliver, saleBy, startLocal } from "../pipeline/local-stack.ts";
import { cliOn } from "./local-cli.ts";

/** The commands of docs/support.md, by what happened: the page itself is run, so that it can't lie. */
const PAGE = new Map(
  readFileSync("docs/support.md", "utf8").split("\n").filter((line) => /^\| .*`/.test(line)).map((line) => {
    const cells = line.split(" | ");
    return [cells[0]?.replace(/^\| /, "") ?? "", [...(cells[2] ?? "").matchAll(/`([^`]+)`/g)].map(([, text = ""]) =>
      text
    )] as const;
  }),
);

const HANDBOOK = "serverless-handbook";

let stack: Stack;
beforeAll(async () => {
  stack = await startLocal({ maxWorkers: 1 });
});
afterAll(() => stack.stop());

const rolesOf = (email: string) => stack.auth0.rolesOfEmail(email);
const userOf = (email: string) => {
  const user = stack.auth0.users().find((each) => each.email === email);
  if (user === undefined) throw new Error(`Auth0 has no user ${email}`);
  return user.user_id;
};
const membershipOf = (email: string, file = "membership-sale", changes: Readonly<Record<string, string>> = {}) =>
  changed(file, { [file === "membership-sale" ? "email" : "user_email"]: email, subscription_id: `of-${email}`,
    "purchase_ids[]": `sale-of-${email}`, ...(file === "membership-sale" ? { sale_id: `sale-of-${email}` } : {}),
    ...changes });
const tomorrow = () => new Date(stack.gumroad.now() + 86_400_000).toISOString().slice(0, 10);

/** Runs what the page says; gives what the last command printed. Each has to be done, and its table to be true. */
async function mended(what: string, words: Readonly<Record<string, string>>): Promise<string> {
  const commands = PAGE.get(what);
  if (commands === undefined) throw new Error(`docs/support.md has no row "${what}"`);
  expect(commands.length).toBeLessThanOrEqual(3);
  let printed = "";
  for (const command of commands) {
    const line = command.replaceAll(/\b[A-Z]{3,}\b/g, (word) => words[word] ?? word);
    const { code, out, err } = await cliOn(stack)(line);
    expect({ line, code, err }).toEqual({ line, code: 0, err: "" });
    expectTrue(out);
    printed = out;
  }
  expect(printed).toMatch(/^done/m);
  return printed;
}

/** What a table says of users after a command is what Auth0 says. */
function expectTrue(out: string): void {
  const lines = out.split("\n");
  const head = lines.findIndex((line) => /user at Auth0 +before +after$/.test(line));
  for (const row of head === -1 ? [] : lines.slice(head + 2).filter((line) => / {2}/.test(line))) {
    const cells = row.split(/ {2,}/);
    const after = cells.at(-1) ?? "";
    const userId = cells.at(-3) ?? "";
    const user = stack.auth0.users().find(({ user_id: id }) => id === userId);
    const roles = user?.roles.join(", ");
    expect([userId, after]).toEqual([userId, user === undefined ? "no such user" : roles === "" ? "none" : roles]);
  }
}

describe("docs/support.md", () => {
  it("has a row for each situation", () => {
    expect([...PAGE.keys()]).toEqual(["A typo at checkout", "Google under another address",
      "A gift, and the giver asks", "A refund was taken back", "A payment failed", "Downgraded by mistake",
      "Somebody removed the role by hand", "Somebody deleted the Auth0 user"]);
  });

  it("gets in who typed another address at checkout", async () => {
    await deliver(stack, saleBy("ann@exmaple.com"));
    await mended("A typo at checkout", { BOUGHT: "ann@exmaple.com", LOGIN: "ann@example.com" });
    expect([rolesOf("ann@exmaple.com"), rolesOf("ann@example.com")]).toEqual([[], [HANDBOOK]]);
    expect(stack.auth0.passwordMails.map(({ to }) => to)).toContain("ann@example.com");
  });

  it("gets in who logs in with Google under another address", async () => {
    await deliver(stack, saleBy("bo@work.example"));
    const google = stack.auth0.addUser({ email: "bo@gmail.example", verified: true, connection: "google-oauth2" });
    const out = await mended("Google under another address", { BOUGHT: "bo@work.example", LOGIN: "bo@gmail.example" });
    expect(out).toContain(google.user_id);
    expect(stack.auth0.rolesOf(google.user_id)).toEqual([HANDBOOK]);
    await deliver(stack, changed("refund-full", { email: "bo@work.example", sale_id: "sale-of-bo@work.example" }));
    expect(stack.auth0.rolesOf(google.user_id)).toEqual([]);
  });

  it("mails who got a gift once more", async () => {
    await deliver(stack, changed("sale-gift", { email: "cy@example.com", sale_id: "gift-of-cy" }));
    const mails = () => stack.auth0.passwordMails.filter(({ to }) => to === "cy@example.com").length;
    expect(mails()).toBe(1);
    expect(await mended("A gift, and the giver asks", { BOUGHT: "cy@example.com" })).toContain(
      "mailed the invitation",
    );
    expect([mails(), rolesOf("cy@example.com")]).toEqual([2, [HANDBOOK]]);
  });

  it("lets in again whose refund was taken back", async () => {
    await deliver(stack, saleBy("dee@example.com"),
      changed("refund-full", { email: "dee@example.com", sale_id: "sale-of-dee@example.com" }));
    expect(rolesOf("dee@example.com")).toEqual([]);
    await mended("A refund was taken back", { BOUGHT: "dee@example.com", ROLE: HANDBOOK });
    expect(rolesOf("dee@example.com")).toEqual([HANDBOOK]);
  });

  it("bridges the time until a failed payment is made good", async () => {
    await deliver(stack, membershipOf("eve@example.com"),
      membershipOf("eve@example.com", "membership-ended", { ended_reason: "failed_payment" }));
    expect(rolesOf("eve@example.com")).toEqual([]);
    await mended("A payment failed", { BOUGHT: "eve@example.com", ROLE: "club", DAY: tomorrow() });
    expect(rolesOf("eve@example.com")).toEqual(["club"]);
  });

  it("gives back what a downgrade took", async () => {
    await deliver(stack, membershipOf("flo@example.com", "membership-sale", { "variants[Tier]": "Premium" }),
      membershipOf("flo@example.com", "membership-upgrade", { type: "downgrade", "old_plan[tier][name]": "Premium",
        "old_plan[price_cents]": "3000", "new_plan[tier][name]": "Basic", "new_plan[price_cents]": "1000" }));
    expect(rolesOf("flo@example.com")).toEqual(["club"]);
    await mended("Downgraded by mistake", { BOUGHT: "flo@example.com", ROLE: "club-premium", DAY: tomorrow() });
    expect(rolesOf("flo@example.com")).toEqual(["club", "club-premium"]);
  });

  it("gives back a role that somebody removed by hand", async () => {
    await deliver(stack, saleBy("gus@example.com"));
    stack.auth0.takeRoles(userOf("gus@example.com"), [HANDBOOK]);
    await mended("Somebody removed the role by hand", { BOUGHT: "gus@example.com" });
    expect(rolesOf("gus@example.com")).toEqual([HANDBOOK]);
  });

  it("makes the user anew whom somebody deleted, and invites them", async () => {
    await deliver(stack, saleBy("hal@example.com"));
    stack.auth0.removeUser(userOf("hal@example.com"));
    await mended("Somebody deleted the Auth0 user", { BOUGHT: "hal@example.com" });
    expect(rolesOf("hal@example.com")).toEqual([HANDBOOK]);
    expect(stack.auth0.passwordMails.filter(({ to }) => to === "hal@example.com")).toHaveLength(2);
  });
});

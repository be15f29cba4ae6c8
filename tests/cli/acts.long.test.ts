import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { roleNames } from "../../tenant/role-names.ts";
import type { Stack } from "../../local/stack.ts";
import { accountsTable, createUsers, hashOfCode } from "../../src/accounts/users.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoLedger } from "../../src/ledger/ledger.ts";
import { dynamoLosses } from "../../src/ledger/losses.ts";
import policy from "../../fixtures/policy.ts";
import { body, changed, deliver, recordOf, saleBy, startLocal } from "../pipeline/local-stack.ts";
import { send, workedOff } from "../pipeline/operator-messages.ts";
import { answers, cliOn, stageOn } from "./local-cli.ts";

const CLUB = "wg2b8FhyMUKaJ6Eo3PrR5g==";
const HANDBOOK = "zGyG_1JQunZuizwqd9CP7g==";

let stack: Stack;
beforeAll(async () => {
  // The policy gives "masterclass", and nobody has made it at Auth0.
  stack = await startLocal({ maxWorkers: 1, roles: roleNames(policy).filter((role) => role !== "masterclass") });
});
afterAll(() => stack.stop());
const run = (line: string, options?: Parameters<ReturnType<typeof cliOn>>[1]) => cliOn(stack)(line, options);
const rolesOf = (email: string) => stack.auth0.rolesOfEmail(email);
const ledger = () => {
  const { dynamo, ledger: table } = stageOn(stack);
  return { records: dynamoLedger(ledgerTable(dynamo, table)), losses: dynamoLosses(ledgerTable(dynamo, table)) };
};

describe("grant and revoke", () => {
  it("revoke --changes takes what no charge has confirmed, and leaves the membership", async () => {
    const eve = (file: string) =>
      body(file).replaceAll("eve%40", "eve.unconfirmed%40").replaceAll("DACURTKJMxmvflxqHGySZQ",
        "unconfirmedxxxxxxxxxxx");
    await deliver(stack, eve("membership-sale"), eve("membership-upgrade"));
    expect(rolesOf("eve.unconfirmed@example.com")).toEqual(["club", "club-premium"]);
    const source = Object.keys((await recordOf(stack, "eve.unconfirmed@example.com"))?.sources ?? {})[0] ?? "";
    const { code, out } = await run(`revoke eve.unconfirmed@example.com --source ${source} --changes --why forged`);
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining("loses club-premium") });
    expect(rolesOf("eve.unconfirmed@example.com")).toEqual(["club"]);
    expect((await run("revoke eve.unconfirmed@example.com club --changes --why forged")).err).toContain(
      "--changes is for --source",
    );
  });

  it("give a role to somebody nobody knows, with who and why, and take it back", async () => {
    const given = await run("grant new@example.com club --why raffle --by rita");
    const user = stack.auth0.users().find(({ email }) => email === "new@example.com");
    expect(given.out.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["gives club for good: new@example.com gets club"],
      ["user at Auth0", "before", "after"],
      [expect.stringMatching(/^-+$/), expect.anything(), expect.anything()],
      [user?.user_id, "no such user", "club"],
      ["done"],
    ]);
    expect([given.code, given.err]).toEqual([0, ""]);
    expect(rolesOf("new@example.com")).toEqual(["club"]);
    expect((await recordOf(stack, "new@example.com"))?.sources["grant:club"]?.act).toMatchObject({ by: "rita",
      why: "raffle", decision: { kind: "give", until: null } });
    expect((await run("explain new@example.com")).out).toContain(
      "yes  club, because a role given for nothing: an operator gave it for nothing",
    );

    const taken = await run("revoke new@example.com club --why over");
    expect([taken.code, taken.err]).toEqual([0, ""]);
    expect(taken.out).toMatch(/^takes away grant:club: new@example.com loses club\n.*\n.*\n.* club +none\ndone$/);
    expect(rolesOf("new@example.com")).toEqual([]);
    expect((await run("explain new@example.com")).out).toContain(
      "no   club, because a role given for nothing: an operator gave it for nothing, and that is over or was taken " +
        "back",
    );
  });

  it("give it until the end of a day, after which it goes by itself", async () => {
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    expect((await run(`grant trial@example.com club --until ${tomorrow} --why trial`)).code).toBe(0);
    const until = Date.parse(tomorrow) + 86_400_000;
    expect(await recordOf(stack, "trial@example.com")).toMatchObject({ dueAt: until,
      sources: { "grant:club": { act: { decision: { kind: "give", until } } } } });
  });

  it("tell scripts what changed, in the same words for a dry run, which changes nothing", async () => {
    const about = { buyer: "dry@example.com", role: "club", until: null, before: [], after: ["club"] };
    const dry = await run("grant dry@example.com club --dry-run --json");
    expect({ code: dry.code, json: JSON.parse(dry.out) }).toEqual({ code: 0, json: { ...about, dryRun: true } });
    expect(await recordOf(stack, "dry@example.com")).toBeUndefined();
    const wet = await run("grant dry@example.com club --why script --by ci --json");
    const id = stack.auth0.users().find(({ email }) => email === "dry@example.com")?.user_id;
    expect({ code: wet.code, json: JSON.parse(wet.out) }).toEqual({ code: 0,
      json: { ...about, dryRun: false, by: "ci", why: "script", outcome: { state: "applied" },
        auth0: { before: [], after: [{ id, isThere: true, verified: false, roles: ["club"] }] } } });
  });

  it("ask why at a terminal, and insist on an answer", async () => {
    const questions = answers("because she is kind");
    expect((await run("grant kind@example.com club", { questions })).code).toBe(0);
    expect(questions.asked).toEqual(["Why"]);
    expect((await recordOf(stack, "kind@example.com"))?.sources["grant:club"]?.act?.why).toBe("because she is kind");
    expect(await run("grant unkind@example.com club")).toMatchObject({ code: 2,
      err: expect.stringContaining("say why with --why") });
    expect(await run("grant unkind@example.com club", { questions: answers("") })).toMatchObject({ code: 2,
      err: expect.stringContaining("say why with --why") });
    expect(await recordOf(stack, "unkind@example.com")).toBeUndefined();
  });

  it("refuse a role that there isn't, naming those that there are, and ends that make no sense", async () => {
    expect(await run("grant ann@example.com king --why fun")).toMatchObject({ code: 2,
      err: 'gumroad-auth0: there is no role "king", in src/products.ts or at Auth0; there are: club, club-premium, ' +
        "masterclass, react-for-dataviz, serverless-handbook" });
    expect((await run("grant ann@example.com club --why fun --until 2020-01-01")).err).toContain("is over already");
    expect((await run("grant ann@example.com club --why fun --until 2030-02-30")).err).toContain("is no day");
    expect((await run("grant ann@example.com club --why fun --until tomorrow")).err).toContain("is no day");
    expect((await run("grant ann club --why fun")).err).toContain('"ann" is no email');
  });

  it(
    "leave what a purchase gives, say so, and take that one only where it is named; undone, Gumroad's facts " +
      "decide again",
    async () => {
      await deliver(stack, saleBy("both@example.com"));
      await run("grant both@example.com serverless-handbook --why extra");
      const { out } = await run("revoke both@example.com serverless-handbook --why over");
      expect(out).toContain("is due the same as before by the policy here (serverless-handbook)");
      expect(out).toContain(
        "serverless-handbook also comes from sale:sale-of-both@example.com: that stays, unless you take it with " +
          "--source sale:sale-of-both@example.com",
      );
      expect(rolesOf("both@example.com")).toEqual(["serverless-handbook"]);

      expect((await run("revoke both@example.com --source sale:sale-of-both@example.com --why fraud")).out).toContain(
        "both@example.com loses serverless-handbook",
      );
      expect(rolesOf("both@example.com")).toEqual([]);
      expect((await run("explain both@example.com")).out).toMatch(/ taken away {2}sale:\S+ {2}by \S+: fraud$/m);
      expect((await run("revoke both@example.com --source sale:sale-of-both@example.com --undo --why mistaken")).out)
        .toContain("both@example.com gets serverless-handbook");
      expect((await run("explain both@example.com")).out).toMatch(/decided .* \(as Gumroad says, again\): mistaken$/m);
      expect(rolesOf("both@example.com")).toEqual(["serverless-handbook"]);
    },
  );

  it("refuse to take what nobody gave, and what isn't theirs", async () => {
    await deliver(stack, saleBy("paid@example.com"));
    expect(await run("revoke paid@example.com serverless-handbook --why fun")).toMatchObject({ code: 2,
      err: expect.stringContaining(
        "nobody gave paid@example.com serverless-handbook for nothing: if a purchase gives it, name that with " +
          "--source",
      ) });
    expect((await run("revoke paid@example.com --source sale:other --why fun")).err).toContain(
      "sale:other is no purchase of paid@example.com",
    );
    expect((await run("revoke paid@example.com --why fun")).err).toContain("name either a role");
    expect((await run("revoke paid@example.com club --source sale:other --why fun")).err).toContain(
      "name either a role",
    );
  });

  it("say that it is recorded and what it waits for, where Auth0 lacks the role", async () => {
    const given = await run("grant stuck@example.com masterclass --why x --json");
    expect(given.code).toBe(1);
    expect(JSON.parse(given.out)).toMatchObject({
      outcome: { state: "waits", code: "AUTH0_ROLE_MISSING", message: expect.stringContaining("masterclass") },
    });
    expect((await recordOf(stack, "stuck@example.com"))?.sources["grant:masterclass"]).toBeDefined();
  });
});

describe("transfer", () => {
  it("moves a purchase to another email, and its later pings with it", async () => {
    await deliver(stack, saleBy("anne@example.com"));
    expect(await run("transfer sale-of-anne@example.com ann2@example.com --why typo")).toMatchObject({ code: 2,
      err: expect.stringContaining("say --yes") });
    const { code, out } = await run("transfer sale-of-anne@example.com ann2@example.com --why typo --yes");
    expect({ code, out: out.split("\n").slice(0, 5) }).toEqual({ code: 0, out: [
      "from anne@example.com to ann2@example.com:",
      "  sale:sale-of-anne@example.com  Serverless Handbook",
      "anne@example.com loses serverless-handbook",
      "ann2@example.com gets serverless-handbook",
      expect.stringMatching(/^buyer +user at Auth0 +before +after$/),
    ] });
    expect(out).toMatch(
      /\nanne@example.com .* serverless-handbook +none\nann2@example.com .* such user +serverless-handbook\ndone$/,
    );
    expect([rolesOf("anne@example.com"), rolesOf("ann2@example.com")]).toEqual([[], ["serverless-handbook"]]);
    await deliver(stack, changed("refund-full", { email: "anne@example.com", sale_id: "sale-of-anne@example.com" }));
    expect(rolesOf("ann2@example.com")).toEqual([]);
  });

  it("moves a bundle with all that came in it, once that is confirmed", async () => {
    await deliver(stack,
      ...["bundle-sale", "bundle-child-handbook", "bundle-child-dataviz"].map((file) => changed(file, {})));
    const all = ["sale:fivzGAUJVPg4qV8pUdy6cA==", "sale:hAhV6Uel3-VmLc5Ty7JOiQ==", "sale:iUT0AWXRBGlXWu99B3Ag8w=="];
    const dry = JSON.parse((await run(`transfer ${all[0] ?? ""} fay2@example.com --dry-run --json`)).out);
    expect({ ...dry, sources: dry.sources.sort() }).toEqual({ from: "fay@example.com", to: "fay2@example.com",
      sources: all, leftBehind: [], unread: 0, changes: [
        { buyer: "fay@example.com", before: ["react-for-dataviz", "serverless-handbook"], after: [] },
        { buyer: "fay2@example.com", before: [], after: ["react-for-dataviz", "serverless-handbook"] },
      ], dryRun: true });
    expect(await run(`transfer ${all[0] ?? ""} fay2@example.com --why gift`)).toMatchObject({ code: 2,
      err: expect.stringContaining("--yes to move all of them, or --only") });
    expect(await run(`transfer ${all[0] ?? ""} fay2@example.com --why gift`, { questions: answers("n") }))
      .toMatchObject({ code: 2, err: expect.stringContaining("nothing was moved") });
    expect(rolesOf("fay@example.com")).toEqual(["react-for-dataviz", "serverless-handbook"]);

    expect((await run(`transfer ${all[1] ?? ""} fay2@example.com`, { questions: answers("y", "gift") })).code).toBe(0);
    expect([rolesOf("fay@example.com"), rolesOf("fay2@example.com")]).toEqual([[], ["react-for-dataviz",
      "serverless-handbook"]]);
  });

  it("moves both sides of a gift, the giver's too, and both back again", async () => {
    await deliver(stack, body("sale-gift"));
    const received = "sale:p1C-vUVRvcW2Mgltlh_Awg==";
    const { records } = ledger();
    const record = await records.load("cy@example.com");
    const side = record.sources[received];
    if (side === undefined) throw new Error("the gift isn't there");
    const given = { ...side,
      charges: side.charges.map((charge) => ({ ...charge, saleId: "given", seen: false, priceCents: 4900,
        gift: "given" as const })
      ) };
    await records.claim("sale:given", "cy@example.com");
    await records.save({ ...record, sources: { ...record.sources, "sale:given": given } });

    expect((await run(`transfer ${received} cy2@example.com --why wrong --yes`)).out).toContain(
      "  sale:given  Serverless Handbook",
    );
    expect([rolesOf("cy@example.com"), rolesOf("cy2@example.com")]).toEqual([[], ["serverless-handbook"]]);
    expect((await run("transfer sale:given cy@example.com --why right --yes")).code).toBe(0);
    expect([rolesOf("cy@example.com"), rolesOf("cy2@example.com")]).toEqual([["serverless-handbook"], []]);
  });

  it("refuses what nobody bought, whose it is already, and what was given to one person", async () => {
    await deliver(stack, saleBy("own@example.com"));
    expect(await run("transfer sale:none ann@example.com --why fun")).toMatchObject({ code: 2,
      err: expect.stringContaining("nobody bought sale:none") });
    expect((await run("transfer sale:sale-of-own@example.com Own@Example.com --why fun")).err).toContain(
      "is own@example.com's already",
    );
    expect((await run("transfer grant:club ann@example.com --why fun")).err).toContain("take it back with revoke");
    // In a pipe nobody can look again at what was typed.
    expect(await run("transfer sale:sale-of-own@example.com ann@example.com --why fun")).toMatchObject({ code: 2,
      err: expect.stringContaining("say --yes to move it") });
  });
});

describe("release and keep", () => {
  async function hold(email: string): Promise<void> {
    await deliver(stack, saleBy(email));
    const { records, losses } = ledger();
    const record = await records.load(email);
    const id = `sale:sale-of-${email}` as const;
    // As if the product had gone from the policy for many at once: what the record gives, it gives by the hold alone.
    const source = record.sources[id];
    if (source === undefined) throw new Error("the sale isn't there");
    await records.save({ ...record, held: { [id]: Date.now() },
      sources: { [id]: { ...source, charges: source.charges.map((charge) => ({ ...charge, preorder: true })) } } });
    await losses.noteHeld(HANDBOOK, email);
  }

  it("keep brings those back, too, who lost the product in the hour before, unless that was meant", async () => {
    const member = (email: string) => ({ subscription_id: `of-${email}`, "purchase_ids[]": `first-of-${email}` });
    const sale = (email: string) =>
      changed("membership-sale", { ...member(email), email, sale_id: `first-of-${email}` });
    const refund = changed("refund-full", { email: "m2@example.com", sale_id: "first-of-m2@example.com",
      product_id: CLUB, product_name: "Pro Club", subscription_id: "of-m2@example.com" });
    const end = (email: string) =>
      changed("membership-ended", { ...member(email), user_email: email, ended_at: new Date().toISOString() });
    const buyers = ["m1@example.com", "m2@example.com", "m3@example.com"];
    await deliver(stack, ...buyers.map(sale), refund, ...buyers.slice(0, 2).map(end));
    const { records, losses } = ledger();
    const record = await records.load("m3@example.com");
    const id = "subscription:of-m3@example.com" as const;
    const source = record.sources[id];
    if (source === undefined) throw new Error("the membership isn't there");
    await records.save({ ...record, held: { [id]: Date.now() },
      sources: { [id]: { ...source, ended: { at: Date.now(), reason: "cancelled" } } } });
    await losses.noteHeld(CLUB, "m3@example.com");
    expect(buyers.map(rolesOf)).toEqual([[], [], ["club"]]);

    const { code, out } = await run("keep wg2b8FhyMUKaJ6Eo3PrR5g== --why mistake --yes");
    expect(out).toContain("and brings back 1 who lost it in the hour before it was held");
    expect([code, buyers.map(rolesOf)]).toEqual([0, [["club"], [], ["club"]]]);
  });

  it("release lets one buyer's roles go, by the product's name, and keep gives the others theirs", async () => {
    for (const email of ["h1@example.com", "h2@example.com", "h3@example.com"]) await hold(email);
    const dry = await run(`release ${HANDBOOK} --dry-run --json`);
    expect(JSON.parse(dry.out)).toEqual({ product: HANDBOOK, decision: "release",
      buyers: ["h1@example.com", "h2@example.com", "h3@example.com"], dryRun: true,
      waiting: ["h1@example.com", "h2@example.com", "h3@example.com"] });
    expect(await run(`release ${HANDBOOK} h1@example.com`, { questions: answers("n") })).toMatchObject({ code: 2,
      err: expect.stringContaining("nothing was decided") });

    for (const decision of ["release", "keep"]) {
      expect(await run(`${decision} ${HANDBOOK} --why x`)).toMatchObject({ code: 2,
        err: expect.stringContaining("nobody can be asked here: say --yes") });
    }
    expect(await run(`release ${HANDBOOK} h1@example.com --why ended --yes`)).toMatchObject({ code: 0,
      out: expect.stringContaining("done for 1 of 1") });
    expect([rolesOf("h1@example.com"), rolesOf("h2@example.com")]).toEqual([[], ["serverless-handbook"]]);
    expect(await run(`keep ${HANDBOOK} --why mistake --yes`)).toMatchObject({ code: 0,
      out: expect.stringContaining("done for 2 of 2") });
    expect([rolesOf("h2@example.com"), rolesOf("h3@example.com")]).toEqual([["serverless-handbook"], [
      "serverless-handbook",
    ]]);
    expect(await run(`release ${HANDBOOK} --why again`)).toMatchObject({ code: 0,
      out: "nothing is held of Serverless Handbook" });
  });
});

describe("invite", () => {
  it("sends word once more to somebody who has a role, and to nobody else", async () => {
    await deliver(stack, saleBy("guest@example.com"));
    expect(await run("invite guest@example.com --dry-run")).toMatchObject({ code: 0,
      out: "would invite guest@example.com, who is to have serverless-handbook" });
    expect(await run("invite guest@example.com --why lost")).toMatchObject({ code: 0,
      out: expect.stringContaining("done: Auth0 mailed the invitation") });
    expect(stack.auth0.passwordMails.filter(({ to }) => to === "guest@example.com")).toHaveLength(2);
    expect((await recordOf(stack, "guest@example.com"))?.invited?.asked).toMatchObject({ why: "lost" });
    expect(await run("invite stranger@example.com --why fun")).toMatchObject({ code: 2,
      err: expect.stringContaining("has no role") });
  });

  it("mails who never verified their address the link for that, and says that the roles follow it", async () => {
    const { user_id: id } = stack.auth0.addUser({ email: "early@example.com" });
    await deliver(stack, saleBy("early@example.com"));
    const mails = () => stack.auth0.mails.filter(({ userId }) => userId === id).length;
    const before = mails();
    expect(await run("invite early@example.com --why asked")).toMatchObject({ code: 0,
      out: expect.stringContaining("done: Auth0 mailed the link to verify the address; the roles follow it") });
    expect([mails(), rolesOf("early@example.com")]).toEqual([before + 1, []]);
    stack.auth0.verifyEmail(id);
    expect((await run("sync early@example.com")).code).toBe(0);
    expect(rolesOf("early@example.com")).toEqual(["serverless-handbook"]);
  });
});

describe("an act about somebody whose roles at Auth0 aren't as we left them", () => {
  const userOf = (email: string) => {
    const user = stack.auth0.users().find((each) => each.email === email);
    if (user === undefined) throw new Error(`nobody is ${email}`);
    return user.user_id;
  };

  it("mends what was removed by hand, shows it, and is done only then", async () => {
    await deliver(stack, saleBy("hand@example.com"));
    stack.auth0.takeRoles(userOf("hand@example.com"), ["serverless-handbook"]);
    const { code, out } = await run("grant hand@example.com serverless-handbook --why sorry");
    expect(out).toMatch(
      /the same as before by the policy here \(serverless-handbook\)\n(?:.*\n){2}.* none +serverless-handbook\ndone$/,
    );
    expect([code, rolesOf("hand@example.com")]).toEqual([0, ["serverless-handbook"]]);
  });

  it("makes and invites the user anew whom somebody deleted", async () => {
    await deliver(stack, saleBy("deleted@example.com"));
    stack.auth0.removeUser(userOf("deleted@example.com"));
    // Where no terminal is, the bar is a line every ten seconds.
    let at = Date.now() + stack.ahead();
    const openStage = async () => ({ ...stageOn(stack), now: () => (at += 11_000) });
    const { code, out, err } = await run("sync deleted@example.com", { openStage });
    expect(err).toMatch(/^\d of 60 seconds, until deleted@example.com has it, \d %/);
    expect(out).toMatch(/ deleted +no such user\n.* no such user +serverless-handbook\ndone$/);
    expect([code, rolesOf("deleted@example.com")]).toEqual([0, ["serverless-handbook"]]);
    expect(stack.auth0.passwordMails.filter(({ to }) => to === "deleted@example.com")).toHaveLength(2);
  });

  it("says that Auth0 doesn't match where it can't be made to, and with --no-wait that it is queued", async () => {
    await deliver(stack, saleBy("soon@example.com"));
    stack.auth0.takeRoles(userOf("soon@example.com"), ["serverless-handbook"]);
    const queued = await run("grant soon@example.com club --why x --no-wait");
    expect(queued).toMatchObject({ code: 0, out: expect.stringContaining("queued for soon@example.com") });
    expect(queued.out).not.toContain("done");
    await stack.sqs.idle();
    expect(rolesOf("soon@example.com")).toEqual(["club", "serverless-handbook"]);

    const fault = stack.auth0.fault({ method: "POST", path: "/users/{id}/roles", times: 9, answer: { status: 400 } });
    const refused = await run("grant soon@example.com react-for-dataviz --why x");
    expect(refused).toMatchObject({ code: 1,
      out: expect.stringContaining("it waits: Auth0 refused to assign roles") });
    fault.remove();
  });

  it("is hurried with all others that wait once the cause is mended, hours before their time", async () => {
    stack.auth0.addRole("masterclass");
    // Roles are listed again every ten seconds at most.
    await stack.advance(10_000);
    const { code, out } = await run("sync --waiting");
    expect(out).toMatch(/\nsoon@example.com +AUTH0_REFUSED/);
    expect(out).toMatch(/\nstuck@example.com +AUTH0_ROLE_MISSING/);
    expect([code, rolesOf("stuck@example.com")]).toEqual([0, ["masterclass"]]);
    expect(rolesOf("soon@example.com")).toContain("react-for-dataviz");
  });

  it("is looked at at once, too, where it waits for an option that the policy doesn't list", async () => {
    await deliver(stack, saleBy("gold@example.com", { product_id: CLUB, "variants[Tier]": "Gold" }));
    const before = await recordOf(stack, "gold@example.com");
    const { code, out } = await run("sync --waiting");
    expect(out).toMatch(/\ngold@example.com +OPTION_UNLISTED/);
    expect(out).toContain("recorded for gold@example.com, but it waits: ");
    expect([code, (await recordOf(stack, "gold@example.com"))!.version]).toEqual([1, before!.version + 1]);
  });

  it("finds all whose record and Auth0 differ, and mends them", async () => {
    stack.auth0.takeRoles(userOf("hand@example.com"), ["serverless-handbook"]);
    stack.auth0.giveRoles(userOf("soon@example.com"), ["club-premium"]);
    expect(await run("sync --drift --dry-run")).toMatchObject({ code: 0,
      out: expect.stringMatching(/\nhand@example.com +\S+ +serverless-handbook$/) });
    expect((await run("sync --drift")).code).toBe(0);
    expect(rolesOf("hand@example.com")).toEqual(["serverless-handbook"]);
    expect((await run("sync --drift")).out).toBe("Auth0 matches every record");
  });

  it("refuses a buyer of whom nothing is known", async () => {
    expect(await run("sync nobody@example.com")).toMatchObject({ code: 2,
      err: expect.stringContaining("nobody is known as nobody@example.com") });
    expect((await run("sync")).code).toBe(2);
    expect((await run("sync ann@example.com --drift")).code).toBe(2);
  });
});

describe("of two operators' acts", () => {
  const skewed = (aheadMs: number) => async (line: string) =>
    run(line, { openStage: async () => ({ ...stageOn(stack), now: () => Date.now() + stack.ahead() + aheadMs }) });

  it("the one made later counts, though the clock of the first was five minutes ahead", async () => {
    await skewed(300_000)("grant skew@example.com club --why x --by rita");
    expect((await recordOf(stack, "skew@example.com"))?.sources["grant:club"]?.act?.at).toBeLessThan(
      Date.now() + stack.ahead() + 1_000,
    );
    expect(await skewed(-300_000)("revoke skew@example.com club --why over --by tom")).toMatchObject({ code: 0,
      out: expect.stringMatching(/done$/) });
    expect(rolesOf("skew@example.com")).toEqual([]);
  });

  it("the one that was overruled before it came in says so, and by whom", async () => {
    await run("grant raced@example.com club --why x");
    const behind = { ...stageOn(stack), now: () => Date.now() + stack.ahead() - 300_000 };
    const { code, out } = await run("revoke raced@example.com club --by tom", { openStage: async () => behind,
      questions: { ...answers(), ask: async () => {
        await run("grant raced@example.com club --why stays --by rita");
        return "over";
      } } });
    expect(out).toMatch(/overruled for raced@example.com: what rita decided .* is newer and counts \(stays\)/);
    expect([code, rolesOf("raced@example.com")]).toEqual([1, ["club"]]);
  });
});

describe("transfer --all", () => {
  it("moves purchases and roles given for nothing, leaves what was taken away, and insists on --yes", async () => {
    await deliver(stack, saleBy("old@example.com"),
      saleBy("old@example.com", { sale_id: "second-of-old", product_id: "Z7kcrf7WgiSjiBnsGYi45w==" }));
    await run("grant old@example.com club --why raffle");
    await run("revoke old@example.com --source sale:second-of-old --why fraud");
    expect(await run("transfer --all old@example.com fresh@example.com --why moved")).toMatchObject({ code: 2,
      err: expect.stringContaining("say --yes") });
    const { code, out } = await run("transfer --all old@example.com fresh@example.com --why moved --yes");
    expect(out).toContain("an operator took sale:second-of-old away: it stays with old@example.com");
    expect(out).toContain("  grant:club  given for nothing");
    expect([code, rolesOf("old@example.com"), rolesOf("fresh@example.com")]).toEqual([0, [], ["club",
      "serverless-handbook"]]);
    expect(await run("transfer --all old@example.com fresh@example.com --why again --yes")).toMatchObject({ code: 2,
      err: expect.stringContaining("has nothing to move") });
  });
});

it("transfer --all moves what the policy doesn't list, too, and doesn't ask for it again", async () => {
  const unlisted = { product_id: "AAAAAAAAAAAAAAAAAAAAAA==", sale_id: "apart-of-lou" };
  await deliver(stack, saleBy("lou@example.com"), saleBy("lou@example.com", unlisted));
  const { code, out } = await run("transfer --all lou@example.com mia@example.com --why typo --yes");
  expect({ code, out }).toEqual({ code: 0,
    out: expect.stringContaining("  sale:apart-of-lou  a product that src/products.ts doesn't list\n") });
  const { out: explained } = await run("explain apart-of-lou");
  expect(explained).toContain("mia@example.com owns sale:apart-of-lou");
  expect(explained).toContain("moved here from lou@example.com");
  expect(explained).not.toContain("transfer moves it");
});

describe("commands on a stack whose time was moved ahead", () => {
  it("go by the stack's time, as its functions do", async () => {
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    await run(`grant later@example.com club --until ${tomorrow} --why trial`);
    await stack.advance(3 * 86_400_000);
    expect((await run("explain later@example.com")).out).toContain("no   club, because a role given for nothing");
    expect(await run(`grant later@example.com club --until ${tomorrow} --why more`)).toMatchObject({ code: 2,
      err: expect.stringContaining("is over already") });
    expect((await run("grant later@example.com club --why more")).code).toBe(0);
    expect((await recordOf(stack, "later@example.com"))?.sources["grant:club"]?.act?.at).toBeGreaterThan(
      Date.now() + 2 * 86_400_000,
    );
  });
});

describe("claims", () => {
  /** Somebody shows the licence key of a sale. */
  async function shows(by: `email:${string}` | `name:${string}`, buyer: string): Promise<void> {
    const saleId = `sale-of-${buyer}`;
    await send(stack, { v: 1, kind: "claim", requestId: `${by} ${saleId}`, buyer, hops: 0, saleId, by, at: Date.now(),
      decided: null }, `${by} ${saleId}`);
    await workedOff(stack);
  }

  it("lists who asks for what, which explain says too, and moves it once that is confirmed", async () => {
    await deliver(stack, saleBy("owner@example.com"));
    await shows("name:first", "owner@example.com");
    const before = (await run("claims")).out;
    expect(before).toContain("of owner@example.com: name:first has it by its licence key");
    expect(before).toContain("nobody asks for anything");
    await shows("email:late@example.com", "owner@example.com");

    const listed = await run("claims");
    expect(listed).toMatchObject({ code: 0, err: "" });
    expect(listed.out).toContain(
      "sale:sale-of-owner@example.com  Serverless Handbook, of owner@example.com: " +
        "email:late@example.com shows its licence key",
    );
    const explained = await run("explain owner@example.com");
    expect(explained.out).toContain("a person has to say claims confirm or refuse (CLAIMED");
    expect(explained.out).toContain("name:first showed the licence key: granted");

    const source = "sale:sale-of-owner@example.com";
    expect(await run(`claims confirm ${source} name:first --why x`)).toMatchObject({ code: 2,
      err: expect.stringContaining("nobody asks") });
    const dry = await run(`claims confirm ${source} --dry-run`);
    expect(dry.out).toBe(`would confirm that email:late@example.com gets ${source} of owner@example.com`);
    expect(await run(`claims confirm ${source} --why receipt --by rita`)).toMatchObject({ code: 0, err: "" });
    await workedOff(stack);

    expect(rolesOf("late@example.com")).toEqual(["serverless-handbook"]);
    expect(rolesOf("owner@example.com")).toEqual([]);
    expect((await run("claims")).out).toBe("nobody asks for anything");
    expect((await run("explain owner@example.com")).out).toContain("email:late@example.com: granted by rita: receipt");
  });

  it("closes what is refused, takes away what an account has, and asks whose where several have a part", async () => {
    await deliver(stack, saleBy("kept@example.com"));
    for (const name of ["one", "two", "three"] as const) await shows(`name:${name}`, "kept@example.com");
    const source = "sale:sale-of-kept@example.com";

    expect(await run(`claims refuse ${source} --why no`)).toMatchObject({ code: 2,
      err: "gumroad-auth0: several ask for it, or have it: name one of name:two, name:three, name:one" });
    expect((await run(`claims refuse ${source} name:two --why shared`)).code).toBe(0);
    expect(JSON.parse((await run("claims --json")).out)).toMatchObject({
      claims: [{ source, by: "name:one", buyer: "kept@example.com", state: "granted" }, { source, by: "name:three",
        state: "asked" }],
    });
    expect((await run(`claims refuse ${source} name:one --why stolen`)).code).toBe(0);
    expect((await recordOf(stack, "kept@example.com"))?.claims).toContainEqual(
      expect.objectContaining({ by: "name:one", state: "refused" }),
    );
    expect((await run(`claims refuse ${source} --why shared`)).code).toBe(0);
    expect((await run("claims")).out).not.toContain("kept@example.com");
    for (const nobody of [source, "sale:none", "nonsense"]) {
      expect(await run(`claims confirm ${nobody} --why x`)).toMatchObject({ code: 2,
        err: expect.stringContaining(`nobody asks for ${nobody}`) });
    }
  });
});

describe("accounts reset", () => {
  it("prints a one-time code of which only the hash is stored, good for a day", async () => {
    const { dynamo, accounts } = stageOn(stack);
    const users = createUsers(accountsTable(dynamo, accounts));
    await users.create({ username: "lena", createdAt: "2026-01-05T00:00:00.000Z", passwordHash: "x" });

    const { code, out } = await run("accounts reset LENA");

    expect(code).toBe(0);
    const [typed = ""] = out.split("\n");
    expect(typed).toMatch(/^[\w-]{22}$/);
    const stored = (await users.find("lena"))?.oneTime;
    expect(stored?.hash).toBe(hashOfCode(typed));
    expect((stored?.until ?? 0) - stack.gumroad.now()).toBeGreaterThan(86_000_000);
    expect(await run("accounts reset nobody")).toMatchObject({ code: 2,
      err: "gumroad-auth0: there is no account nobody" });
  });
});

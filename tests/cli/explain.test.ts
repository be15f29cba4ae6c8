import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { auth0Directory } from "../../src/auth0/directory.ts";
import { auth0SecretShape } from "../../src/auth0/secret.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { readManifest } from "../../cli/replay/rows.ts";
import type { Stack } from "../../local/stack.ts";
import { LOCAL_CLIENT } from "../../local/known-values.ts";
import { buyerTag } from "../../src/log.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoLedger } from "../../src/ledger/ledger.ts";
import policy from "../../fixtures/policy.ts";
import { body, changed, deliver, recordOf, saleBy, startLocal } from "../pipeline/local-stack.ts";
import { cliOn, stageOn } from "./local-cli.ts";

const GOLDEN = path.join(import.meta.dirname, "golden/explain");
const began = Date.now() - 60_000;

let stack: Stack;
beforeAll(async () => {
  stack = await startLocal({ maxWorkers: 1 });
});
afterAll(() => stack.stop());
const run = (line: string, options?: Parameters<ReturnType<typeof cliOn>>[1]) => cliOn(stack)(line, options);

/** A body with buyers and ids of its own, so that many stories can be told to one stack. */
function ofStory(story: number, text: string): string {
  return text.replace(/(^|&)(email|user_email|gifter_email)=/g, `$1$2=story${String(story)}.`).replace(
    /(^|&)(sale_id|subscription_id)=/g,
    `$1$2=${String(story)}-`,
  );
}

/** What differs from run to run becomes the same: the story's own names, Auth0's user ids, and moments of this run. */
function stable(text: string): string {
  return text
    .replace(/story\d+\./g, "")
    .replace(/\b(sale|subscription):\d+-/g, "$1:")
    .replace(/auth0\|\w+/g, "auth0|USER")
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g,
      (moment) => (Date.parse(`${moment.replace(" ", "T")}Z`) >= began ? "<this run>         " : moment))
    .replace(/ +$/gm, "");
}

function heldToGolden(name: string, text: string): void {
  const file = path.join(GOLDEN, `${name.replace(/[^a-z0-9]+/gi, "-").toLowerCase()}.txt`);
  if ((process.env["GOLDEN"] ?? "") !== "") {
    mkdirSync(GOLDEN, { recursive: true });
    writeFileSync(file, text);
  }
  expect(existsSync(file) ? readFileSync(file, "utf8") : `no ${path.basename(file)}: write it with GOLDEN=1`).toBe(
    text,
  );
}

describe("explain", () => {
  it.each(readManifest().stories.map((story, index) => ({ ...story, index })))(
    "says of every story why it ended so: $name",
    async ({ name, pings, roles, index }) => {
      await deliver(stack, ...pings.map((file) => ofStory(index, body(file))));
      const told: string[] = [];
      for (const email of Object.keys(roles)) {
        const { out, err } = await run(`explain story${String(index)}.${email} --search`);
        expect(err).toBe("");
        told.push(out);
      }
      heldToGolden(name, stable(`${told.join("\n\n----\n\n")}\n`));
    },
  );

  it("gives scripts the same as one object", async () => {
    await deliver(stack, saleBy("json@example.com"));
    const [user] = stack.auth0.users().filter(({ email }) => email === "json@example.com");
    const { code, out } = await run("explain json@example.com --json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ known: true, buyer: "json@example.com",
      roles: [{ role: "serverless-handbook", entitled: true, sources: ["sale:sale-of-json@example.com"] }],
      sources: [{ id: "sale:sale-of-json@example.com", product: "Serverless Handbook", access: true, reason: "paid",
        because: "it was paid", gives: ["serverless-handbook"], heldSince: null, act: null }],
      users: [{ id: user?.user_id, origin: "created", roles: { "serverless-handbook": "has" },
        auth0: { exists: true, verified: false, roles: ["serverless-handbook"], metadataRoles: [] } }],
      auth0Failure: null, waits: [], wouldChange: { findsUsers: false, users: [] }, unsold: null,
      events: [{ source: "sale:sale-of-json@example.com", detail: { event: "sale" } }] });
  });

  it("finds a buyer by a purchase, and says whose it is", async () => {
    await deliver(stack, saleBy("whose@example.com"));
    const { code, out } = await run("explain sale:sale-of-whose@example.com");
    expect({ code, first: out.split("\n")[0] }).toEqual({ code: 0,
      first: "sale:sale-of-whose@example.com is whose@example.com's" });
    expect(out).toContain("yes  serverless-handbook, because Serverless Handbook: it was paid");
  });

  it("says what is told of a purchase that nobody has made yet, and that it waits", async () => {
    await deliver(stack, ofStory(900, body("refund-full")));
    const { code, out } = await run("explain sale:900-fH9XoNJ-gQtcIacRpiKnyg==");
    expect({ code, out: stable(out) }).toEqual({ code: 1,
      out: "nobody has bought sale:fH9XoNJ-gQtcIacRpiKnyg== yet, as far as is known: what was told of it waits for " +
        "its sale\n  <this run>           refund  sale:fH9XoNJ-gQtcIacRpiKnyg==  in full" });
  });

  it("shows what was told before its sale, too, in the order in which it came", async () => {
    const early = (file: string) => ofStory(900, body(file));
    await deliver(stack, early("refund-full"), early("sale"));
    const { out } = await run("explain story900.ann@example.com");
    const events = out.slice(out.indexOf("Events"));
    expect(events.indexOf("refund")).toBeGreaterThan(0);
    expect(events.indexOf("refund")).toBeLessThan(events.lastIndexOf("sale"));
  });

  it("finds a buyer by whatever is at hand: a part, a log's tag, ids, a charge, a user", async () => {
    await deliver(stack, saleBy("found.here@example.com", { sale_id: "found-sale" }),
      changed("membership-sale", { email: "found.too@example.com", sale_id: "first-charge",
        subscription_id: "found-sub" }),
      changed("membership-renewal", { sale_id: "next-charge", email: "found.elsewhere@example.com",
        subscription_id: "found-sub" }));
    const [user] = Object.keys((await recordOf(stack, "found.here@example.com"))?.users ?? {});
    const whom = async (who: string) => JSON.parse((await run(`explain ${who} --json`)).out).buyer;
    for (const who of ["found.here", "FOUND.HERE@example.com", buyerTag("found.here@example.com"), user!, "found-sale",
      "sale:found-sale"]) {
      expect({ who, buyer: await whom(who) }).toEqual({ who, buyer: "found.here@example.com" });
    }
    for (const who of ["found-sub", "next-charge", "found.elsewhere@example.com"]) {
      expect({ who, buyer: await whom(who) }).toEqual({ who, buyer: "found.too@example.com" });
    }
    expect((await run("explain next-charge")).out.split("\n")[0]).toBe(
      "found.too@example.com has subscription:found-sub, of which this is a charge",
    );
    await deliver(stack,
      changed("sale-gift", { email: "presentee@example.com", sale_id: "found-gift",
        gifter_email: "giver.alone@example.com" }));
    expect(await whom("giver.alone@example.com")).toBe("presentee@example.com");
    expect((await run("explain giver.alone@example.com --search")).out).toContain(
      "they gave sale:found-gift to presentee@example.com: npx gumroad-auth0 explain presentee@example.com",
    );
    const several = await run("explain found.");
    expect(several.code).toBe(1);
    expect(several.out).toContain('"found." fits several:');
    expect(JSON.parse((await run("explain found. --json")).out).found.map(({ email }: { email: string }) => email))
      .toEqual(["found.here@example.com", "found.too@example.com"]);
  });

  it("says of a gift's giver whose record holds it, and whether a buyer ever logged in", async () => {
    await deliver(stack,
      changed("sale-gift", { email: "presented@example.com", sale_id: "the-gift", gifter_email: "santa@example.com" }),
      saleBy("santa@example.com"));
    const { out } = await run("explain santa@example.com");
    expect(out).toContain("Gifts made\n  sale:the-gift is presented@example.com's now: npx gumroad-auth0 explain");
    expect(out).toContain("never logged in");
  });

  it("says of what an operator moved from whom it came, and of one who waits that nobody has it yet", async () => {
    await deliver(stack, saleBy("from@example.com"));
    await run("transfer sale:sale-of-from@example.com to@example.com --why typo --by dee --yes");
    const { out } = await run("explain to@example.com");
    expect(out).toMatch(/decided [-0-9: ]{19} by dee \(moved here from from@example.com\): typo/);
    expect(out).toMatch(/moved here {2}sale:sale-of-from@example.com {2}from from@example.com, by dee: typo/);
    stack.auth0.addUser({ email: "waits@example.com" });
    await deliver(stack, saleBy("waits@example.com"));
    const waits = (await run("explain waits@example.com")).out;
    expect(waits).toContain(
      "due  serverless-handbook, because Serverless Handbook: it was paid; no user of theirs has it at Auth0",
    );
    expect(waits).toContain("What to run\n  npx gumroad-auth0 invite waits@example.com  mails them again how to");
  });

  it("says so of somebody unknown, and exits with 1", async () => {
    expect(await run("explain nobody@example.com")).toMatchObject({ code: 1, err: "",
      out: expect.stringContaining("nobody is known as nobody@example.com") });
    expect(await run("explain nobody@example.com --json")).toMatchObject({ code: 1,
      out: JSON.stringify({ buyer: "nobody@example.com", known: false, letters: [], unsold: null, seen: null, gave: [],
        queued: 0 }, null, 2) });
    expect(await run("explain nobody")).toMatchObject({ code: 1, err: "",
      out: expect.stringContaining('nobody fits "nobody". It may be an email or a part of one') });
  });

  it("says what would change, once the policy does, and changes nothing itself", async () => {
    await deliver(stack, saleBy("edit@example.com"));
    const before = await recordOf(stack, "edit@example.com");
    const edited = defineProducts(
      [...policy.values()].map((product) => (product.name === "Serverless Handbook" && !("variant" in product)
        ? { ...product, roles: ["react-for-dataviz"] }
        : product)
      ),
    );
    const { out } = await run("explain edit@example.com", { policy: edited });
    expect(stable(out)).toContain("auth0|USER: gets react-for-dataviz, loses serverless-handbook");
    expect(out).toContain(
      "by src/products.ts as it is here: a deployed stage goes by the one that it was deployed with",
    );
    expect(await recordOf(stack, "edit@example.com")).toEqual(before);
    expect(stack.auth0.rolesOfEmail("edit@example.com")).toEqual(["serverless-handbook"]);
  });

  it("shows the other emails of a purchase, finds it by them, and says how it moves there", async () => {
    await deliver(stack, body("membership-sale").replaceAll("eve%40", "moved%40"),
      body("membership-renewal").replaceAll("eve%40", "moved-on%40"));
    expect((await run("explain moved@example.com")).out).toContain("also seen under moved-on@example.com: transfer");
    const { code, out } = await run("explain moved-on@example.com --search");
    expect(code).toBe(1);
    expect(out).toMatch(/^(subscription:\S+) is moved@example.com's, and was seen under moved-on@example.com: /);
    expect(out).toMatch(/gumroad-auth0 transfer subscription:\S+ moved-on@example.com$/m);
  });

  it("shows what is kept apart of a record, as the policy doesn't name it", async () => {
    await deliver(stack, saleBy("apart@example.com", { product_id: "BBBBBBBBBBBBBBBBBBBBBB==" }));
    expect(JSON.parse((await run("explain apart@example.com --json")).out)).toMatchObject({ known: true, roles: [],
      sources: [{ id: "sale:sale-of-apart@example.com", access: false, reason: "not-in-policy" }] });
  });

  it("says what somebody did at Auth0 behind our back, and which user is gone", async () => {
    await deliver(stack, saleBy("behind@example.com"), saleBy("gone@example.com"));
    const { dynamo, ledger } = stageOn(stack);
    const [id = ""] = Object.keys((await recordOf(stack, "behind@example.com"))?.users ?? {});
    await byHand().remove(id, ["serverless-handbook"], AbortSignal.timeout(60_000));
    expect((await run("explain behind@example.com")).out).toContain(
      "somebody took away at Auth0: serverless-handbook",
    );

    const record = await dynamoLedger(ledgerTable(dynamo, ledger)).load("gone@example.com");
    await dynamoLedger(ledgerTable(dynamo, ledger)).save({ ...record,
      users: { "auth0|deleted": { origin: "created", foreign: [], roles: { "serverless-handbook": "has" } } } });
    expect((await run("explain gone@example.com")).out).toContain(
      "auth0|deleted  made by us\n    by our record: serverless-handbook\n    Auth0 says now: this user is gone",
    );
  });

  it("goes on without Auth0, where it can't be asked", async () => {
    await deliver(stack, saleBy("dark@example.com"));
    stack.secrets.set("auth0", undefined);
    try {
      const { code, out } = await run("explain dark@example.com");
      expect(code).toBe(0);
      expect(out).toContain("Auth0 could not be asked: the secret auth0 isn't complete: npx gumroad-auth0 setup");
      expect(out).toContain("yes  serverless-handbook");
    } finally {
      stack.secrets.set("auth0", { domain: stack.endpoints.auth0, client_id: LOCAL_CLIENT.id,
        client_secret: LOCAL_CLIENT.secret });
    }
  });

  it("says what waits: an email to be verified, and a loss that is held", async () => {
    stack.auth0.addUser({ email: "squat@example.com" });
    await deliver(stack, saleBy("squat@example.com"));
    expect((await run("explain squat@example.com")).out).toMatch(
      /not bound: gets nothing from us[\s\S]*EMAIL_UNVERIFIED, since/,
    );

    await deliver(stack, saleBy("held@example.com"));
    const { dynamo, ledger } = stageOn(stack);
    const record = await dynamoLedger(ledgerTable(dynamo, ledger)).load("held@example.com");
    await dynamoLedger(ledgerTable(dynamo, ledger)).save({ ...record,
      held: { "sale:sale-of-held@example.com": Date.parse("2026-01-06T00:00:00Z") } });
    expect((await run("explain held@example.com")).out).toContain(
      "the loss of sale:sale-of-held@example.com is held: too many lost that product within an hour, so a person " +
        "has to say release or keep (HELD, since 2026-01-06 00:00:00)",
    );
    expect((await run("explain held@example.com")).out).toContain(
      "gives serverless-handbook on: its loss is held since 2026-01-06 00:00:00, and would be because it was paid\n",
    );
  });
});

/** The tenant, as somebody with rights of their own changes it. */
function byHand() {
  const value = async () =>
    auth0SecretShape.parse({ domain: stack.endpoints.auth0, client_id: LOCAL_CLIENT.id,
      client_secret: LOCAL_CLIENT.secret });
  return auth0Directory({ secret: { get: value, reread: value } });
}

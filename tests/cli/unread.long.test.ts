import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import type { Stack } from "../../local/stack.ts";
import { buyerTag } from "../../src/log.ts";
import { deliver, kept, saleBy } from "../pipeline/local-stack.ts";
import { workedOff } from "../pipeline/operator-messages.ts";
import { cliOn, startComplete } from "./local-cli.ts";

const HANDBOOK = "zGyG_1JQunZuizwqd9CP7g==";
const CLUB = "wg2b8FhyMUKaJ6Eo3PrR5g==";
const QUARTER_MS = 15 * 60_000;
const MOMENT = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;

let stack: Stack;
let refunded: { id: string };
let bought: { id: string };
let membership: { id: string };
let faults: readonly { remove: () => void }[];

beforeAll(async () => {
  stack = await startComplete();
  refunded = stack.gumroad.sell({ product: HANDBOOK, email: "bo@example.com" }).sale;
  await stack.gumroad.settled();
  await stack.sqs.idle();
  faults = ["/sales/:id", "/subscribers/:id", "/sales"].map((path) =>
    stack.gumroad.fault({ path, times: 100_000, answer: { status: 503 } })
  );
  bought = stack.gumroad.sell({ product: HANDBOOK, email: "cy@example.com" }).sale;
  membership = stack.gumroad.sell({ product: CLUB, email: "di@example.com", tier: "Basic" }).subscription!;
  stack.gumroad.refund(refunded.id);
  await stack.gumroad.settled();
  await pass(1);
});
afterAll(() => stack.stop());

const run = (line: string) => cliOn(stack)(line);
async function pass(quarters: number): Promise<void> {
  for (let quarter = 0; quarter < quarters; quarter += 1) {
    await stack.advance(QUARTER_MS);
    expect(await stack.invoke("reconcile")).toMatchObject({ kind: "answer" });
    await workedOff(stack);
  }
}

describe("while Gumroad can't be asked, what was told and waits unread", () => {
  it("is counted by status, which is healthy for half an hour", async () => {
    const { code, out } = await run("status");
    expect({ code, out }).toEqual({ code: 0,
      out: expect.stringMatching(new RegExp(`^waiting {3}UNREAD 3, the oldest since ${MOMENT}`, "m")) });
    expect(out).toMatch(/^applied {3}0 of 1 buyer$/m);
    expect(out).toMatch(/^note {6}3 messages have waited for minutes to be read back from Gumroad/m);
    await pass(2);
    const long = await run("status");
    expect(long.code).toBe(1);
    expect(long.out).toMatch(/^found {5}\d messages have waited for over half an hour.*It concerns 3 buyers: /m);
    expect(long.out).toContain("mend it: npx gumroad-auth0 sync --waiting");
    expect(JSON.parse((await run("status --json")).out).ledger).toMatchObject({ unread: expect.any(Number),
      waiting: { UNREAD: 3 } });
  });

  it("is listed by buyers --waiting: who, why and since when", async () => {
    const { code, out } = await run("buyers --waiting");
    expect(code).toBe(0);
    expect(out.split("\n").slice(2)).toEqual([
      expect.stringMatching(
        new RegExp(`^bo@example.com +serverless-handbook +Serverless Handbook +UNREAD since ${MOMENT}`),
      ),
      expect.stringMatching(new RegExp(`^cy@example.com +UNREAD since ${MOMENT}`)),
      expect.stringMatching(new RegExp(`^di@example.com +UNREAD since ${MOMENT}`)),
    ]);
    const { buyers } = JSON.parse((await run("buyers cy --waiting --json")).out);
    expect(buyers).toMatchObject([{ email: "cy@example.com", waits: ["UNREAD"], unread: [{ event: "sale" }] }]);
    const first = await run("buyers --waiting --limit 1");
    expect(first.out).toContain("npx gumroad-auth0 buyers --waiting --limit 1 --after bo@example.com");
    expect((await run("buyers --waiting --after bo@example.com")).out).not.toContain("bo@");
  });

  it("is found by doctor, which says that Gumroad doesn't answer", async () => {
    const { code, out } = await run("doctor --json");
    const { findings, checks } = JSON.parse(out);
    expect(code).toBe(1);
    expect(checks).toContainEqual({ check: "Gumroad token", state: "findings", note: null });
    expect(findings).toContainEqual(
      expect.objectContaining({ code: "GUMROAD_UNREACHABLE",
        message: expect.stringContaining("Could not be checked") }),
    );
    expect(findings).toContainEqual(
      expect.objectContaining({ code: "UNREAD", message: expect.stringContaining("bo@example.com") }),
    );
  });

  it.each([
    ["their email", () => "cy@example.com"],
    ["a part of it", () => "cy@"],
    ["the tag of a log line", () => buyerTag("cy@example.com")],
    ["the sale", () => `sale:${bought.id}`],
    ["the bare sale", () => bought.id],
    ["their email, looking through all", () => "cy@example.com --search"],
  ])("is shown by explain of a buyer without a record, found by %s", async (_what, who) => {
    const { code, out } = await run(`explain ${who()}`);
    expect({ code, out }).toEqual({ code: 0,
      out: expect.stringMatching(
        new RegExp(
          "Waits\\n {2}sale of sale:\\S+ could not be read back from Gumroad, so nothing of it counts yet " +
            `\\(UNREAD, since ${MOMENT}, next look ${MOMENT}\\)`,
        ),
      ) });
    expect(out).toContain("npx gumroad-auth0 sync cy@example.com");
  });

  it("is shown by explain for a subscription, and for a buyer whose record is at rest", async () => {
    for (const who of [`subscription:${membership.id}`, membership.id]) {
      expect((await run(`explain ${who}`)).out).toContain("di@example.com");
    }
    expect((await run("explain bo@example.com")).out).toMatch(
      new RegExp(`Waits\\n {2}refund of sale:${refunded.id} could not be read back`),
    );
  });

  it("is tried by sync, which says that it waits still", async () => {
    expect((await run("sync --waiting --dry-run")).out.split("\n").slice(2).map((line) => line.split(/ +/)[0]).sort())
      .toEqual(["bo@example.com", "cy@example.com", "di@example.com"]);
    const { code, out } = await run("sync cy@example.com");
    expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining("so nothing of it counts yet (UNREAD).") });
  });

  it("stays with an old address whose all is moved, which says so", async () => {
    expect(await run("transfer --all cy@example.com fi@example.com --why typo --yes")).toMatchObject({ code: 2,
      err: expect.stringContaining("cy@example.com has nothing to move yet") });
    const { code, out } = await run("transfer --all bo@example.com fi@example.com --why typo --yes --dry-run");
    expect({ code, out }).toEqual({ code: 0,
      out: expect.stringContaining("1 message about bo@example.com couldn't be read back from Gumroad yet") });
  });
});

describe("once Gumroad answers", () => {
  it("all that waited is taken in at once by sync --waiting", async () => {
    for (const fault of faults) fault.remove();
    const { code, out } = await run("sync --waiting");
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/done$/) });
    expect(["bo", "cy", "di"].map((name) => stack.auth0.rolesOfEmail(`${name}@example.com`))).toEqual([[], [
      "serverless-handbook",
    ], ["club"]]);
    expect((await run("sync --waiting")).out).toContain("nobody waits for anything");
    expect((await run("status")).out).toMatch(/^waiting {3}nobody/m);
  });

  it("a gift's giver is found, of whom no ping told: Gumroad says whose it is", async () => {
    stack.gumroad.sell({ product: HANDBOOK, email: "ida@example.com", gift: { to: "jo@example.com" } });
    await stack.gumroad.settled();
    await workedOff(stack);
    const { code, out } = await run("explain ida@example.com");
    expect({ code, out }).toEqual({ code: 0,
      out: expect.stringMatching(/^jo@example.com got the gift sale:\S+ from ida@example.com\n/) });
    expect(out).toContain("gives serverless-handbook, because it is what the giver of their gift paid");
    stack.gumroad.sell({ product: HANDBOOK, email: "ida@example.com" });
    await stack.gumroad.settled();
    await workedOff(stack);
    expect((await run("explain ida@example.com")).out).toMatch(/Gifts made\n {2}sale:\S+ is jo@example.com's now/);
  });

  it("what became otherwise and no ping told is said by explain, with what has it read back", async () => {
    const { sale } = stack.gumroad.sell({ product: HANDBOOK, email: "kit@example.com" });
    stack.gumroad.refund(sale.id);
    await stack.gumroad.settled();
    await workedOff(stack);
    expect((await run("explain kit@example.com")).out).not.toContain("What to run");
    stack.gumroad.reverseRefund(sale.id);
    const { next: [{ command, why }] } = JSON.parse((await run("explain kit@example.com --json")).out);
    expect(why).toBe(`has sale:${sale.id} read back: Gumroad says otherwise by now than is known here`);
    expect(await run(command)).toMatchObject({ code: 0, out: expect.stringContaining("sent: ") });
    await workedOff(stack);
    const { next, roles } = JSON.parse((await run("explain kit@example.com --json")).out);
    expect({ next, roles }).toMatchObject({ next: [], roles: [{ role: "serverless-handbook", entitled: true }] });
  });

  it("a ping whose sale Gumroad doesn't know yet has all its tries, however often somebody hurries it", async () => {
    await deliver(stack, saleBy("eve@example.com"));
    for (let nth = 0; nth < 4; nth += 1) {
      const { code, out } = await run("sync --waiting");
      expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining("(SALE_NOT_FOUND)") });
    }
    const [{ unread: [{ code, since, next }] }] = JSON.parse((await run("buyers --waiting --json")).out).buyers;
    expect({ code, wait: next - since }).toEqual({ code: "SALE_NOT_FOUND", wait: expect.any(Number) });
    expect(await kept(stack)).toEqual([]);
    await pass(1);
    await pass(1);
    await pass(1);
    expect((await kept(stack)).map(({ code: each }) => each)).toEqual(["SALE_NOT_FOUND"]);
    const explained = await run("explain eve@example.com");
    expect(explained).toMatchObject({ code: 1,
      out: expect.stringMatching(/In the dead-letter queue\n {2}ping sale \(SALE_NOT_FOUND/) });
  });
});

import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";

import { planPolicy, type PolicyPlan } from "../../cli/operations/plan.ts";
import { planLines } from "../../cli/plan/text.ts";
import type { Source, SourceId } from "../../src/access/facts.ts";
import { entitlements } from "../../src/access/entitlements.ts";
import type { Policy, Product } from "../../src/access/policy.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoLedger } from "../../src/ledger/ledger.ts";
import { newRecord, type BuyerRecord } from "../../src/ledger/record.ts";
import { marked, settled } from "../../src/provisioning/marks.ts";
import { act, charge, DAY, JAN_5, source } from "../access/purchases.ts";
import { startLedgerTable, type LedgerTable } from "../ledger/ledger-table.ts";

const BOOK: Product = { id: "book", name: "Handbook", roles: ["book"] };
const COURSE: Product = { id: "course", name: "Course", roles: ["course"] };
const CLUB: Product = { id: "club", name: "Club", variant: "Tier", roles: { Basic: ["club"], Pro: ["club", "pro"] } };
const DEPLOYED = defineProducts([BOOK, COURSE, CLUB]);

let table: LedgerTable;
beforeEach(async () => {
  table = await startLedgerTable();
});
afterEach(() => table.stop());

/** A buyer whose roles are settled by the deployed policy. */
function buyer(name: string, sources: Readonly<Record<SourceId, Source>>,
  changes: Partial<BuyerRecord> = {}): BuyerRecord {
  const { roles, verdicts } = entitlements(sources, DEPLOYED, JAN_5);
  const record = { ...newRecord(`${name}@example.com`), sources,
    gave: Object.fromEntries(verdicts.filter((one) => one.roles.length > 0).map((one) => [one.source, one.roles])),
    users: { [`auth0|${name}`]: { origin: "created" as const, foreign: [], roles: {} } } };
  return { ...settled(marked(record, roles)), ...changes };
}

async function planned(policy: Policy, ...records: readonly BuyerRecord[]): Promise<PolicyPlan> {
  const ledger = dynamoLedger(ledgerTable(table.client, table.name));
  for (const record of records) await ledger.save(record);
  return planPolicy({ stage: { dynamo: table.client, ledger: table.name }, policy: async () => policy,
    now: () => JAN_5, tell: () => undefined });
}

const words = (plan: PolicyPlan, names = true) =>
  planLines(plan, { names, commandLine: (command) => `npx gumroad-auth0 ${command}` }).join("\n");
const bought = (productId: string, tier?: string) => ({ [`sale:${productId}`]: source(productId, [
  charge(tier === undefined ? {} : { variants: [["Tier", tier]] }),
]) });

describe("a plan", () => {
  it("of the policy that is deployed changes nobody", async () => {
    const plan = await planned(DEPLOYED, buyer("ann", bought("book")), buyer("bo", bought("club", "Pro")));
    expect(plan).toEqual({ buyers: 2, broken: 0, gains: [], losses: [], held: [], byTime: [] });
    expect(words(plan)).toBe("2 buyers looked at: nobody would gain or lose a role");
  });

  it("says by product and role who gains, who loses, and whose loss is held", async () => {
    const edited = defineProducts([{ ...BOOK, roles: ["book", "extras"] }, { ...CLUB, variant: "Tier",
      roles: { Starter: ["club"], Pro: ["club", "pro"] } }]);
    const plan = await planned(edited, buyer("ann", bought("book")), buyer("bo", bought("course")),
      buyer("cy", bought("club", "Basic")), buyer("dee", bought("club", "Pro")));
    expect(words(plan)).toBe([
      "4 buyers looked at",
      "1 buyer would gain:",
      "  extras  Handbook: 1 buyer (ann@example.com)",
      "1 buyer would lose:",
      "  course  course, which src/products.ts doesn't list: 1 buyer (bo@example.com)",
      "1 buyer would lose, but for the hold:",
      "  club  Club: 1 buyer (cy@example.com)",
      "  The hold keeps what they have: more than it lets through at once would lose the product, or the policy",
      '  doesn\'t say what their option gives (a former name goes into "also"). A person then says release or keep.',
    ].join("\n"));
  });

  it("names nobody in the log of a workflow, and a few of many else", async () => {
    const plan = await planned(defineProducts([COURSE, CLUB]),
      ...Array.from({ length: 7 }, (_, place) => buyer(`b${String(place)}`, bought("book"))));
    expect(words(plan, false)).not.toContain("@");
    expect(words(plan, false)).toContain("7 buyers would lose:");
    expect(words(plan)).toContain("b3@example.com, b4@example.com, and 2 more)");
  });

  it("lets through no more losses than the hold would", async () => {
    const plan = await planned(defineProducts([COURSE, CLUB]),
      ...Array.from({ length: 30 }, (_, place) => buyer(`b${String(place)}`, bought("book"))));
    expect([plan.losses, plan.held].map((changes) => changes[0]!.buyers.length)).toEqual([25, 5]);
  });

  it("counts who bought what the policy names only now, whether they have a record or not", async () => {
    const ledger = dynamoLedger(ledgerTable(table.client, table.name));
    for (const [id, email] of [["sale:n1", "ann@example.com"], ["sale:n2", "new@example.com"]] as const) {
      await ledger.claim(id, email);
      await ledger.park(id, source("course", [charge()]), email);
    }
    expect(await planned(DEPLOYED, buyer("ann", bought("book")))).toMatchObject({ buyers: 2, losses: [], held: [],
      gains: [{ product: "Course", role: "course", buyers: ["ann@example.com", "new@example.com"] }] });
    expect(await planned(defineProducts([BOOK]))).toMatchObject({ buyers: 1, gains: [] });
  });

  it("takes nobody for a loser who has the role by another purchase, or of others' giving", async () => {
    const course = { ...COURSE, roles: ["course", "book"] };
    const both = buyer("ann", { ...bought("book"), ...bought("course") });
    const plan = await planned(defineProducts([course, CLUB]), both,
      buyer("bo", bought("book"), { users: { "auth0|bo": { origin: "verified", foreign: ["book"], roles: {} } } }));
    expect(plan).toMatchObject({ gains: [], losses: [], held: [] });
  });

  it("takes nobody for a loser whose Auth0 user has it by another buyer's purchase, now and with time", async () => {
    const shared = (name: string, sources: Parameters<typeof buyer>[1]) => {
      const record = buyer(name, sources);
      return { ...record, users: { "auth0|shared": record.users[`auth0|${name}`]! } };
    };
    const granted = (days: number) => ({
      "grant:book": { ...source("", []),
        act: { at: JAN_5, id: "1", by: "dee", why: "x",
          decision: { kind: "give" as const, until: JAN_5 + days * DAY } } },
    });
    // Of one user: ann's loss and eve's gain are no change, as long as bo and cy give the same.
    const plan = await planned(defineProducts([{ ...COURSE, roles: ["course", "club"] }, CLUB]),
      shared("ann", bought("book")), shared("bo", granted(10)), shared("cy", bought("club", "Pro")),
      shared("eve", bought("course")), buyer("dee", bought("book")));
    expect(plan).toMatchObject({ gains: [], losses: [{ role: "book", buyers: ["dee@example.com"] }],
      byTime: [{ buyer: "bo@example.com", losses: ["book"] }] });
  });

  it("says what time alone changes within 30 days under that policy, and nothing that lies beyond", async () => {
    const ends = (days: number) => ({
      "grant:club": { ...source("", []),
        act: { at: JAN_5, id: "1", by: "dee", why: "x",
          decision: { kind: "give" as const, until: JAN_5 + days * DAY } } },
    });
    const plan = await planned(DEPLOYED, buyer("ann", ends(3)), buyer("bo", ends(31)));
    expect(plan.byTime).toEqual([{ buyer: "ann@example.com", at: JAN_5 + 3 * DAY, gains: [], losses: ["club"] }]);
    expect(words(plan)).toContain("  2026-01-08 19:38:56  ann@example.com loses club");
  });

  it("says nothing of a loss that time would bring and the hold would stop", async () => {
    const given = { ...source("", []), act: act(0, { kind: "give", until: JAN_5 + 3 * DAY }) };
    const renamed = defineProducts([{ ...CLUB, roles: { Starter: ["club"] } }]);
    const bo = buyer("bo", { ...bought("club", "Pro"), "grant:club": given, "grant:pro": given });
    expect(await planned(renamed, bo)).toMatchObject({ losses: [], held: [], byTime: [] });
  });
});

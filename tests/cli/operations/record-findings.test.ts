import { describe, expect, it } from "@jest/globals";

import { addFindings, findingsIn, type LedgerFinding } from "../../../cli/operations/record-findings.ts";
import { defineProducts } from "../../../src/config/products-file.ts";
import { newRecord, type BuyerRecord } from "../../../src/ledger/record.ts";
import { charge, DAY, JAN_5, plan, reading, source } from "../../access/purchases.ts";

const POLICY = defineProducts([
  { id: "book", name: "Handbook", roles: ["book"] },
  { id: "course", name: "Course", roles: ["course"] },
  { id: "club", name: "Club", variant: "Tier", roles: { Basic: ["club"], Pro: ["club", "pro"] } },
  { id: "all", name: "Everything", contains: ["book"] },
]);

const NOW = JAN_5 + 2 * DAY;
const findings = (changes: Partial<BuyerRecord>) =>
  findingsIn({ ...newRecord("ann@example.com"), ...changes }, POLICY, NOW).map(({ code, product, mend }) =>
    `${code} ${product ?? "-"}: ${mend}`
  );
const member = charge({ saleId: "m", variants: [["Tier", "Basic"]], recurrence: "monthly" });

describe("what a record shows that needs a person", () => {
  it("is a request by licence key that nobody decided yet", () => {
    const by = { source: "sale:b", at: JAN_5 } as const;
    expect(
      findings({ sources: { "sale:b": source("book", [charge()]) },
        claims: [{ ...by, by: "email:bo@example.com", state: "asked" }, { ...by, by: "name:cy", state: "refused" }] }),
    )
      .toEqual(["CLAIMED Handbook: claims"]);
  });

  it.each([
    { case: "nothing of a plain purchase", record: { sources: { "sale:b": source("book", [charge()]) } }, found: [] },
    { case: "an option that the policy lacks",
      record: { sources: { "sale:c": source("club", [charge({ variants: [["Tier", "Gold"]] })]) } },
      found: ["OPTION_UNLISTED Club: products"] },
    { case: "a held loss",
      record: { sources: { "sale:b": source("book", [charge({ refunded: true })]) }, held: { "sale:b": JAN_5 } },
      found: ["HELD Handbook: release Handbook"] },
    { case: "a change of plan that no charge has confirmed",
      record: {
        sources: {
          "subscription:s": source("club", [member], {
            tierChanges: [{ at: JAN_5 + DAY, toldAt: JAN_5 + DAY, type: "upgrade", from: plan("Basic"),
              to: plan("Pro") }],
          }),
        },
      }, found: ["PLAN_CHANGE_UNCONFIRMED Club: revoke ann@example.com --source subscription:s --changes"] },
    { case: "a change of plan that is told ahead, before it counts",
      record: {
        sources: {
          "subscription:s": source("club", [member], {
            tierChanges: [30, 60].map((days) => ({ at: JAN_5 + days * DAY, toldAt: JAN_5 + DAY, type: "downgrade",
              from: plan("Basic"), to: plan("Pro") })
            ),
          }),
        },
      }, found: ["PLAN_CHANGE_AHEAD Club: revoke ann@example.com --source subscription:s --changes"] },
    { case: "nothing of one told ahead that an operator dropped",
      record: {
        sources: {
          "subscription:s": source("club", [member], { changesDroppedAt: JAN_5 + DAY,
            tierChanges: [{ at: JAN_5 + 30 * DAY, toldAt: JAN_5 + DAY, type: "downgrade", from: plan("Basic"),
              to: plan("Pro") }] }),
        },
      }, found: [] },
    { case: "what came with a bundle of which nothing has told",
      record: { sources: { "sale:b": source("book", [charge({ read: reading(1, { bundle: "child" }) })]) } },
      found: ["BUNDLE_UNKNOWN Handbook: reconcile weekly"] },
    { case: "a product in a bundle that the policy's list lacks",
      record: { sources: { "sale:a": source("all", [charge()], { holds: ["book", "course", "elsewhere"] }) } },
      found: ["BUNDLE_CONTENT_UNLISTED Everything: products"] },
    { case: "an invitation that failed",
      record: { invited: { outcome: "failed", at: JAN_5, message: "no mail", asked: null } } as const,
      found: ["INVITATION_FAILED -: invite ann@example.com"] },
  ])("is $case", ({ record, found }) => {
    expect(findings(record)).toEqual(found);
  });

  it("is a wait that Auth0 causes at once, and one that passes by itself once it takes too long", () => {
    const waits = (code: string, days: number) =>
      findings({ unsettled: { code, message: "x", since: NOW - days * DAY, attempts: 1 } });
    expect(waits("AUTH0_ROLE_MISSING", 0)).toEqual(["AUTH0_ROLE_MISSING -: setup"]);
    expect(waits("AUTH0_REFUSED", 0)).toEqual(["AUTH0_REFUSED -: sync --waiting"]);
    expect([waits("EMAIL_UNVERIFIED", 0.9), waits("AUTH0_AWAY", 0.01)]).toEqual([[], []]);
    expect(waits("EMAIL_UNVERIFIED", 1)).toEqual(["EMAIL_UNVERIFIED -: invite ann@example.com"]);
    expect(waits("AUTH0_AWAY", 1)).toEqual(["AUTH0_AWAY -: sync --waiting"]);
  });

  it("is a role that Auth0 lacks: setup makes the policy's, and who was granted another is taken it", () => {
    const granted = (role: string, ...missing: readonly string[]) =>
      findings({ sources: { [`grant:${role}`]: source("", []) },
        unsettled: { code: "AUTH0_ROLE_MISSING", since: NOW, attempts: 1,
          message: `The Auth0 tenant lacks ${missing.map((name) => `"${name}"`).join(", ")}: create it there.` } });
    expect(granted("poet", "poet")).toEqual(["AUTH0_ROLE_MISSING -: revoke ann@example.com poet"]);
    expect(granted("head poet", "head poet")).toEqual(['AUTH0_ROLE_MISSING -: revoke ann@example.com "head poet"']);
    expect(granted("club", "club")).toEqual(["AUTH0_ROLE_MISSING -: setup"]);
    expect(granted("poet", "poet", "club")).toEqual(["AUTH0_ROLE_MISSING -: setup"]);
  });

  it("is told once for all whom the same mends", () => {
    const all = new Map<string, LedgerFinding & { readonly buyers: string[] }>();
    for (const email of ["a@example.com", "b@example.com"]) {
      addFindings(all, email, [{ code: "HELD", product: "Club", what: "x", mend: "release Club" }]);
    }
    addFindings(all, "c@example.com", [{ code: "HELD", product: "Handbook", what: "x", mend: "release Handbook" }]);
    expect([...all.values()].map(({ product, buyers }) => [product, buyers.length])).toEqual([["Club", 2], ["Handbook",
      1]]);
  });
});

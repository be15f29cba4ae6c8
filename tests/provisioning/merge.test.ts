import { readFileSync } from "node:fs";

import { describe, expect, it } from "@jest/globals";

import type { TierChange } from "../../src/access/facts.ts";
import { parseForm } from "../../src/gumroad/form.ts";
import { readPing } from "../../src/gumroad/ping.ts";
import { newRecord, type BuyerRecord } from "../../src/ledger/record.ts";
import { storeOn, type Provisioning } from "../../src/provisioning/context.ts";
import { mergeMessages } from "../../src/provisioning/merge.ts";
import type { MessageOf } from "../../src/queue/message.ts";
import { charge, JAN_5, plan, source } from "../access/purchases.ts";
import { never, nowhere, uncalled } from "./uncalled.ts";

const EVE = "eve@example.com";
const ping = readPing(parseForm(readFileSync("fixtures/pings/membership-upgrade.txt", "utf8")));
const upgrade: MessageOf<"ping"> = { v: 1, kind: "ping", requestId: "r", receivedAt: JAN_5, pingId: "p", buyer: EVE,
  hops: 0, misses: 0, again: false, given: false, ping };

/** Eve's membership after so many changes of plan. */
function changedOften(times: number, changesDroppedAt: number | null = null): BuyerRecord {
  if (!("subscriptionId" in ping) || ping.subscriptionId === null) {
    throw new Error("the fixture is about a subscription");
  }
  const tierChanges = Array.from({ length: times },
    (_, index): TierChange => ({ at: JAN_5 + index, toldAt: null, type: "upgrade", from: plan("Basic"),
      to: plan("Premium") }));
  return { ...newRecord(EVE), version: 1,
    sources: {
      [`subscription:${ping.subscriptionId}`]: source(ping.productId, [charge()], { tierChanges, changesDroppedAt }),
    } };
}

describe("a change of plan, which only a ping tells", () => {
  it("is refused where there are more than any membership sees: a record must stay writable", async () => {
    // Refused before anything is read or written, so nobody need listen there.
    const letters: string[] = [];
    const work: Provisioning = { ...uncalled, gumroad: never, store: storeOn(nowhere),
      queue: { send: async () => undefined, retryIn: async () => undefined, keep: async ({ code }) => {
        letters.push(code);
      } } };
    const readings = { answers: new Map(), unread: new Map() };
    const before = changedOften(100);
    const { record, failed } = await mergeMessages(before, [upgrade], readings, work);
    expect({ record, failed: failed.size, letters }).toEqual({ record: before, failed: 0,
      letters: ["PLAN_CHANGES_FULL"] });

    const accepted = await mergeMessages(changedOften(99), [upgrade], readings, work);
    // It gets as far as the ledger, which isn't there.
    expect([...accepted.failed.values()]).toEqual([
      expect.objectContaining({ message: "The table t could not be read or written." }),
    ]);
    expect(letters).toHaveLength(1);

    // What an operator dropped counts no more.
    await mergeMessages(changedOften(100, JAN_5 + 50), [upgrade], readings, work);
    expect(letters).toHaveLength(1);
  });
});

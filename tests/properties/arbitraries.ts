import fc from "fast-check";

import type { Act, Charge, Source, SourceId } from "../../src/access/facts.ts";
import { DAY, JAN_5 } from "../access/purchases.ts";

/** A seed from the environment replays a failure; otherwise a new one each run. It is printed either way. */
export const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000_000);

const day = fc.integer({ min: 0, max: 20 }).map((n) => JAN_5 + n * DAY);
/** Few, so that readings, and acts, of one moment meet. */
const asked = fc.constantFrom(3, 9, 15).map((n) => JAN_5 + n * DAY);
const name = fc.constantFrom("Basic", "Premium", "Gold");

const options = fc.oneof(fc.constant([]), name.map((tier) => [["Tier", tier] as const]));
/** What a version of the future may write beside what this one knows. */
const later = { later: fc.constantFrom(null, 1, 9, 10, true, "text", ["a"], { at: 1 }) };

/** One charge as some ping or an answer of the API might tell it; few ids and times, so that they meet. */
export const anyCharge: fc.Arbitrary<Charge> = fc.record({ saleId: fc.constantFrom("s1", "s2"), seen: fc.boolean(),
  soldAt: day, priceCents: fc.constantFrom(0, 1000), variants: options,
  names: fc.array(fc.record({ at: asked, variants: options }), { maxLength: 2 }),
  recurrence: fc.constantFrom(null, "monthly", "yearly"), recurring: fc.boolean(), preorder: fc.boolean(),
  test: fc.boolean(), gift: fc.constantFrom("none", "received", "given"), refunded: fc.boolean(),
  partlyRefunded: fc.boolean(), disputed: fc.boolean(), disputeWon: fc.boolean(), receivedAt: fc.option(day),
  revoked: fc.option(fc.record({ at: asked, is: fc.boolean() }), { freq: 2 }), ...later,
  read: fc.option(
    fc.record({ at: asked, refunded: fc.boolean(), partlyRefunded: fc.boolean(), disputed: fc.boolean(),
      disputeWon: fc.boolean(), variants: options, bundle: fc.constantFrom("bundle", "child", "none") }),
  ) });

const anyPlan = fc.record({ tier: fc.option(name), recurrence: fc.constantFrom(null, "monthly", "yearly"),
  priceCents: fc.constantFrom(null, 1000), quantity: fc.constantFrom(null, 1) });

const anyAct: fc.Arbitrary<Act> = fc.record({ at: asked, id: fc.constantFrom("a1", "a2", "a3"),
  by: fc.constantFrom("dee", "eve"), why: fc.constant("asked by mail"),
  decision: fc.oneof(fc.record({ kind: fc.constant("give" as const), until: fc.option(day) }),
    fc.record({ kind: fc.constantFrom("take" as const, "follow" as const) }),
    fc.record({ kind: fc.constant("move" as const), to: fc.constant("bo@example.com") })) });
const anyEnd = fc.record({ at: day,
  reason: fc.constantFrom("cancelled" as const, "failed_payment" as const,
    "fixed_subscription_period_ended" as const) });

/** Facts about a source as one ping, one answer of the API or one act of an operator might tell them. */
export const anyFacts: fc.Arbitrary<Source> = fc.record({ productId: fc.constantFrom("book", "club"),
  charges: fc.option(anyCharge.map((charge) => [charge]), { nil: [], freq: 3 }), ended: fc.option(anyEnd),
  restartedAt: fc.option(day), cancelledAt: fc.option(day),
  tierChanges: fc.array(
    fc.record({ at: day, toldAt: fc.option(day), ...later,
      type: fc.constantFrom("upgrade" as const, "downgrade" as const), from: anyPlan, to: anyPlan }),
    { maxLength: 1 },
  ), changesDroppedAt: fc.option(day, { freq: 2 }), holds: fc.subarray(["book", "club", "mug"]),
  listedAt: fc.option(asked),
  emails: fc.subarray(["ann@example.com", "ann@new.example", "ann@newer.example"], { maxLength: 1 }), ...later,
  read: fc.option(fc.record({ at: asked, ended: fc.option(anyEnd) })), act: fc.option(anyAct, { freq: 2 }) });

/** The id of one of a few sources. */
export const anySourceId: fc.Arbitrary<SourceId> = fc.constantFrom("sale:s1" as const, "sale:s2" as const,
  "subscription:m1" as const, "grant:reader" as const);

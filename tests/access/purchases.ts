import { emptySource, type Act, type Charge, type Decision, type Plan, type Source } from "../../src/access/facts.ts";

/** 5 January 2026, when the fixtures' sales happened (epoch ms). */
export const JAN_5 = Date.parse("2026-01-05T19:38:56Z");
/** A day in milliseconds. */
export const DAY = 24 * 60 * 60_000;

/** A paid charge, with what a test changes about it. */
export function charge(changes: Partial<Charge> = {}): Charge {
  return { saleId: "s1", seen: true, soldAt: JAN_5, priceCents: 4900, variants: [], recurrence: null, recurring: false,
    preorder: false, test: false, gift: "none", refunded: false, partlyRefunded: false, disputed: false,
    disputeWon: false, names: [], receivedAt: null, revoked: null, read: null, ...changes };
}

/** A plan of which only some is known. */
export function plan(tier: string, changes: Partial<Plan> = {}): Plan {
  return { tier, recurrence: null, priceCents: null, quantity: null, ...changes };
}

/** A source with these charges, with what a test changes about it. */
export function source(productId: string, charges: readonly Charge[], changes: Partial<Source> = {}): Source {
  return { ...emptySource(productId), charges, ...changes };
}

/** What the API said of a charge. */
export type ChargeRead = NonNullable<Charge["read"]>;

/** What the API said of a charge so many days after the fixtures' sales: paid, but for what a test changes. */
export function reading(day: number, changes: Partial<ChargeRead> = {}): ChargeRead {
  return { at: JAN_5 + day * DAY, refunded: false, partlyRefunded: false, disputed: false, disputeWon: false,
    variants: [], bundle: "none", ...changes };
}

/** What an operator decided so many days after the fixtures' sales. */
export function act(day: number, decision: Decision, id = "a1"): Act {
  return { at: JAN_5 + day * DAY, id, by: "dee", why: "asked by mail", decision };
}

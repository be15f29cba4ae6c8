import type { BuyerRecord } from "./record.ts";

/** What the index `buyers` shows of a record: enough to list buyers without reading each. Sets, sorted. */
export interface BuyerSummary {
  /** What their purchases give, and what is held for them. */
  readonly roles: readonly string[];
  /** Ids of all that they ever bought. */
  readonly products: readonly string[];
  /** What keeps the record from being settled: the code of `unsettled`, or CHANGING; and HELD. */
  readonly waits: readonly string[];
  readonly lost?: BuyerRecord["lost"];
}

/** The summary that is written with a record. One from before there were any has none. */
export function summaryOf({ sources, gave, held, users, unsettled, lost }: BuyerRecord): BuyerSummary {
  const isChanging = Object.values(users).some(({ roles }) => Object.values(roles).some((mark) => mark !== "has"));
  return { roles: distinct(Object.values(gave).flat()),
    products: distinct(Object.values(sources).map(({ productId }) => productId).filter((id) => id !== "")),
    waits: [...(unsettled !== null ? [unsettled.code] : isChanging ? ["CHANGING"] : []),
      ...(Object.keys(held).length > 0 ? ["HELD"] : [])], lost };
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort();
}

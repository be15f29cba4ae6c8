import type { SourceId } from "../access/facts.ts";

/** An item's place in the ledger's table. */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

/** Where a buyer's record stands. */
export function recordKey(email: string): ItemKey {
  return { pk: `buyer#${email}`, sk: "record" };
}

/** Where it stands who owns a source. */
export function sourceKey(id: SourceId): ItemKey {
  return { pk: `source#${id}`, sk: "source" };
}

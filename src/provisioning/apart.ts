import { entitlements } from "../access/entitlements.ts";
import { entriesOf, without, type Source, type SourceId } from "../access/facts.ts";
import type { Policy } from "../access/policy.ts";
import { isFull, type BuyerRecord } from "../ledger/record.ts";
import type { Provisioning } from "./context.ts";

/**
 * What gives nothing is kept apart from the buyer's record, on the sources' own items: anybody can buy what costs
 * nothing under somebody's email, hundreds of times, and what they paid for must find room.
 */

/** More purchases of one product give nothing more. */
const MOST_ALIKE = 20;
/** Leave a full record at a time: some 100 KB. */
const MOST_A_TURN = 200;

/** Whether the policy names a purchase: its product, or one that it holds as a bundle. */
export function isNamed({ productId, holds }: Source, policy: Policy): boolean {
  return [productId, ...holds].some((id) => policy.has(id));
}

/** Whether what is kept apart has its place in the record by now: the policy was edited since. */
export function isToComeIn(id: SourceId, apart: Source, { sources }: BuyerRecord, policy: Policy): boolean {
  const alike = entriesOf(sources).filter(([, { productId }]) => productId === apart.productId);
  return sources[id] === undefined && isNamed(apart, policy) && alike.length < MOST_ALIKE;
}

/** The record, where it is full without some of what gives nothing, which is set aside; and whether it still is. */
export async function withRoom(record: BuyerRecord, { store: { ledger }, policy, now }: Provisioning) {
  if (!isFull(record)) return { record, isFull: false };
  const surplus = surplusIn(record, policy, now()).slice(0, MOST_A_TURN);
  await Promise.all(surplus.map(({ id, source }) => ledger.park(id, source, record.email)));
  const left = { ...record, sources: without(record.sources, surplus.map(({ id }) => id)) };
  return { record: left, isFull: isFull(left) };
}

function surplusIn(record: BuyerRecord, policy: Policy, now: number) {
  const alike = new Map<string, number>();
  return entitlements(record.sources, policy, now).verdicts.flatMap(({ source: id, productId, access, roles }) => {
    const source = record.sources[id];
    if (source === undefined || source.act !== null || record.held[id] !== undefined) return [];
    if (!isNamed(source, policy)) return [{ id, source }];
    const kind = JSON.stringify([productId, roles]);
    const nth = (alike.get(kind) ?? 0) + 1;
    alike.set(kind, nth);
    return access && nth > MOST_ALIKE ? [{ id, source }] : [];
  });
}

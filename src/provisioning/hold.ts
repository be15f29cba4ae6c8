import { withHeld, type Access, type Verdict } from "../access/entitlements.ts";
import { emptySource, entriesOf, isSourceId, isSubscription, without, type Act, type Source,
  type SourceId } from "../access/facts.ts";
import { endOf, flagsOf, newestOf, paidCharges } from "../access/known.ts";
import { addFacts } from "../access/merge.ts";
import type { Reason } from "../access/standing.ts";
import type { Losses } from "../ledger/losses.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag, log } from "../log.ts";
import { count } from "../metrics.ts";

/** Losses that somebody meant for this one buyer are never held: a refund, a dispute, an operator's act. */
const MEANT: ReadonlySet<Reason> = new Set<Reason>(["refunded", "partly-refunded", "disputed", "revoked", "gift-gone",
  "bundle-gone", "taken", "moved", "complimentary-over"]);

/**
 * The hold on mass loss. A product deleted by mistake, a wrong line in the policy or an API that answers nonsense can
 * end many buyers' access at once, each for what looks like a good reason. So the buyers who lose a product are
 * counted, and past a number an hour sources keep the roles they would lose until a person decides. Safe to repeat.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function withHolds(record: BuyerRecord, access: Access,
  { losses, now }: { losses: Losses; now: () => number }): Promise<Decided> {
  const refused: string[] = [];
  const decided = await underHold(record, access, now(), async (productId) => {
    const permitted = await losses.permit(productId, record.email, now());
    if (!permitted) refused.push(productId);
    return permitted;
  });
  const [before, after] = [heldProducts(record), heldProducts(decided.record)];
  // Who stays held is listed again, in case of a crash.
  for (const product of after) await losses.noteHeld(product, record.email);
  for (const product of before) if (!after.has(product)) await losses.noteReleased(product, record.email);
  for (const product of refused) {
    count("Held");
    log.error("removals are held: too many buyers lose this product within an hour", { buyer: buyerTag(record.email),
      product, mend: "Find out why they lose it and mend that, or release what is held, or let the buyers keep it." });
  }
  return decided;
}

/** What is to be done about a buyer once the hold has had its say. */
export type Decided = Awaited<ReturnType<typeof underHold>>;

/**
 * The rule itself. `permit` is asked once for each product that the buyer would lose; `now` is in epoch ms. Gives the
 * record with what each source gives now and which are held (a later version's kinds: as they were), and all roles.
 */
export async function underHold(record: BuyerRecord, access: Access, now: number,
  permit: (productId: string) => Promise<boolean>) {
  const known = Object.keys(record.gave).concat(Object.keys(record.held)).filter(isSourceId);
  const [gave, held] = [without(record.gave, known), without(record.held, known)];
  const permits = new Map<string, boolean>();
  for (const verdict of access.verdicts) {
    const { source, productId, unsure } = verdict;
    const before = record.gave[source] ?? [];
    let since = record.held[source];
    const left = since === undefined ? access.roles : verdict.roles;
    const isLost = !before.every((role) => left.includes(role)) && !isMeant(verdict, record);
    // An option that the policy doesn't list is no reason: held from the first buyer on.
    if (!isLost) since = undefined;
    else if (since === undefined) {
      const isPermitted = !unsure && (permits.get(productId) ?? (await permit(productId)));
      if (!unsure) permits.set(productId, isPermitted);
      if (!isPermitted) since = now;
    }
    if (since !== undefined) held[source] = since;
    const roles = since === undefined && !unsure ? verdict.roles : [...before, ...verdict.roles];
    if (roles.length > 0) gave[source] = [...new Set(roles)].sort();
  }
  const decided: BuyerRecord = { ...record, gave, held };
  return { record: decided, access, roles: withHeld(access.roles, decided) };
}

/** The sources of a product whose loss is held, and since when (epoch ms). */
export function heldSources({ sources, held }: BuyerRecord, product: string): ReadonlyMap<SourceId, number> {
  return new Map(entriesOf(sources).flatMap(([id, { productId }]) => {
    const since = held[id];
    return productId === product && since !== undefined ? [[id, since] as const] : [];
  }));
}

/** The record after a person let the held removals of a product go; `Losses.noteReleased` takes it off the list. */
export function release(record: BuyerRecord, productId: string): BuyerRecord {
  const released = [...heldSources(record, productId).keys()];
  return { ...record, gave: without(record.gave, released), held: without(record.held, released) };
}

/**
 * The record after a person decided that the buyer keeps what is held of a product: an act gives it for good, and the
 * next `withHolds` holds nothing but the roles that the policy gives no more, which can't come from an act.
 */
export function keep(record: BuyerRecord, productId: string, act: Omit<Act, "decision">): BuyerRecord {
  const given: Source = { ...emptySource(productId), act: { ...act, decision: { kind: "give", until: null } } };
  const kept = [...heldSources(record, productId).keys()];
  return { ...record, sources: kept.reduce((sources, id) => addFacts(sources, id, given), record.sources) };
}

/** Whether somebody meant a loss for this one buyer. */
export function isMeant({ source: id, reason, unsure }: Verdict, { sources }: BuyerRecord): boolean {
  const source = sources[id];
  const isUnclear = reason === "ended" || reason === "not-in-policy";
  return !unsure && (MEANT.has(reason) || (isUnclear && source !== undefined && isTakenBack(id, source)));
}

/** Whether a source ended with its money going back. A disputed membership is ended too; a refunded one goes on. */
function isTakenBack(id: SourceId, source: Source): boolean {
  if (isSubscription(id) && endOf(source) === null) return false;
  const paid = paidCharges(source);
  if (paid.length === 0) return false;
  const { refunded, disputed, disputeWon } = flagsOf(newestOf(paid));
  return refunded || (disputed && !disputeWon);
}

function heldProducts({ sources, held }: BuyerRecord): ReadonlySet<string> {
  return new Set(entriesOf(sources).flatMap(([id, { productId }]) => (held[id] === undefined ? [] : [productId])));
}

import { entitlements } from "../access/entitlements.ts";
import { entriesOf, type SourceId } from "../access/facts.ts";
import type { Reason } from "../access/standing.ts";
import { boughtTogether } from "../access/together.ts";
import type { BuyerRecord, Claim } from "../ledger/record.ts";
import { buyerTag, log } from "../log.ts";
import type { ClaimMessage } from "../queue/message.ts";
import { mergeAct } from "./acts.ts";
import { findAll } from "./bind.ts";
import type { Provisioning } from "./context.ts";
import { forward, isMine } from "./owners.ts";

/** Keys leak, and whoever has one may have many accounts: of requests, the newest. What was decided stays. */
const MOST_REQUESTS = 20;

/** It gives access, though it was paid back, has ended, or its bundle has: that is no clear right to move it by. */
const UNCLEAR: ReadonlySet<Reason> = new Set<Reason>(["refunded-kept", "partly-refunded-kept", "disputed-kept",
  "in-grace", "ended-kept", "bundle-unsure"]);

/**
 * Merges that somebody showed the licence key of a sale, or what an operator decided about that; null if it went to
 * the buyer whose that is by now. Granted to an email, the purchase moves there, as an operator moves one; granted to
 * a name, it stays, and tokens of that account carry what it gives, of one account a purchase. What isn't clear is a
 * request. Of decisions, the last one made stands, whichever comes last.
 * @throws as {@link mergeAct} and the directory do
 */
export async function mergeClaim(record: BuyerRecord, message: ClaimMessage,
  work: Provisioning): Promise<BuyerRecord | null> {
  const { saleId, by, at, decided, requestId } = message;
  const { ledger } = work.store;
  const found = entriesOf(record.sources).find(([, { charges }]) =>
    charges.some((charge) => charge.seen && charge.saleId === saleId)
  );
  const claims = record.claims ?? [];
  if (found === undefined || by === `email:${record.email}`) return record;
  const [source] = found;
  if (!isMine(record, source)) {
    const owner = await ledger.owner(source);
    if (owner === null || owner === record.email) return record;
    await forward(message, source, owner, work);
    return null;
  }
  const together = boughtTogether(source, record.sources, work.policy);
  const isDone = decided === null
    ? claims.some((claim) => claim.source === source && claim.by === by)
    : isOverruled(record, source, together, message);
  if (isDone) return record;

  const state = decided?.state ?? ((await isFree(record, source, together, message, work)) ? "granted" : "asked");
  const others = claims.filter((claim) => claim.source !== source || claim.by !== by).map((claim) =>
    state === "granted" && together.includes(claim.source) && claim.state === "granted"
      ? { ...claim, at, state: "refused" as const }
      : claim
  );
  const claim: Claim = { source, by, at, state };
  await ledger.remember(`buyer#${record.email}`, { id: `claim ${requestId}`, receivedAt: at, requestId, source,
    detail: { event: "claim", claimant: by, state, by: decided?.by, why: decided?.why } });
  log.info("a licence key was shown", { requestId, buyer: buyerTag(record.email), source, state });
  const merged = { ...record, claims: bounded([...others, claim]) };
  return state === "granted" && by.startsWith("email:") ? moved(merged, together, message, work) : merged;
}

/** Whether something newer was decided: about this claim, about who has the purchase, or where it belongs. */
function isOverruled({ claims = [], sources }: BuyerRecord, source: SourceId, together: readonly SourceId[],
  { by, at }: ClaimMessage): boolean {
  return claims.some((claim) =>
    claim.at > at &&
    (claim.by === by && claim.source === source
      ? claim.state !== "asked"
      : claim.state === "granted" && together.includes(claim.source))
  ) || by.startsWith("email:") && together.some((id) => (sources[id]?.act?.at ?? 0) > at);
}

function bounded(claims: readonly Claim[]): readonly Claim[] {
  const requests = claims.filter(({ state }) => state === "asked").slice(-MOST_REQUESTS);
  return claims.filter((claim) => claim.state !== "asked" || requests.includes(claim));
}

/**
 * Whether nobody has a better right: it stands, nobody decided anything about it, no other account has it,
 * and, where it would move, no user of its buyer ever logged in.
 */
async function isFree(record: BuyerRecord, source: SourceId, together: readonly SourceId[], { by }: ClaimMessage,
  work: Provisioning): Promise<boolean> {
  // We moved it already, and were stopped before that was written down.
  if (by === `email:${(await work.store.ledger.owner(source)) ?? ""}`) return true;
  const stands = entitlements(record.sources, work.policy, work.now()).verdicts.some((verdict) =>
    verdict.source === source && verdict.access && !UNCLEAR.has(verdict.reason)
  );
  const isUntouched = together.every((id) => record.sources[id]?.act === null && record.held[id] === undefined) &&
    !(record.claims ?? []).some((claim) => together.includes(claim.source) && claim.state !== "asked");
  if (!stands || !isUntouched || by.startsWith("name:")) return stands && isUntouched;
  const users = await findAll(record, work);
  // One whose email was changed since isn't found by it, and may have logged in.
  return !users.some(({ hasLoggedIn }) => hasLoggedIn) &&
    Object.keys(record.users).every((known) => users.some(({ id }) => id === known));
}

async function moved(record: BuyerRecord, sources: readonly SourceId[],
  { requestId, by: claimant, at, decided }: ClaimMessage, work: Provisioning): Promise<BuyerRecord> {
  const decision = { kind: "move", to: claimant.slice("email:".length) } as const;
  let left = record;
  for (const source of sources) {
    const act = { at, id: `claim ${requestId} ${source}`, by: decided?.by ?? "claim",
      why: decided?.why ?? "showed the licence key", decision };
    left = (await mergeAct(left, { v: 1, kind: "act", requestId, buyer: left.email, hops: 0, source, act }, work)) ??
      left;
  }
  return left;
}

import { entitlements } from "../access/entitlements.ts";
import { entriesOf, type SourceId } from "../access/facts.ts";
import type { Reason } from "../access/standing.ts";
import { boughtTogether } from "../access/together.ts";
import type { BuyerRecord, Claim } from "../ledger/record.ts";
import { buyerTag, log } from "../log.ts";
import type { MessageOf } from "../queue/message.ts";
import { withActs, withApart } from "./acts.ts";
import { findAll } from "./bind.ts";
import { mergeClaims } from "./claim-merge.ts";
import type { Provisioning } from "./context.ts";
import { forward, isMine } from "./owners.ts";

/** It gives access though its money went back, it ended, or its bundle did: no clear right to move it by. */
const UNCLEAR: ReadonlySet<Reason> = new Set<Reason>(["refunded-kept", "partly-refunded-kept", "disputed-kept",
  "in-grace", "ended-kept", "bundle-unsure"]);

/**
 * Merges that somebody showed the licence key of a sale, or what an operator decided about that; null if the message
 * went on to whoever owns the sale by now. Granted to an email, the purchase moves there, as by an operator; granted
 * to a name, it stays, and that one account's tokens carry what it gives. What isn't clear is a request. The last
 * decision made stands, in whatever order they come.
 * @throws {TemporaryError} SOURCE_ON_ITS_WAY, and as acts and the directory do
 */
export async function mergeClaim(record: BuyerRecord, message: MessageOf<"claim">,
  work: Provisioning): Promise<BuyerRecord | null> {
  const { saleId, under, by, at, decided, requestId } = message;
  const { ledger } = work.store;
  const holding = entriesOf(record.sources).filter(([, { charges }]) =>
    charges.some((charge) => charge.seen && charge.saleId === saleId)
  );
  const [known] = holding.find(([id]) => isMine(record, id)) ?? holding[0] ?? [];
  if (decided === null && by === `email:${record.email}`) return record;
  const source = known ?? under ?? (`sale:${saleId}` as const);
  if (!isMine(record, source)) {
    const owner = await ledger.owner(source);
    if (owner === null) return record;
    if (owner === record.email) return mergeClaim(await withApart(record, source, message, work), message, work);
    await forward(message, source, owner, work);
    return null;
  }
  const together = boughtTogether(record.sources, work.policy)(source);
  const claims = record.claims ?? [];
  if (decided === null && claims.some((claim) => claim.source === source && claim.by === by)) return record;

  const isClear = decided === null && known !== undefined && (await isFree(record, source, together, message, work));
  const state = decided?.state ?? (isClear ? "granted" : "asked");
  const claim: Claim = { source, by, at, state, ...(decided?.state === "granted" ? { granted: at } : {}) };
  await ledger.remember(`buyer#${record.email}`, { id: `claim ${requestId}`, receivedAt: at, requestId, source,
    detail: { event: "claim", claimant: by, state, by: decided?.by, why: decided?.why } });
  log.info("a licence key was shown", { requestId, buyer: buyerTag(record.email), source, state });
  const merged = { ...record, claims: mergeClaims(claims, [claim], together) };
  return state === "granted" && by.startsWith("email:") ? moved(merged, source, message, work) : merged;
}

/**
 * Whether nobody has a better right: it stands, nobody decided anything about it, no other account has it,
 * and, where it would move, no user of its buyer ever logged in.
 */
async function isFree(record: BuyerRecord, source: SourceId, together: readonly SourceId[], { by }: MessageOf<"claim">,
  work: Provisioning): Promise<boolean> {
  // We moved it already, and were stopped before that was written down.
  if (by === `email:${(await work.store.ledger.owner(source)) ?? ""}`) return true;
  const standing = entitlements(record.sources, work.policy, work.now()).verdicts.filter((verdict) =>
    verdict.access && together.includes(verdict.source)
  );
  const stands = standing.some((verdict) => verdict.source === source) &&
    !standing.some(({ reason }) => UNCLEAR.has(reason));
  const isUntouched = together.every((id) => record.sources[id]?.act === null && record.held[id] === undefined) &&
    !(record.claims ?? []).some((claim) => together.includes(claim.source) && claim.state !== "asked");
  if (!stands || !isUntouched || by.startsWith("name:")) return stands && isUntouched;
  const users = await findAll(record, work);
  // One whose email was changed since isn't found by it, and may have logged in.
  return !users.some(({ hasLoggedIn }) => hasLoggedIn) &&
    Object.keys(record.users).every((known) => users.some(({ id }) => id === known));
}

/** What was bought together with it goes along. */
async function moved(record: BuyerRecord, source: SourceId,
  { requestId, by: claimant, at, decided }: MessageOf<"claim">, work: Provisioning): Promise<BuyerRecord> {
  const decision = { kind: "move", to: claimant.slice("email:".length) } as const;
  const [by, why] = [decided?.by ?? "claim", decided?.why ?? "showed the licence key"];
  return withActs(record, new Map([[source, { at, id: `claim ${requestId}`, by, why, decision }]]), requestId, work);
}

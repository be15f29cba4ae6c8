import * as z from "zod";

import { pingShape, type Ping } from "../../src/gumroad/ping.ts";
import type { HistoryEvent } from "../../src/ledger/ledger.ts";
import { momentOf } from "../terminal/moments.ts";

/** A line of history for people. */
export interface EventWords {
  /** Gumroad's name of the event, or what an operator or a sweep did. */
  readonly event: string;
  /** What it said, shortly. */
  readonly told: string;
}

const foundShape = z.object({ event: z.literal("found"), sweep: z.string() });
const decisionShape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("give"), until: z.number().nullable() }),
  z.object({ kind: z.literal("move"), to: z.string() }),
  z.object({ kind: z.enum(["take", "follow"]) }),
]);
const decidedShape = z.object({ event: z.string(), by: z.string(), why: z.string(), decision: decisionShape.optional(),
  from: z.string().optional() });
const claimShape = z.object({ event: z.literal("claim"), claimant: z.string(), state: z.string(),
  by: z.string().optional(), why: z.string().optional() });
const namedShape = z.object({ event: z.string() });

/** What an operator did, in words. */
const BY_HAND: Readonly<Record<string, string>> = { give: "given", take: "taken away", move: "moved away",
  follow: "as Gumroad says, again" };

/** A line of history in words. One that this version doesn't know keeps its event's name. */
export function wordsOf({ detail }: HistoryEvent): EventWords {
  const ping = pingShape.safeParse(detail);
  if (ping.success) return { event: ping.data.event, told: toldBy(ping.data) };
  const found = foundShape.safeParse(detail);
  if (found.success) return { event: "found", told: `by the sweep ${found.data.sweep}: no ping had told` };
  const claim = claimShape.safeParse(detail);
  if (claim.success) {
    const { event, claimant, state, by, why } = claim.data;
    const told = by === undefined
      ? `${claimant} showed the licence key: ${state}`
      : `${claimant}: ${state} by ${by}: ${why ?? ""}`;
    return { event, told };
  }
  const decided = decidedShape.safeParse(detail);
  if (decided.success) {
    const { event, from } = decided.data;
    return { event: from === undefined ? (BY_HAND[event] ?? event) : "moved here",
      told: `${
        from === undefined ? decisionWords(decided.data.decision) : `from ${from}, `
      }by ${decided.data.by}: ${decided.data.why}` };
  }
  return { event: namedShape.safeParse(detail).data?.event ?? "unknown", told: "" };
}

function toldBy(ping: Ping): string {
  switch (ping.event) {
    case "sale": {
      const { priceCents, variants, recurring, preorder, test, gift, soldAt } = ping;
      const kinds = [recurring ? "a renewal" : "", preorder ? "a preorder" : "", test ? "a test purchase" : "",
        gift ? "a gift" : ""].filter((kind) => kind !== "");
      const options = variants.map(([category, name]) => `${category}: ${name}`);
      return [`sold ${momentOf(soldAt)} for ${(priceCents / 100).toFixed(2)}`, ...options, ...kinds].join(", ");
    }
    case "refund":
      return ping.refunded ? "in full" : "in part";
    case "dispute":
    case "dispute_won":
      return `of the sale of ${momentOf(ping.soldAt)}`;
    case "cancellation":
      return `for ${momentOf(ping.at)}`;
    case "subscription_ended":
      return `${momentOf(ping.at)}: ${ping.reason.replaceAll("_", " ")}`;
    case "subscription_restarted":
      return momentOf(ping.at);
    case "subscription_updated":
      return `${ping.type} from ${ping.from.tier ?? "?"} to ${ping.to.tier ?? "?"}, from ${momentOf(ping.at)} on`;
  }
}

function decisionWords(decision: z.infer<typeof decisionShape> | undefined): string {
  switch (decision?.kind) {
    case "give":
      return decision.until === null ? "for good, " : `until ${momentOf(decision.until)}, `;
    case "move":
      return `to ${decision.to}, `;
    case "take":
    case "follow":
    case undefined:
      return "";
  }
}

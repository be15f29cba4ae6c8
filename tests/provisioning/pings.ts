import type { Ping, SalePing } from "../../src/gumroad/ping.ts";
import type { MessageOf } from "../../src/queue/message.ts";
import { JAN_5 } from "../access/purchases.ts";

/** A ping for a buyer's record that came in then (epoch ms). */
export function pinged(ping: Ping, receivedAt = JAN_5): MessageOf<"ping"> {
  const about = "saleId" in ping ? ping.saleId : ping.subscriptionId;
  return { v: 1, kind: "ping", requestId: "r", receivedAt, pingId: `${ping.event} ${about} ${String(receivedAt)}`,
    buyer: ping.email, hops: 0, misses: 0, again: false, given: false, ping };
}

/** Word of something bought, or of what became of it, with what a test changes. */
export function soldTo(email: string, saleId: string, productId: string,
  changes: Partial<SalePing> = {}): MessageOf<"ping"> {
  return pinged({ event: "sale", saleId, subscriptionId: null, productId, email, spelling: null, soldAt: JAN_5,
    priceCents: 0, variants: [], recurrence: null, recurring: false, preorder: false, test: false, gift: false,
    gifter: null, refunded: false, disputed: false, disputeWon: false, emailTyped: false, ...changes });
}

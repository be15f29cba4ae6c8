import { NeedsPersonError, TemporaryError } from "../errors.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag, causesOf, log } from "../log.ts";
import { count, countFailure, timeToAccess } from "../metrics.ts";
import type { BuyerMessage } from "../queue/message.ts";
import type { RoleChanges } from "./marks.ts";
import { UNSETTLED_LONG_MS } from "./timing.ts";

/** What provisioning tells of itself: log lines with the requests that led to them, and metrics. Nobody is named. */

/**
 * A message could not be read back: somebody may have to see this at once, as nothing is granted or taken until it is
 * mended.
 */
export function tellUnread(email: string, { requestId }: BuyerMessage, error: unknown): void {
  const told = { buyer: buyerTag(email), requestId, causes: causesOf(error) };
  countFailure(error instanceof TemporaryError || error instanceof NeedsPersonError ? error.code : "UNEXPECTED");
  if (error instanceof TemporaryError) {
    log.warn("will be tried again", told);
    return;
  }
  count("NeedsPerson");
  log.error("needs a person", { ...told,
    mend: error instanceof NeedsPersonError ? error.message : "This is a bug: the log line has its causes." });
}

/** A turn failed. */
export function tellFailure(email: string, messages: readonly BuyerMessage[],
  failure: NeedsPersonError | TemporaryError): void {
  const told = { buyer: buyerTag(email), requestIds: requestsOf(messages), mend: failure.message,
    causes: causesOf(failure) };
  countFailure(failure.code);
  if (failure instanceof NeedsPersonError) {
    count("NeedsPerson");
    log.error("needs a person", told);
  } else {
    log.warn("will be tried again", told);
  }
}

/** The record still can't be settled; `since` (epoch ms) is when that began. */
export function tellUnsettled(since: number, now: number): void {
  if (now - since > UNSETTLED_LONG_MS) count("UnsettledLong");
}

/** All is done; `changes` were made at Auth0. */
export function tellSettled(record: BuyerRecord, roles: readonly string[], changes: readonly RoleChanges[],
  messages: readonly BuyerMessage[], now: number): void {
  const added = [...new Set(changes.flatMap(({ add }) => add))];
  log.info("settled", { buyer: buyerTag(record.email), requestIds: requestsOf(messages), roles,
    users: Object.keys(record.users).length, added, removed: [...new Set(changes.flatMap(({ remove }) => remove))] });
  if (changes.length > 0) count("Applied");
  if (added.length === 0) return;
  for (const message of messages) {
    // By Gumroad's own time of the sale. Not for old pings that somebody replays: they would say nothing of a buyer's
    // wait.
    if (message.kind === "ping" && message.ping.event === "sale" &&
      message.receivedAt - message.ping.soldAt < UNSETTLED_LONG_MS) timeToAccess((now - message.ping.soldAt) / 1_000);
  }
}

function requestsOf(messages: readonly BuyerMessage[]): readonly string[] {
  return [...new Set(messages.map(({ requestId }) => requestId))];
}

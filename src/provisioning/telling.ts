import { NeedsPersonError, TemporaryError } from "../errors.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag, causesOf, log } from "../log.ts";
import { count, countFailure, needsPerson, timeToAccess } from "../metrics.ts";
import type { Message } from "../queue/message.ts";
import type { RoleChanges } from "./marks.ts";
import { UNSETTLED_LONG_MS } from "./timing.ts";

/** Tells that nothing is granted or taken for these messages until something is mended, or passes; and gives that. */
export function tellFailure(email: string, messages: readonly Message[], error: unknown) {
  const failure = asFailure(error);
  const about = { buyer: buyerTag(email), requestIds: requestsOf(messages), causes: causesOf(failure) };
  countFailure(failure.code);
  if (failure instanceof NeedsPersonError) needsPerson(failure.message, about);
  else log.warn("will be tried again", { ...about, mend: failure.message });
  return failure;
}

/** Logs what was thrown where that keeps nothing else from being done. */
export function loggedAs(what: string, about: Readonly<Record<string, unknown>> = {}): (error: unknown) => null {
  return (error) => {
    log.warn(what, { ...about, causes: causesOf(error) });
    return null;
  };
}

/** What was thrown, as somebody's task: what isn't one of our own errors is a bug. */
export function asFailure(error: unknown): NeedsPersonError | TemporaryError {
  return error instanceof NeedsPersonError || error instanceof TemporaryError
    ? error
    : new NeedsPersonError("UNEXPECTED", "This is a bug: the log line has its causes.", { cause: error });
}

/** All is done; `changes` were made at Auth0. */
export function tellSettled(record: BuyerRecord, roles: readonly string[], changes: readonly RoleChanges[],
  messages: readonly Message[], now: number): void {
  const added = [...new Set(changes.flatMap(({ add }) => add))];
  log.info("settled", { buyer: buyerTag(record.email), requestIds: requestsOf(messages), roles,
    users: Object.keys(record.users).length, added, removed: [...new Set(changes.flatMap(({ remove }) => remove))] });
  if (changes.length > 0) count("Applied");
  if (added.length === 0) return;
  for (const message of messages) {
    // By Gumroad's own time of the sale. Old pings that somebody replays say nothing of a buyer's wait.
    if (message.kind === "ping" && message.ping.event === "sale" &&
      message.receivedAt - message.ping.soldAt < UNSETTLED_LONG_MS) timeToAccess((now - message.ping.soldAt) / 1_000);
  }
}

function requestsOf(messages: readonly Message[]): readonly string[] {
  return [...new Set(messages.map(({ requestId }) => requestId))];
}

import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag, log } from "../log.ts";
import { count } from "../metrics.ts";
import type { Provisioning } from "./context.ts";
import { dueAfter } from "./timing.ts";

const UNVERIFIED = "EMAIL_UNVERIFIED";

/** Whether a record waits for a verified email; with a moment (epoch ms), whether its due time is after that. */
export function isAwaitingVerification({ unsettled, dueAt }: BuyerRecord, now = Number.NEGATIVE_INFINITY): boolean {
  return unsettled?.code === UNVERIFIED && dueAt !== null && dueAt > now;
}

/**
 * Leaves the record to wait. Who was seen unverified is written down before anybody is mailed: once they follow the
 * mail's link, nothing else tells that their password is not to be trusted.
 */
export async function awaitVerification(record: BuyerRecord,
  { store, auth0, now, signal }: Provisioning): Promise<void> {
  const waited = record.unsettled?.code === UNVERIFIED ? record.unsettled : null;
  const attempts = (waited?.attempts ?? 0) + 1;
  let written = await store.ledger.save({ ...record,
    unsettled: { code: UNVERIFIED,
      message: "An Auth0 user with this email exists that nobody verified: the roles wait for that.",
      since: waited?.since ?? now(), attempts }, dueAt: now() + dueAfter(UNVERIFIED, attempts) });
  count("Waiting");
  log.warn("waits for a verified email", { buyer: buyerTag(record.email), attempts });
  for (const userId of record.unverified.filter((id) => !record.mailed.includes(id))) {
    await auth0.mailVerification(userId, signal);
    written = await store.ledger.save({ ...written, mailed: [...written.mailed, userId] });
  }
}

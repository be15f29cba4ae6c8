import { lacksOption, type Access } from "../access/entitlements.ts";
import { earlier } from "../access/merge.ts";
import type { Policy } from "../access/policy.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag, log } from "../log.ts";
import { count, needsPerson } from "../metrics.ts";
import type { Provisioning } from "./context.ts";
import { doubtedUntil } from "./marks.ts";
import { dueAfter, UNLISTED_MS } from "./timing.ts";

const UNLISTED = "OPTION_UNLISTED";
const UNVERIFIED = "EMAIL_UNVERIFIED";

/**
 * When and why a record with nothing left to do at Auth0 is looked at again: when time alone changes its roles, or a
 * doubt is over. One with an option that the policy neither lists nor covers by `otherwise` says so, once, and is due
 * every few hours, so that a mended policy reaches it.
 */
export function atRest(record: BuyerRecord, { verdicts, changesAt }: Access,
  { policy, now }: Provisioning): Pick<BuyerRecord, "unsettled" | "dueAt"> {
  const doubted = doubtedUntil(record, now());
  const due = earlier(doubted, changesAt);
  const options = unlistedOptions(verdicts, policy);
  const waited = doubted !== null && record.unsettled?.code === "AUTH0_TIMED_OUT" ? record.unsettled : null;
  if (options.length === 0) return { unsettled: waited, dueAt: due };

  const message = `src/products.ts does not list ${options.join(", ")}: add it there, or an "otherwise".`;
  const { unsettled, dueAt } = record;
  const told = unsettled?.code === UNLISTED && unsettled.message === message ? unsettled : null;
  if (told === null) needsPerson(message, { buyer: buyerTag(record.email), causes: [UNLISTED] });
  const waits = told !== null && dueAt !== null && dueAt > now() ? dueAt : now() + UNLISTED_MS;
  return { unsettled: waited ?? told ?? { code: UNLISTED, message, since: now(), attempts: 1 },
    dueAt: earlier(waits, due) };
}

function unlistedOptions(verdicts: Access["verdicts"], policy: Policy): readonly string[] {
  return verdicts.flatMap((verdict) => {
    const product = policy.get(verdict.productId);
    if (!lacksOption(verdict, product)) return [];
    const option = verdict.unlisted === null ? "that is missing" : `"${verdict.unlisted}"`;
    return [`the ${product.variant} ${option} of ${product.name}`];
  });
}

/** Whether a record waits for a verified email; with a moment (epoch ms), whether its due time is after that. */
export function isAwaitingVerification({ unsettled, dueAt }: BuyerRecord, now = Number.NEGATIVE_INFINITY): boolean {
  return unsettled?.code === UNVERIFIED && dueAt !== null && dueAt > now;
}

/**
 * Leaves the record to wait. Who was seen unverified is written down before anybody is mailed: once they follow the
 * mail's link, nothing else tells that their password is not to be trusted. `mayBeCreated`: an earlier turn asked for
 * a user and saw no answer.
 */
export async function awaitVerification(record: BuyerRecord, mayBeCreated: boolean,
  { store, auth0, now, signal }: Provisioning) {
  const waited = record.unsettled?.code === UNVERIFIED ? record.unsettled : null;
  const attempts = (waited?.attempts ?? 0) + 1;
  // This turn creates nobody; but a user whom one before asked for may come late, and is looked for until then.
  const { creating: _, ...waiting } = record;
  let written = await store.ledger.save({ ...waiting, ...(mayBeCreated ? { creating: true } : {}),
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

import { lacksOption, type Access } from "../access/entitlements.ts";
import type { Policy } from "../access/policy.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag } from "../log.ts";
import { needsPerson } from "../metrics.ts";
import { earlier, UNLISTED_MS } from "./timing.ts";

const CODE = "OPTION_UNLISTED";

/** When and why a record with nothing left to do at Auth0 is looked at again. */
export type AtRest = Pick<BuyerRecord, "unsettled" | "dueAt">;

/**
 * A record at rest is due when time alone changes its roles. One with a paid option that the policy doesn't list, nor
 * means by an `otherwise`, is due every few hours besides, so that a mended policy reaches it, and says so, once: a
 * seller who renames a tier would else lose every buyer of it without a word.
 */
export function atRest(stored: BuyerRecord, access: Access,
  { policy, now }: { readonly policy: Policy; readonly now: () => number }): AtRest {
  const options = unlistedOptions(access, policy);
  if (options.length === 0) return { unsettled: null, dueAt: access.changesAt };

  const message = `src/products.ts does not list ${options.join(", ")}: add it there, or an "otherwise".`;
  const told = stored.unsettled?.code === CODE && stored.unsettled.message === message ? stored.unsettled : null;
  if (told === null) needsPerson(message, { buyer: buyerTag(stored.email), causes: [CODE] });
  const waits = told !== null && stored.dueAt !== null && stored.dueAt > now() ? stored.dueAt : now() + UNLISTED_MS;
  return { unsettled: told ?? { code: CODE, message, since: now(), attempts: 1 },
    dueAt: earlier(waits, access.changesAt) };
}

function unlistedOptions({ verdicts }: Access, policy: Policy): readonly string[] {
  return verdicts.flatMap((verdict) => {
    const product = policy.get(verdict.productId);
    if (!lacksOption(verdict, product)) return [];
    const option = verdict.unlisted === null ? "that is missing" : `"${verdict.unlisted}"`;
    return [`the ${product.variant} ${option} of ${product.name}`];
  });
}

import type { Access } from "../access/entitlements.ts";
import type { Policy } from "../access/policy.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag } from "../log.ts";
import { needsPerson } from "../metrics.ts";
import { UNLISTED_MS } from "./timing.ts";

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
  if (told === null) {
    needsPerson(message, { buyer: buyerTag(stored.email), causes: [CODE] });
  }
  const waits = told !== null && stored.dueAt !== null && stored.dueAt > now() ? stored.dueAt : now() + UNLISTED_MS;
  return { unsettled: told ?? { code: CODE, message, since: now(), attempts: 1 },
    dueAt: access.changesAt === null ? waits : Math.min(waits, access.changesAt) };
}

function unlistedOptions(access: Access, policy: Policy): readonly string[] {
  return access.verdicts.flatMap(({ productId, access: has, variantListed, unlisted }) => {
    const product = policy.get(productId);
    if (!has || (variantListed && unlisted === null) || product === undefined || !("variant" in product) ||
      product.otherwise !== undefined) {
      return [];
    }
    return [`the ${product.variant} ${unlisted === null ? "that is missing" : `"${unlisted}"`} of ${product.name}`];
  });
}

import * as z from "zod/mini";

import { answerAs, askGumroad, failureOf } from "../gumroad/call.ts";

const id = z.string().check(z.minLength(1), z.maxLength(100));
const purchaseShape = z.object({ purchase: z.optional(z.object({ id, subscription_id: z.nullish(id) })) });

/**
 * Asks Gumroad of which sale a licence key is, for each of the products at once; null where it is of none, or switched
 * off. No use of the key is counted.
 * The answer holds the ping's fields, where what a buyer typed into a custom field called `sale_id`, `email` or
 * `subscription_id` stands in the real one's place. Only `id`, which Gumroad writes last, is sure.
 * @throws {TemporaryError} GUMROAD_UNREACHABLE, {@link NeedsPersonError} GUMROAD_REFUSED, GUMROAD_NOT_UNDERSTOOD
 */
export async function saleOfKey(key: string, productIds: readonly string[], api: string,
  signal: AbortSignal): Promise<{ readonly saleId: string; readonly subscriptionId: string | null } | null> {
  const what = "check a licence key";
  const answers = await Promise.all(productIds.map(async (productId) => {
    const form = new URLSearchParams({ product_id: productId, license_key: key, increment_uses_count: "false" });
    const { status, body } = await askGumroad(fetch, { token: null, api }, { method: "POST", path: "/licenses/verify",
      form, what }, signal);
    if (status === 404) return null;
    if (status !== 200) throw failureOf(status, what);
    const { purchase } = answerAs(purchaseShape, body, what);
    // One of a customer that the seller brought along from elsewhere names no sale.
    return purchase === undefined ? null : { saleId: purchase.id, subscriptionId: purchase.subscription_id ?? null };
  }));
  return answers.find((answer) => answer !== null) ?? null;
}

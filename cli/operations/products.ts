import { ConfigError } from "../../src/errors.ts";
import type { ShopProduct } from "../admin/shop-admin.ts";
import { policyFile, withoutEntries } from "../products/policy-file.ts";
import { shopOf } from "../shop/shop-of.ts";
import type { Operating } from "./operating.ts";

/** Entries to leave out, by product id, and a Gumroad token of the operator's own; empty: the stage's. */
export interface ProductsRequest {
  readonly drop: readonly string[];
  readonly token: string;
}

/** What the shop sells, and the policy file for it. */
export interface ShopPolicy {
  readonly products: readonly (ShopProduct & { readonly inPolicy: boolean })[];
  /** Names of those that the policy doesn't have yet. */
  readonly fresh: readonly string[];
  /** Ids that stay in the policy, and aren't sold. */
  readonly notSold: readonly string[];
  /** The file's source. */
  readonly file: string;
}

const LIMIT_MS = 60_000;

/**
 * Works the policy file out for what the shop sells; writes nothing.
 * @throws {ConfigError} NO_SUCH_PRODUCT, POLICY_INVALID; {NeedsPersonError} GUMROAD_TOKEN_MISSING
 */
export async function shopPolicy({ drop, token }: ProductsRequest, operating: Operating): Promise<ShopPolicy> {
  const policy = await operating.policy();
  const unknown = drop.find((id) => !policy.has(id));
  if (unknown !== undefined) {
    throw new ConfigError("NO_SUCH_PRODUCT", `--drop ${unknown}: the policy has no product of this id`);
  }
  const sold = await (await shopOf(token, operating)).products(AbortSignal.timeout(LIMIT_MS));
  const kept = withoutEntries(policy, drop);
  return { file: policyFile(sold.filter(({ id }) => !drop.includes(id)), kept),
    products: sold.map((product) => ({ ...product, inPolicy: kept.has(product.id) })),
    fresh: sold.filter(({ id }) => !policy.has(id)).map(({ name }) => name),
    notSold: [...kept.keys()].filter((id) => !sold.some((product) => product.id === id)) };
}

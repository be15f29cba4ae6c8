import type { Policy, Product } from "../../src/access/policy.ts";
import type { ShopAdmin, ShopProduct } from "../admin/shop-admin.ts";
import { type LedgerFinding, unlistedContent, unlistedOption } from "../operations/record-findings.ts";
import { unlistedOptions } from "../products/policy-file.ts";
import { keptOf } from "../setup/values.ts";
import type { StoredSecret } from "../stage/secrets.ts";

import { type Finding, limit, refusalAs } from "./finding.ts";

/** Whether Gumroad takes the token, and lets it see sales. */
export async function tokenFindings(shop: () => Promise<{ readonly client: ShopAdmin }>,
  setup: string): Promise<readonly Finding[]> {
  // `/user` takes any token, and may answer while what pings are read back with doesn't.
  const reads = async (): Promise<unknown> => (await shop()).client.readsSales(limit());
  return refusalAs(reads, { GUMROAD_TOKEN: "GUMROAD_TOKEN", GUMROAD_SCOPE: "GUMROAD_SCOPE" }, setup);
}

/** Secrets that name another shop than the token's. */
export function sellerFindings(sellerId: string, ping: StoredSecret, gumroad: StoredSecret,
  setup: string): readonly Finding[] {
  const wrong = Object.entries({ ping, gumroad }).filter(([, secret]) =>
    secret.state === "good" && keptOf(secret)["seller_id"] !== sellerId
  );
  return wrong.map(([name]) => ({ code: "SELLER_WRONG",
    message: `The seller_id in the secret ${name} is not that of the shop whose token this is (${sellerId}), so its ${
      name === "ping" ? "pings are refused" : "purchases can't be read back"
    }.`, mend: setup })
  );
}

/** Products that the shop and the policy don't share. */
export async function productFindings(shop: ShopAdmin, sold: readonly ShopProduct[], policy: Policy,
  command: (text: string) => string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { id, name } of policy.values()) {
    // One that was deleted has buyers still; one that never was is a typing mistake.
    if (sold.some((product) => product.id === id) || (await shop.hasProduct(id, limit()))) continue;
    findings.push({ code: "PRODUCT_UNKNOWN",
      message: `The policy's product ${name} (${id}) is not one of this shop's.`,
      mend: command(`products --drop=${id} --out src/products.ts`) });
  }
  for (const { id, name } of sold) {
    if (!policy.has(id)) {
      findings.push({ code: "PRODUCT_NOT_IN_POLICY",
        message: `The shop sells ${name} (${id}), and the policy gives nothing for it.`,
        mend: command("products --out src/products.ts") });
    }
  }
  return findings;
}

/** Options and contents of bundles that the shop has and the policy lacks, where nobody bought them yet. */
export function contentsFindings(sold: readonly ShopProduct[], policy: Policy, found: readonly LedgerFinding[],
  mend: string): readonly Finding[] {
  return sold.flatMap((product) => {
    const known = policy.get(product.id);
    return known === undefined
      ? []
      : lacksOf(known, product, policy).flatMap(({ code, what }) =>
        found.some((each) => each.code === code && each.product === known.name && each.what === what)
          ? []
          : [{ code, mend, message: `${known.name}: ${what}.` }]
      );
  });
}

function lacksOf(known: Product, product: ShopProduct,
  policy: Policy): readonly Pick<LedgerFinding, "code" | "what">[] {
  return [
    ...unlistedOptions(known, product).map((option) => ({ code: "OPTION_UNLISTED",
      what: unlistedOption("variant" in known ? known.variant : "", option) })
    ),
    ...("contains" in known ? product.contains.filter((id) => policy.has(id) && !known.contains.includes(id)) : [])
      .map((id) => ({ code: "BUNDLE_CONTENT_UNLISTED", what: unlistedContent(policy.get(id)?.name ?? id) })),
  ];
}

/** Without a token there is nothing to read back. */
export function trustFindings(gumroad: StoredSecret, setup: string): readonly Finding[] {
  if (gumroad.state !== "empty") return [];
  return [{ code: "ON_TRUST", mend: setup,
    message: "Without a Gumroad token pings are taken at their word: lost ones are never found, and a gift that a " +
      "buyer made to themselves keeps its access for good, refunded or not." }];
}

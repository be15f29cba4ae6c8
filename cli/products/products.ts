import { writeFile } from "node:fs/promises";
import path from "node:path";

import { ConfigError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { policyFile, withoutEntries } from "./policy-file.ts";
import { shopOf } from "../shop/shop-of.ts";

/** The flags of `products`, as commander gives them. */
export interface ProductsFlags {
  readonly out?: string;
  readonly drop?: readonly string[];
  readonly dryRun?: true;
}

const LIMIT_MS = 60_000;

/** Writes the policy file for what the shop sells. */
export async function printProducts({ out, drop = [], ...flags }: ProductsFlags, context: Context): Promise<ExitCode> {
  const dryRun = flags.dryRun === true;
  const { output } = context;
  const policy = await context.policy();
  const unknown = drop.find((id) => !policy.has(id));
  if (unknown !== undefined) {
    throw new ConfigError("NO_SUCH_PRODUCT", `--drop ${unknown}: the policy has no product of this id`);
  }
  const products = await (await shopOf(context)).products(AbortSignal.timeout(LIMIT_MS));
  const kept = withoutEntries(policy, drop);
  const file = policyFile(products.filter(({ id }) => !drop.includes(id)), kept);
  if (out === undefined) output.say(file.trimEnd());
  else {
    const fresh = products.filter(({ id }) => !policy.has(id)).map(({ name }) => name);
    const what = `${path.relative(process.cwd(), path.resolve(out))}: ${
      fresh.length === 0 ? "no new products" : `new: ${fresh.join(", ")}`
    }${drop.length === 0 ? "" : `; dropped: ${drop.join(", ")}`}`;
    if (!dryRun) await writeFile(out, file);
    output.say(`${dryRun ? "would write" : "wrote"} ${what}`);
  }
  const sold = products.map((product) => ({ ...product, inPolicy: kept.has(product.id) }));
  output.result({ products: sold,
    notSold: [...kept.keys()].filter((id) => !products.some((product) => product.id === id)), file, out: out ?? null,
    dryRun });
  return EXIT.ok;
}

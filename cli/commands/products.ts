import { writeFile } from "node:fs/promises";
import path from "node:path";

import type { Command } from "commander";

import { ConfigError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { DRY_RUN, examples } from "../help.ts";
import { policyFile, withoutEntries } from "../policy-file.ts";
import { shopOf } from "../shop.ts";

interface Flags {
  readonly out?: string;
  readonly drop?: readonly string[];
  readonly dryRun?: true;
}

const LIMIT_MS = 60_000;

/** Adds `products`. */
export function register(program: Command, context: Context): void {
  program
    .command("products")
    .summary("prints the policy file from what the shop sells")
    .description(
      "Prints src/products.ts for what the shop sells, with ids, tiers and bundles, ready to be edited. Products " +
        "that the policy has already keep their entry; new ones get roles named after them. What isn't sold any " +
        "more stays, at the end: without an entry, its buyers lose the roles.",
    )
    .option("--out <file>", "write it there, such as src/products.ts; comments of your own in it are lost")
    .option("--drop <ids...>", "leave out the entries of these product ids: their buyers lose the roles")
    .option("--dry-run", DRY_RUN)
    .addHelpText("after",
      examples(["products", "prints the file"], ["products --stage prod --out src/products.ts",
        "writes it: then edit it, and deploy"]))
    .action(context.action((flags: Flags) => printProducts(flags, context)));
}

async function printProducts({ out, drop = [], ...flags }: Flags, context: Context): Promise<ExitCode> {
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

import { writeFile } from "node:fs/promises";
import path from "node:path";

import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { shopPolicy } from "../operations/products.ts";

/** The flags of `products`, as commander gives them. */
export interface ProductsFlags {
  readonly out?: string;
  readonly drop?: readonly string[];
  readonly dryRun?: true;
}

/** Writes the policy file for what the shop sells. */
export async function printProducts({ out, drop = [], ...flags }: ProductsFlags, context: Context): Promise<ExitCode> {
  const dryRun = flags.dryRun === true;
  const { output, env } = context;
  const { products, fresh, notSold, file } = await operate(context,
    (operating) => shopPolicy({ drop, token: env["GUMROAD_ACCESS_TOKEN"] ?? "" }, operating));
  if (out === undefined) output.say(file.trimEnd());
  else {
    const what = `${path.relative(process.cwd(), path.resolve(out))}: ${
      fresh.length === 0 ? "no new products" : `new: ${fresh.join(", ")}`
    }${drop.length === 0 ? "" : `; dropped: ${drop.join(", ")}`}`;
    if (!dryRun) await writeFile(out, file);
    output.say(`${dryRun ? "would write" : "wrote"} ${what}`);
  }
  output.result({ products, notSold, file, out: out ?? null, dryRun });
  return EXIT.ok;
}

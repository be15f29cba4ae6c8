import type { Command } from "commander";

import type { Context } from "../context.ts";
import { DRY_RUN, examples } from "./options.ts";
import type { ProductsFlags } from "../products/products.ts";

/** Defines `products`. */
export function register(command: Command, context: Context): void {
  command
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
    .action(
      context.action(async (flags: ProductsFlags) =>
        (await import("../products/products.ts")).printProducts(flags, context)
      ),
    );
}

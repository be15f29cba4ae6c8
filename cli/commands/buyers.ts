import type { Command } from "commander";

import type { BuyersFlags } from "../buyers/buyers.ts";
import type { Context } from "../context.ts";
import { examples } from "./options.ts";

/** Defines `buyers`. */
export function register(command: Command, context: Context): void {
  command
    .description(
      "Lists buyers by email: which roles they have by their purchases, what they bought, what they wait for, what " +
        "was taken from them last. The list behind every count of status, plan and doctor. Reads an index, so the " +
        "first page comes at once, however many buyers there are.",
    )
    .argument("[text]", "a part of the email")
    .option("--role <role>", "who has this role, or waits for it")
    .option("--product <product>", "who ever bought this product: its name in src/products.ts, or its id")
    .option("--waiting", "who waits for something, also who only has pings that Gumroad couldn't confirm yet")
    .option("--lost-since <time>", "from whom a role was taken since (2026-11-01, or 2026-11-01T18:00:00Z)")
    .option("--limit <count>", "so many on a page", "50")
    .option("--after <email>", "the page after this one")
    .option("--all", "all pages")
    .option("--csv", "as CSV")
    .addHelpText("after",
      examples(["buyers --waiting", "who waits, and for what"], ["buyers gmail.com --role club --stage prod",
        "who of Gmail is in the club"], ["buyers --lost-since 2026-11-01 --csv --all", "for a spreadsheet"]))
    .action(
      context.action(async (text: string | undefined, flags: BuyersFlags) =>
        (await import("../buyers/buyers.ts")).buyers(text, flags, context)
      ),
    );
}

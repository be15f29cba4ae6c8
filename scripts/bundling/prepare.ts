/** What comes before both packaging and deploying: nothing leaves with a broken policy or an outgrown bundle. */
import path from "node:path";

import { ConfigError } from "../../src/errors.ts";
import { projectRoot } from "../project-root.ts";
import { bundleFunctions } from "./bundle.ts";
import { readPolicy, withProducts } from "./policy.ts";
import { overBudget, sizeTable } from "./report.ts";
import { requireStart, type StartOptions } from "./starting.ts";

/**
 * Checks src/products.ts, bundles every function to `.build`, compares the sizes with the budgets, and has each start
 * with the settings that it would get.
 * @param print shows a text to the person at the terminal
 * @throws {ConfigError} POLICY_INVALID, BUNDLE_*, BUNDLE_OVER_BUDGET or SETTING_INVALID
 */
export async function prepare(print: (text: string) => void, options: StartOptions): Promise<void> {
  // Here, rather than in the first Lambda that starts.
  withProducts(await readPolicy());
  const bundles = await bundleFunctions();
  print(sizeTable(bundles));
  const over = overBudget(bundles);
  if (over.length > 0) {
    throw new ConfigError("BUNDLE_OVER_BUDGET",
      `Over budget: ${over.join(", ")}. Take something out, or raise scripts/bundling/budgets.ts and say why.`);
  }
  await requireStart(path.join(projectRoot, ".build"), options);
}

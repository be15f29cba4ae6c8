/** What comes before both packaging and deploying: nothing leaves with a broken policy or an outgrown bundle. */
import { ConfigError } from "../../src/errors.ts";
import { bundleFunctions } from "./bundle.ts";
import { overBudget, sizeTable } from "./report.ts";

/**
 * Checks src/products.ts, bundles every function to `.build`, and compares the sizes with the budgets.
 * @param print shows a text to the person at the terminal
 * @throws {ConfigError} POLICY_INVALID, BUNDLE_* or BUNDLE_OVER_BUDGET
 */
export async function prepare(print: (text: string) => void): Promise<void> {
  await checkPolicy();
  const bundles = await bundleFunctions();
  print(sizeTable(bundles));
  const over = overBudget(bundles);
  if (over.length > 0) {
    throw new ConfigError("BUNDLE_OVER_BUDGET",
      `Over budget: ${over.join(", ")}. Take something out, or raise scripts/bundling/budgets.ts and say why.`);
  }
}

/**
 * The policy is checked as it is loaded, so loading it is the check; here, rather than in the first Lambda that
 * starts.
 */
async function checkPolicy(): Promise<void> {
  try {
    await import("../../src/products.ts");
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError("POLICY_INVALID",
      `src/products.ts: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

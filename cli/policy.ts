import type { Policy } from "../src/access/policy.ts";
import { ConfigError } from "../src/errors.ts";

/**
 * The policy of src/products.ts. Read only when a command needs it: a mistake there must not keep `--help` from
 * working.
 * @throws {ConfigError} POLICY_INVALID
 */
export async function readPolicy(): Promise<Policy> {
  try {
    const { default: policy } = await import("../src/products.ts");
    return policy;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new ConfigError("POLICY_INVALID", `src/products.ts can't be read: ${line}`, { cause: error });
  }
}

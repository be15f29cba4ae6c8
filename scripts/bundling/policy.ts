/** Reads src/products.ts for whoever needs it: the mistakes that it can have are told where they are. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

import * as z from "zod";

import type { Policy } from "../../src/access/policy.ts";
import { ConfigError } from "../../src/errors.ts";
import { projectRoot } from "../project-root.ts";

/** 16 bytes in base64, as Gumroad writes them for addresses. */
const PRODUCT_ID = /^[\w-]{22}==$/;

const policyShape = z.custom<Policy>((value) => value instanceof Map);

/**
 * The policy of a file, which its own `defineProducts` checks as it is loaded; and that its ids can be products' ids.
 * Loaded only when it is needed: a mistake there must not keep `--help` from working.
 * @throws {ConfigError} POLICY_INVALID
 */
export async function readPolicy(file = path.join(projectRoot, "src/products.ts")): Promise<Policy> {
  const policy = await loaded(file);
  for (const { id, name } of policy.values()) {
    if (PRODUCT_ID.test(id)) continue;
    throw new ConfigError("POLICY_INVALID",
      `src/products.ts, ${name}: "${id}" is no product id, such as zGyG_1JQunZuizwqd9CP7g==. The last part of a ` +
        "product's address isn't one either, as it can be changed: npx gumroad-auth0 products prints the ids.");
  }
  return policy;
}

/**
 * The policy, if anybody can have access by it: what deploys or starts has to list a product.
 * @throws {ConfigError} POLICY_INVALID
 */
export function withProducts(policy: Policy): Policy {
  if (policy.size > 0) return policy;
  throw invalid(": it lists no product, so nobody would have access: npx gumroad-auth0 products prints yours.");
}

async function loaded(file: string): Promise<Policy> {
  const exported = await exportedBy(file).catch(async (error: unknown) => {
    if (error instanceof ConfigError) throw error;
    const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw invalid(` can't be read: ${(await syntaxFault(file)) ?? line}`, error);
  });
  const { data } = policyShape.safeParse(exported);
  if (data === undefined) {
    throw invalid(': it has to say "export default defineProducts([ … ])", with your products in the list.');
  }
  return data;
}

async function exportedBy(file: string): Promise<unknown> {
  return z.object({ default: z.optional(z.unknown()) }).parse(await import(pathToFileURL(file).href)).default;
}

function invalid(what: string, cause?: unknown): ConfigError {
  return new ConfigError("POLICY_INVALID", `src/products.ts${what}`, { cause });
}

const faultShape = z.object({ errors: z.tuple([
  z.object({ text: z.string(), location: z.object({ line: z.number(), column: z.number(), lineText: z.string() }) }),
], z.unknown()) });

/** What doesn't parse, and in which line: Node doesn't say. Null: it parses. */
async function syntaxFault(file: string): Promise<string | null> {
  const { transform } = await import("esbuild");
  try {
    await transform(readFileSync(file, "utf8"), { loader: "ts", logLevel: "silent" });
    return null;
  } catch (error) {
    const { data } = faultShape.safeParse(error);
    if (data === undefined) return null;
    const [{ text, location: { line, column, lineText } }] = data.errors;
    const place = lineText.slice(0, column).trim() === "" ? "in the line before" : "before that";
    return `line ${String(line)}, column ${
      String(column + 1)
    }: ${text}, in ${lineText.trim()} (a comma may be missing ${place})`;
  }
}

import * as z from "zod/mini";

import { asRead, contentsOf, namesUnder, rolesIn, type Policy, type Product } from "../access/policy.ts";
import { ConfigError } from "../errors.ts";

const text = z.string("takes a text").check(z.minLength(1, "must not be empty"));
const role = z.string("takes the name of a role").check(z.maxLength(50, "has over 50 characters"),
  z.regex(/^\S(.*\S)?$/, "must be a role name, without blanks around it"));
const roles = z.array(role, 'takes a list of role names, as ["club"]');
const someRoles = roles.check(z.minLength(1, "needs at least one role"));
const consequence = z.optional(z.enum(["keep", "remove"], 'takes "keep" or "remove"'));
const graceDays = z.number("takes a number of days").check(z.nonnegative("takes 0 to 365 days"),
  z.maximum(365, "takes 0 to 365 days"));
const onEnd = z.union([z.literal("keep"), z.strictObject({ graceDays })],
  'takes "keep" or { graceDays: 3 }; left out, access ends at once');
const base = { id: text, name: text, onRefund: consequence, onPartialRefund: consequence, onDispute: consequence,
  onEnd: z.optional(onEnd), plan: z.optional(z.literal("instalments", 'takes "instalments"')) };
const plain = z.strictObject({ ...base, roles: someRoles });
const option = z.union([roles, z.strictObject({ roles, also: z.array(text, "takes a list of names") })],
  'takes a list of role names, or { roles: ["club"], also: ["its former name"] }');
const byVariant = z.strictObject({ ...base, variant: text,
  roles: z.record(z.string(), option, 'takes the roles of each option, as { Basic: ["club"] }').check(
    z.refine((options) => Object.values(options).some((each) => rolesIn(each).length > 0), "needs at least one role"),
    z.refine((options) => {
      const names = Object.entries(options).flatMap(([key, each]) => namesUnder(key, each)).map(asRead);
      return new Set(names).size === names.length;
    }, "lists two options that read the same"),
  ), otherwise: z.optional(roles) });
const contents = z.array(text, "takes a list of product ids").check(z.minLength(1, "needs at least one product id"));
const bundle = z.strictObject({ ...base, contains: contents, roles: z.optional(someRoles) });

/**
 * Checks the seller's policy and makes it ready to use. Its type catches most mistakes as you write; this catches the
 * rest when the service starts.
 * @throws {ConfigError} POLICY_INVALID, naming the entry and what is wrong with it
 */
export function defineProducts(products: readonly Product[]): Policy {
  // Nobody has to type-check the file before it is packaged.
  if (!Array.isArray(products)) throw new ConfigError("POLICY_INVALID", "src/products.ts: its products are no list.");
  const policy = new Map<string, Product>();
  products.forEach((product, index) => {
    const problem = problemOf(product) ??
      (policy.has(product.id) ? `the id ${product.id} is used by an entry above` : null);
    if (problem !== null) throw invalid(index, product, problem);
    policy.set(product.id, product);
  });
  products.forEach((product, index) => {
    const unknown = contentsOf(product).find((id) => !policy.has(id));
    if (unknown !== undefined) throw invalid(index, product, `"contains" names ${unknown}, which no entry has`);
  });
  return policy;
}

function invalid(index: number, product: unknown, problem: string): ConfigError {
  return new ConfigError("POLICY_INVALID",
    `src/products.ts, entry ${String(index + 1)} (${labelOf(product)}): ${problem}.`);
}

function problemOf(product: unknown): string | null {
  const { error } = shapeOf(product).safeParse(product);
  const problems = error?.issues.map((issue) => {
    if (issue.code === "unrecognized_keys") return `unknown option ${issue.keys.map((key) => `"${key}"`).join(", ")}`;
    return issue.path.length === 0 ? issue.message : `"${issue.path.join(".")}" ${issue.message}`;
  });
  return problems?.join("; ") ?? null;
}

/** The shape an entry means to have: one message about that beats three about all. */
function shapeOf(product: unknown): typeof plain | typeof byVariant | typeof bundle {
  if (typeof product !== "object" || product === null) return plain;
  if ("contains" in product) return bundle;
  return "variant" in product ? byVariant : plain;
}

function labelOf(product: unknown): string {
  return z.object({ name: z.string() }).safeParse(product).data?.name ?? "without a name";
}

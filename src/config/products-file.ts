import * as z from "zod/mini";

import { asRead, contentsOf, namesUnder, rolesIn, type Policy, type Product } from "../access/policy.ts";
import { ConfigError } from "../errors.ts";

const role = z.string().check(z.maxLength(50),
  z.regex(/^\S(.*\S)?$/, "must be a role name, without blanks around it"));
const consequence = z.enum(["keep", "remove"]);
const base = { id: z.string().check(z.minLength(1)), name: z.string().check(z.minLength(1)),
  onRefund: z.optional(consequence), onPartialRefund: z.optional(consequence), onDispute: z.optional(consequence),
  onEnd: z.optional(
    z.union([z.literal("keep"), z.strictObject({ graceDays: z.number().check(z.nonnegative(), z.maximum(365)) })]),
  ), plan: z.optional(z.literal("instalments")) };
const someRoles = z.array(role).check(z.minLength(1, "needs at least one role"));
const plain = z.strictObject({ ...base, roles: someRoles });
const renamed = z.strictObject({ roles: z.array(role), also: z.array(z.string().check(z.minLength(1))) });
const byVariant = z.strictObject({ ...base, variant: z.string().check(z.minLength(1)),
  roles: z.record(z.string(), z.union([z.array(role), renamed])).check(
    z.refine((roles) => Object.values(roles).some((option) => rolesIn(option).length > 0), "needs at least one role"),
    z.refine((roles) => {
      const names = Object.entries(roles).flatMap(([key, option]) => namesUnder(key, option)).map(asRead);
      return new Set(names).size === names.length;
    }, "lists two options that read the same"),
  ), otherwise: z.optional(z.array(role)) });
const bundle = z.strictObject({ ...base,
  contains: z.array(z.string().check(z.minLength(1))).check(z.minLength(1, "needs at least one product id")),
  roles: z.optional(someRoles) });

/**
 * Checks the seller's policy and makes it ready to use. Its type catches most mistakes as you write; this catches the
 * rest when the service starts.
 * @throws {ConfigError} POLICY_INVALID, naming the entry and what is wrong with it
 */
export function defineProducts(products: readonly Product[]): Policy {
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
  const shape = shapeOf(product);
  const parsed = shape.safeParse(product);
  if (parsed.success) return null;
  return parsed.error.issues
    .map((issue) => {
      if (issue.code === "unrecognized_keys") {
        return `unknown option ${issue.keys.map((key) => `"${key}"`).join(", ")}`;
      }
      const path = issue.path.join(".");
      return path === "" ? issue.message : `"${path}" ${issue.message}`;
    })
    .join("; ");
}

/** The shape an entry means to have: one message about that beats three about all. */
function shapeOf(product: unknown): typeof plain | typeof byVariant | typeof bundle {
  if (typeof product !== "object" || product === null) return plain;
  if ("contains" in product) return bundle;
  return "variant" in product ? byVariant : plain;
}

function labelOf(product: unknown): string {
  if (typeof product !== "object" || product === null) return "not an object";
  if ("name" in product && typeof product.name === "string") return product.name;
  return "id" in product && typeof product.id === "string" ? product.id : "without a name";
}

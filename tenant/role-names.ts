import { rolesIn, type Policy } from "../src/access/policy.ts";

/** Every role name the policy can give, sorted. */
export function roleNames(policy: Policy): readonly string[] {
  const names = [...policy.values()].flatMap((product) =>
    "variant" in product
      ? [...Object.values(product.roles).flatMap(rolesIn), ...(product.otherwise ?? [])]
      : (product.roles ?? [])
  );
  return [...new Set(names)].sort();
}

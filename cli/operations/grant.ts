import { roleNames } from "../../tenant/role-names.ts";
import { tenantAdmin } from "../admin/tenant-admin.ts";
import { ConfigError } from "../../src/errors.ts";
import { serviceCredentials } from "../stage/directory.ts";
import { type ActPlan, ownChange, planned } from "./carry-out.ts";
import { CALL_MS, type Operating } from "./operating.ts";

/** A role for nothing. */
export interface GrantRequest {
  readonly buyer: string;
  readonly role: string;
  /** Epoch ms; null: for good. */
  readonly until: number | null;
}

/**
 * Plans to give somebody a role without a purchase.
 * @throws {ConfigError} ROLE_UNKNOWN
 */
export async function plannedGrant({ buyer, role, until }: GrantRequest, operating: Operating): Promise<ActPlan> {
  const { missing, there } = await unknownRoles([role], operating);
  if (missing.length > 0) {
    throw new ConfigError("ROLE_UNKNOWN",
      `there is no role "${role}", in src/products.ts or at Auth0; there are: ${there.join(", ")}`);
  }
  const record = await operating.ledger.load(buyer);
  const act = planned(record, `grant:${role}`, { kind: "give", until }, operating.now());
  return { acts: [act], changes: [await ownChange(record, act, operating)] };
}

/** Of these roles those that are neither in the policy nor at Auth0, and all that are; Auth0 is asked if need be. */
export async function unknownRoles(roles: readonly string[],
  operating: Operating): Promise<{ readonly missing: readonly string[]; readonly there: readonly string[] }> {
  const inPolicy = roleNames(await operating.policy());
  const others = roles.filter((role) => !inPolicy.includes(role));
  if (others.length === 0) return { missing: [], there: inPolicy };
  const credentials = await serviceCredentials(operating);
  const atAuth0 = await tenantAdmin(credentials).roleNames(AbortSignal.timeout(CALL_MS));
  return { missing: others.filter((role) => !atAuth0.includes(role)),
    there: [...new Set([...inPolicy, ...atAuth0])].sort() };
}

import { type Policy, roleNames } from "../../src/access/policy.ts";
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
  await knownRoles([role], await operating.policy(), operating);
  const record = await operating.ledger.load(buyer);
  const act = planned(record, `grant:${role}`, { kind: "give", until }, operating.now());
  return { acts: [act], changes: [await ownChange(record, act, operating)] };
}

/**
 * Checks that roles can be given: Auth0 is asked only where the policy lacks one.
 * @throws {ConfigError} ROLE_UNKNOWN, naming those that there are
 */
export async function knownRoles(roles: readonly string[], policy: Policy, operating: Operating): Promise<void> {
  const inPolicy = roleNames(policy);
  const others = roles.filter((role) => !inPolicy.includes(role));
  if (others.length === 0) return;
  const credentials = await serviceCredentials({ stage: async () => operating.stage,
    commandLine: operating.commandLine });
  const there = await tenantAdmin(credentials).roleNames(AbortSignal.timeout(CALL_MS));
  const unknown = others.find((role) => !there.includes(role));
  if (unknown === undefined) return;
  throw new ConfigError("ROLE_UNKNOWN",
    `there is no role "${unknown}", in src/products.ts or at Auth0; there are: ${
      [...new Set([...inPolicy, ...there])].sort().join(", ")
    }`);
}

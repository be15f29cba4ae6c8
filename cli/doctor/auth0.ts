import type { Policy } from "../../src/access/policy.ts";
import { roleNames } from "../../tenant/role-names.ts";
import type { Auth0Credentials } from "../../src/auth0/secret.ts";
import type { TenantAdmin } from "../admin/tenant-admin.ts";
import { NEEDS_ADMIN } from "../stage/needs-admin.ts";
import type { Stage } from "../stage/stage.ts";

import { type Finding, limit, NotChecked, refusalAs } from "./finding.ts";

/** The service's own application, and its scopes. */
export type OwnAccess = { readonly client: TenantAdmin; readonly scopes: readonly string[] };

/** Whether Auth0 takes the service's application. */
export async function credentialFindings(own: () => Promise<OwnAccess>, setup: string): Promise<readonly Finding[]> {
  return refusalAs(own, { AUTH0_CREDENTIALS: "AUTH0_CREDENTIALS" }, setup);
}

/** Scopes that the service lacks, or doesn't need. */
export function scopeFindings(granted: readonly string[], needed: readonly string[],
  setup: string): readonly Finding[] {
  const few = needed.filter((scope) => !granted.includes(scope));
  const many = granted.filter((scope) => !needed.includes(scope));
  return [
    ...few.map((scope): Finding => ({ code: "AUTH0_SCOPE_MISSING",
      message: `The service's Auth0 application lacks the scope ${scope}, so some of its calls are refused.`,
      mend: setup })
    ),
    ...many.map((scope): Finding => ({ code: "AUTH0_SCOPE_EXCESS",
      message:
        `The service's Auth0 application has the scope ${scope}, which it never uses: whoever steals its secret ` +
        "could.", mend: setup })
    ),
  ];
}

/** The roles that the tenant has. */
export async function rolesThere(own: OwnAccess, admin: TenantAdmin | null): Promise<readonly string[]> {
  const client = own.scopes.includes("read:roles") ? own.client : admin;
  if (client === null) throw new NotChecked("the scope read:roles is missing");
  return client.roleNames(limit());
}

/** Roles of the policy that the tenant lacks. */
export function roleFindings(there: readonly string[], policy: Policy, setup: string): readonly Finding[] {
  const missing = roleNames(policy).filter((name) => !there.includes(name));
  return missing.map((name) => ({ code: "AUTH0_ROLE_MISSING",
    message: `The policy gives the role ${name}, which the Auth0 tenant doesn't have.`, mend: setup })
  );
}

/** The connection in which the stage creates users. */
export function connectionOf({ gettingIn }: Stage,
  { connection, passwordlessConnection, clientId }: Auth0Credentials) {
  return { name: gettingIn === "passwordless" ? passwordlessConnection : connection, clientId };
}

/** Whether new buyers can be created. */
export async function connectionFindings({ name, clientId }: { readonly name: string; readonly clientId: string },
  admin: TenantAdmin | null, setup: string): Promise<readonly Finding[]> {
  if (admin === null) throw new NotChecked(`the service's own application may not see connections: ${NEEDS_ADMIN}`);
  const connection = await admin.connection(name, clientId, limit());
  if (connection === null) {
    return [{ code: "AUTH0_CONNECTION_MISSING",
      message: `The Auth0 tenant has no connection ${name}, in which new buyers are created.`,
      mend: `${setup} --auth0-connection NAME` }];
  }
  if (connection.enabled) return [];
  return [{ code: "AUTH0_CONNECTION_DISABLED",
    message: `The connection ${name} is not enabled for the service's application, so no new buyer can be created.`,
    mend: setup }];
}

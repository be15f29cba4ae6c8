import { scopesFor } from "../../tenant/scopes.ts";
import type { Auth0Credentials } from "../../src/auth0/secret.ts";
import type { TenantAdmin } from "../admin/tenant-admin.ts";
import { NeedsPersonError } from "../../src/errors.ts";
import { NEEDS_ADMIN } from "../stage/needs-admin.ts";
import { operatorAdmin } from "../stage/operator.ts";

import { type Work, LIMIT_MS } from "./work.ts";

/** Scopes, roles and the connection, as far as the rights at hand reach. */
export async function setUpTenant(work: Work, service: Auth0Credentials, own: TenantAdmin,
  roles: readonly string[]): Promise<void> {
  const admin = operatorAdmin(work.operator, work.stage, service);
  await setScopes(work, service, own, admin);
  // Kept in app_metadata, roles are names and nothing else.
  if (work.stage.access === "roles") await createRoles(work, admin ?? own, roles);
  await enableConnection(work, service, admin);
}

async function setScopes({ stage, steps }: Work, service: Auth0Credentials, own: TenantAdmin,
  admin: TenantAdmin | null): Promise<void> {
  const step = "Auth0 scopes";
  const granted = await own.scopes(AbortSignal.timeout(LIMIT_MS));
  const needed = scopesFor(stage.access);
  const few = needed.filter((scope) => !granted.includes(scope));
  const many = granted.filter((scope) => !needed.includes(scope));
  if (few.length + many.length === 0) {
    steps.kept(step, "exactly those that are needed");
    return;
  }
  const change = [...(few.length === 0 ? [] : [`grant ${few.join(" ")}`]),
    ...(many.length === 0 ? [] : [`take ${many.join(" ")}`])].join("; ");
  const grant = (await admin?.grant(service.clientId, service.audience, AbortSignal.timeout(LIMIT_MS))) ?? null;
  if (admin === null || grant === null) {
    steps.byHand(step,
      `Auth0 → Applications → ${service.clientId} → APIs → Auth0 Management API: ${change}; or ${NEEDS_ADMIN}`);
    return;
  }
  await steps.change(step, change, () => admin.setScopes(grant.id, needed, AbortSignal.timeout(LIMIT_MS)));
}

async function createRoles({ steps }: Work, tenant: TenantAdmin, roles: readonly string[]): Promise<void> {
  let missing = roles;
  try {
    const there = await tenant.roleNames(AbortSignal.timeout(LIMIT_MS));
    missing = roles.filter((name) => !there.includes(name));
    if (missing.length < roles.length) {
      steps.kept("Auth0 roles", roles.filter((name) => there.includes(name)).join(", "));
    }
    for (const name of missing) {
      await steps.change(`Auth0 role ${name}`, "created", () =>
        tenant.createRole(name, AbortSignal.timeout(LIMIT_MS)));
      missing = missing.filter((other) => other !== name);
    }
  } catch (error) {
    if (!(error instanceof NeedsPersonError) || error.code !== "AUTH0_SCOPE") throw error;
    steps.byHand("Auth0 roles", `Auth0 → User Management → Roles: create ${missing.join(", ")}; or ${NEEDS_ADMIN}`);
  }
}

async function enableConnection({ stage, steps }: Work, service: Auth0Credentials,
  admin: TenantAdmin | null): Promise<void> {
  const name = stage.gettingIn === "passwordless" ? service.passwordlessConnection : service.connection;
  const step = `Auth0 connection ${name}`;
  if (admin === null) {
    steps.kept(step, `not looked at: ${NEEDS_ADMIN}`);
    return;
  }
  const connection = await admin.connection(name, service.clientId, AbortSignal.timeout(LIMIT_MS));
  if (connection === null) {
    steps.byHand(step, "there is none of this name: create the database, or name another with --auth0-connection");
  } else if (connection.enabled) steps.kept(step, "enabled for the service's application");
  else {await steps.change(step, "enabled for the service's application", () =>
      admin.enableConnection(connection.id, service.clientId, AbortSignal.timeout(LIMIT_MS)));}
}

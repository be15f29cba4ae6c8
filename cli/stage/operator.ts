import type { Auth0Credentials } from "../../src/auth0/secret.ts";
import { tenantAdmin, type TenantAdmin } from "../admin/tenant-admin.ts";
import { ADMIN_CLIENT } from "auth0-emulator/options";
import { ConfigError } from "../../src/errors.ts";
import type { Stage } from "./stage.ts";

/** An Auth0 application of the operator's own, as somebody named it; empty: none. */
export interface OperatorApplication {
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * The operator's application on the service's tenant, or null if none is named. The emulated tenant has one.
 * @throws {ConfigError} BAD_SETTING if one half is missing
 */
export function operatorAdmin({ clientId, clientSecret }: OperatorApplication, stage: Stage,
  service: Auth0Credentials): TenantAdmin | null {
  if ((clientId === "") !== (clientSecret === "")) {
    throw new ConfigError("BAD_SETTING",
      "the operator's application needs both its id and its secret: AUTH0_ADMIN_CLIENT_ID and " +
        "AUTH0_ADMIN_CLIENT_SECRET");
  }
  if (clientId !== "") return tenantAdmin({ ...service, clientId, clientSecret });
  if ((stage.emulators?.auth0 ?? null) === null) return null;
  return tenantAdmin({ ...service, clientId: ADMIN_CLIENT.id, clientSecret: ADMIN_CLIENT.secret });
}

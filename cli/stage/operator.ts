import type { OperatorFlags } from "../commands/options.ts";
import { userInfo } from "node:os";

import type { Auth0Credentials } from "../../src/auth0/secret.ts";
import { ADMIN_SCOPES } from "../../tenant/scopes.ts";
import { tenantAdmin, type TenantAdmin } from "../admin/tenant-admin.ts";
import { ADMIN_CLIENT } from "auth0-emulator/options";
import { ConfigError } from "../../src/errors.ts";
import type { Stage } from "./stage.ts";

/** What to say where such an application is needed. */
export const NEEDS_ADMIN =
  `set AUTH0_ADMIN_CLIENT_ID and AUTH0_ADMIN_CLIENT_SECRET to a machine-to-machine application with the scopes ${
    ADMIN_SCOPES.join(" ")
  }`;

/**
 * The operator's application on the service's tenant, or null if none is named. The emulated tenant has one.
 * @throws {ConfigError} BAD_SETTING if one half is missing
 */
export function operatorAdmin(flags: OperatorFlags, stage: Stage, env: NodeJS.ProcessEnv, service: Auth0Credentials):
  | TenantAdmin
  | null {
  const clientId = flags.adminClientId ?? env["AUTH0_ADMIN_CLIENT_ID"] ?? "";
  const clientSecret = flags.adminClientSecret ?? env["AUTH0_ADMIN_CLIENT_SECRET"] ?? "";
  if ((clientId === "") !== (clientSecret === "")) {
    throw new ConfigError("BAD_SETTING",
      "the operator's application needs both its id and its secret: AUTH0_ADMIN_CLIENT_ID and " +
        "AUTH0_ADMIN_CLIENT_SECRET");
  }
  if (clientId !== "") return tenantAdmin({ ...service, clientId, clientSecret });
  if ((stage.emulators?.auth0 ?? null) === null) return null;
  return tenantAdmin({ ...service, clientId: ADMIN_CLIENT.id, clientSecret: ADMIN_CLIENT.secret });
}

/** Who is at the keyboard, for what is recorded of an act: `--by`, or the name that the system knows them by. */
export function operatorName(by: string | undefined): string {
  return by ?? userInfo().username;
}

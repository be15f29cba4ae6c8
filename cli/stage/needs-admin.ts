import { ADMIN_SCOPES } from "../../tenant/scopes.ts";

/** What to say where an application of the operator's own is needed. */
export const NEEDS_ADMIN =
  `set AUTH0_ADMIN_CLIENT_ID and AUTH0_ADMIN_CLIENT_SECRET to a machine-to-machine application with the scopes ${
    ADMIN_SCOPES.join(" ")
  }`;

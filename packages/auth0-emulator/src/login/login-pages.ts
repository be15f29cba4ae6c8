import type { PageRequest } from "emulator-server/request-handler";
import type { Tenant } from "../tenant.ts";
import type { LoginSettings } from "./application.ts";
import type { LoginRoutesParts } from "./routes.ts";

/** The side of a tenant a browser sees. The provider is loaded, and its key made, when somebody asks for a page. */
export function loginPages({ settings, tenant, url, now }: {
  readonly settings: LoginSettings;
  readonly tenant: () => Tenant;
  /** Where the tenant is; known once it listens. */
  readonly url: () => string;
  readonly now: () => number;
}): (page: PageRequest) => Promise<boolean> {
  let started: Promise<(page: PageRequest) => Promise<boolean>> | undefined;
  const start = async () => {
    const [{ startIssuer }, { answerPage }] = await Promise.all([import("./issuer.ts"), import("./routes.ts")]);
    const parts: LoginRoutesParts = { issuer: await startIssuer({ url: url(), settings, tenant, now }), settings,
      tenant };
    return async (page: PageRequest) => answerPage(page, parts);
  };
  return async (page) => {
    if (page.raw.path.startsWith("/api/v2/") || page.raw.path === "/_emulator/calls") return false;
    started ??= start();
    return (await started)(page);
  };
}

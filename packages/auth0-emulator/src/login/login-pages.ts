import { parse } from "node:querystring";

import type { RawRequest } from "emulator-server/json-server";
import type { PageRequest } from "emulator-server/request-handler";
import type { Tenant } from "../tenant.ts";
import type { LoginSettings } from "./application.ts";
import { fieldsOf } from "./json-body.ts";
import type { LoginRoutesParts } from "./routes.ts";

/** The side of a tenant a browser sees. The provider is loaded, and its key made, when somebody asks for a page. */
export function loginPages({ settings, tenant, url, now }: {
  /** A function is asked at the first page. */
  readonly settings: LoginSettings | (() => Promise<LoginSettings>);
  readonly tenant: () => Tenant;
  /** Where the tenant is; known once it listens. */
  readonly url: () => string;
  readonly now: () => number;
}): (page: PageRequest) => Promise<boolean> {
  let started: Promise<(page: PageRequest) => Promise<boolean>> | undefined;
  const start = async () => {
    const [{ startIssuer }, { answerPage }] = await Promise.all([import("./issuer.ts"), import("./routes.ts")]);
    const known = typeof settings === "function" ? await settings() : settings;
    const issuer = await startIssuer({ url: url(), settings: known, tenant, now });
    const parts: LoginRoutesParts = { issuer, settings: known, tenant, ends: new Map() };
    return async (page: PageRequest) => answerPage(page, parts);
  };
  return async (page) => {
    if (!isPage(page.raw)) return false;
    started ??= start();
    return (await started)(page);
  };
}

/** What a browser asks a tenant for. */
const PAGES = new RegExp(
  String.raw`^/(authorize|userinfo$|oauth/revoke$|oidc/|v2/logout$|lo/reset$|u/|\.well-known/|_emulator/inbox$)`,
  "u",
);

/**
 * Besides the pages, a login's token requests; all others are an application's own business with the Management API.
 */
function isPage({ method, path, contentType, body }: RawRequest): boolean {
  if (path !== "/oauth/token") return PAGES.test(path);
  if (method !== "POST") return true;
  const grant = (contentType === "application/json" ? fieldsOf(body) : parse(body))["grant_type"];
  return grant === "authorization_code" || grant === "refresh_token";
}

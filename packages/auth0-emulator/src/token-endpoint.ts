import * as z from "zod";

import type { Answer } from "emulator-server/refused-call";
import type { Applications } from "./applications.ts";
import { TOKEN_SECONDS } from "./tokens.ts";
import type { Tokens } from "./tokens.ts";

const TokenRequest = z.object({ grant_type: z.string().optional(), client_id: z.string().optional(),
  client_secret: z.string().optional(), audience: z.string().optional(), scope: z.string().optional() });

/**
 * Answers `POST /oauth/token` for client credentials. Errors have OAuth's shape, not the Management API's.
 */
export function answerTokenRequest(body: unknown, applications: Applications, tokens: Tokens): Answer {
  const parsed = TokenRequest.safeParse(body);
  if (!parsed.success) return refused(400, "invalid_request", "The request body could not be read.");
  const request = parsed.data;
  if (request.grant_type === undefined) {
    return refused(400, "invalid_request", "Missing required parameter: grant_type");
  }
  if (request.grant_type !== "client_credentials") {
    return refused(403, "unsupported_grant_type", `Unsupported grant type: ${request.grant_type}`);
  }
  const client = applications.withCredentials(request.client_id, request.client_secret);
  if (client === undefined) return refused(401, "access_denied", "Unauthorized");
  if (request.audience === undefined) {
    return refused(403, "access_denied",
      "No audience parameter was provided, and no default audience has been configured");
  }
  if (!isManagementAudience(request.audience)) {
    return refused(403, "access_denied", `Service not found: ${request.audience}`);
  }

  const asked = request.scope?.split(" ").filter((scope) => scope !== "") ?? client.scopes;
  const missing = asked.filter((scope) => !client.scopes.includes(scope));
  if (missing.length > 0) {
    return refused(403, "access_denied", `Client has not been granted scopes: ${missing.join(", ")}`);
  }

  const { accessToken, scopes } = tokens.issue(asked);
  return { status: 200, headers: { "cache-control": "no-store" },
    body: { access_token: accessToken, scope: scopes.join(" "), expires_in: TOKEN_SECONDS, token_type: "Bearer" } };
}

/** Any loopback address that ends in `/api/v2/`: a proxy with its own port and path may stand before the emulator. */
function isManagementAudience(audience: string): boolean {
  if (!URL.canParse(audience)) return false;
  const { protocol, hostname, pathname, search, hash } = new URL(audience);
  const loopback = hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/u.test(hostname);
  return /^https?:$/u.test(protocol) && loopback && pathname.endsWith("/api/v2/") && search === "" && hash === "";
}

function refused(status: number, error: string, description: string): Answer {
  return { status, body: { error, error_description: description } };
}

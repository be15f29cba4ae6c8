import type { RawRequest } from "emulator-server/json-server";
import { RefusedCall } from "emulator-server/refused-call";
import type { Answer } from "emulator-server/refused-call";
import type { EmulatedApi, PendingCall } from "emulator-server/request-handler";
import type { AccessToken, AccessTokens } from "./access-tokens.ts";
import { failure } from "./answer.ts";
import type { GumroadCall } from "./calls.ts";
import { answerControl } from "./control.ts";
import type { Controls } from "./control.ts";
import { parametersOf } from "./parameters.ts";
import { findRoute } from "./routes.ts";
import type { Route } from "./routes.ts";

/** What answers the requests. */
export interface SellerApiParts {
  readonly routes: readonly Route[];
  readonly controls: Controls;
  readonly tokens: () => AccessTokens;
}

const ROOT = "/v2";

/** All that the emulator answers: Gumroad's API below `/v2`, and the emulator's own calls. */
export function sellerApi(parts: SellerApiParts): EmulatedApi<GumroadCall> {
  return { control: (request) => answerControl(request, parts.controls),
    recognise: (request) => recognise(request, parts),
    injected: (answer) => ("body" in answer ? answer : { ...answer, body: failure("Injected by a test").body }),
    failed: (message) => ({ ...failure(message), status: 500 }) };
}

function recognise(raw: RawRequest, { routes, controls, tokens }: SellerApiParts): PendingCall<GumroadCall> {
  const { method, path } = raw;
  if (!path.startsWith(`${ROOT}/`)) throw noSuchPath();
  const url = path.slice(ROOT.length);
  const found = findRoute(routes, method, url);
  const parameters = parametersOf(raw);
  const token = tokenOf(raw, parameters);
  parameters.delete("access_token");
  const run = (): Answer => {
    if (found === undefined) throw noSuchPath();
    const { route, id } = found;
    return route.answer({ id, path, parameters, token: admitted(tokens().find(token), route.scope) });
  };
  return {
    call: { method, path: found?.route.path ?? url, url, parameters: Object.fromEntries(parameters),
      at: controls.now() },
    run,
  };
}

function noSuchPath(): RefusedCall {
  return new RefusedCall({ status: 404, body: { status: 404, error: "Not Found" } });
}

/** Throws 401 for a token that isn't live, 403 for one without the scope. */
function admitted(token: AccessToken | undefined, scope: Route["scope"]): AccessToken | undefined {
  if (scope === "open") return undefined;
  if (token === undefined) {
    throw new RefusedCall({ status: 401, body: { success: false, message: "The access token is invalid" },
      headers: { "www-authenticate": 'Bearer realm="Doorkeeper", error="invalid_token"' } });
  }
  if (scope !== "any" && !token.scopes.includes(scope)) {
    throw new RefusedCall({ status: 403,
      body: { success: false, message: `Access to this resource requires scope "${scope}".` } });
  }
  return token;
}

/** From the header, or from the parameter `access_token`. */
function tokenOf({ headers }: RawRequest, parameters: ReadonlyMap<string, string>): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers["authorization"] ?? "")?.[1] ?? parameters.get("access_token");
}

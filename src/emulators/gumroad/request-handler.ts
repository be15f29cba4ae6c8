import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

import type { AccessToken, AccessTokens } from "./access-tokens.ts";
import { Refusal } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { CallLog, CallSummary } from "./call-log.ts";
import type { Faults } from "./faults.ts";
import { parametersOf, readRequest, send } from "./http.ts";
import type { RawRequest } from "./http.ts";
import { findRoute } from "./routes.ts";
import type { Route } from "./routes.ts";

/** Milliseconds that a call takes before it is done. */
export type Latency = number | ((call: CallSummary) => number);

/** What a request can meet on its way. */
export interface RequestHandlerParts {
  readonly routes: readonly Route[];
  /** Answers the calls below `/_emulator/`. */
  readonly control: (request: RawRequest) => Promise<Answer>;
  readonly tokens: () => AccessTokens;
  readonly faults: Faults;
  readonly log: CallLog;
  readonly latency: () => Latency;
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<void>;
}

const ROOT = "/v2";

/** The way of every request: recognise it, log it, latency, fault, token, answer. */
export function requestHandler(parts: RequestHandlerParts): RequestListener {
  return (request, response) => {
    handle(parts, request, response).catch((error: unknown) => {
      if (response.destroyed || response.headersSent) return;
      send(response, answerOf(error));
    });
  };
}

async function handle(parts: RequestHandlerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const raw = await readRequest(request);
  if (raw.path.startsWith("/_emulator/")) {
    send(response, await parts.control(raw));
    return;
  }
  if (!raw.path.startsWith(`${ROOT}/`)) throw new Refusal({ status: 404, body: { status: 404, error: "Not Found" } });
  const url = raw.path.slice(ROOT.length);
  const found = findRoute(parts.routes, raw.method, url);
  const parameters = parametersOf(raw);
  const token = tokenOf(raw, parameters);
  parameters.delete("access_token");
  const call = { method: raw.method, path: found?.route.path ?? url, url, parameters: Object.fromEntries(parameters), at: parts.now() };
  const end = parts.log.begin(call);
  const latency = parts.latency();
  const milliseconds = typeof latency === "number" ? latency : latency(call);
  if (milliseconds > 0) await parts.wait(milliseconds);
  const fault = parts.faults.take(call);
  const outcome = fault ?? answered(() => answer(parts, found, { raw, parameters, token }));
  end(typeof outcome === "string" ? outcome : outcome.status);
  if (outcome === "reset") response.socket?.resetAndDestroy();
  else if (outcome !== "hang") send(response, "body" in outcome || fault === undefined ? outcome : { ...outcome, body: { success: false, message: "Injected by a test" } });
}

function answer(parts: RequestHandlerParts, found: ReturnType<typeof findRoute>, request: { raw: RawRequest; parameters: Map<string, string>; token: string | undefined }): Answer {
  if (found === undefined) throw new Refusal({ status: 404, body: { status: 404, error: "Not Found" } });
  const { route, id } = found;
  return route.answer({ id, path: request.raw.path, parameters: request.parameters, token: admitted(parts.tokens().find(request.token), route.scope) });
}

/** Throws 401 for a token that isn't live, 403 for one without the scope. */
function admitted(token: AccessToken | undefined, scope: Route["scope"]): AccessToken | undefined {
  if (scope === "open") return undefined;
  if (token === undefined) throw new Refusal({ status: 401, body: { success: false, message: "The access token is invalid" }, headers: { "www-authenticate": 'Bearer realm="Doorkeeper", error="invalid_token"' } });
  if (scope !== "any" && !token.scopes.includes(scope)) throw new Refusal({ status: 403, body: { success: false, message: `Access to this resource requires scope "${scope}".` } });
  return token;
}

/** From the header, or from the parameter `access_token`. */
function tokenOf({ authorization }: RawRequest, parameters: ReadonlyMap<string, string>): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1] ?? parameters.get("access_token");
}

function answered(make: () => Answer): Answer {
  try {
    return make();
  } catch (error) {
    return answerOf(error);
  }
}

function answerOf(error: unknown): Answer {
  if (error instanceof Refusal) return error.answer;
  return { status: 500, body: { success: false, message: `The emulator failed: ${error instanceof Error ? error.message : String(error)}` } };
}

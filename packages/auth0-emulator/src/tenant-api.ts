import type { RawRequest } from "emulator-server/json-server";
import type { Answer } from "emulator-server/refused-call";
import type { EmulatedApi, PendingCall } from "emulator-server/request-handler";
import type { Auth0Call } from "./calls.ts";
import type { Contract } from "./contract.ts";
import { answerControl } from "./control.ts";
import type { Controls } from "./control.ts";
import type { ManagementApi } from "./management-api.ts";
import { errorBody, Refusal } from "./refusal.ts";
import { parseBody, refuseLongBody } from "./request-body.ts";

/** What answers the requests. */
export interface TenantApiParts {
  readonly contract: Contract;
  readonly management: ManagementApi;
  /** Answers `POST /oauth/token`. */
  readonly token: (body: unknown) => Answer;
  /** Answers `POST /dbconnections/change_password`. */
  readonly passwordMail: (body: unknown) => Answer;
  readonly controls: Controls;
  /** Answers what a browser asks for; left out, nobody logs in here. */
  readonly page?: EmulatedApi<Auth0Call>["page"];
  readonly now: () => number;
  /** Told what the emulator itself did wrong. */
  readonly onFailure: (message: string) => void;
}

const API_ROOT = "/api/v2";

/**
 * All that a tenant's domain answers: the token endpoint, the call that mails for a new password, the Management API,
 * and the emulator's own calls.
 */
export function tenantApi(parts: TenantApiParts): EmulatedApi<Auth0Call> {
  return { ...(parts.page === undefined ? {} : { page: parts.page }), control(request) {
    refuseLongBody(request);
    return answerControl(request, parts.controls);
  }, recognise(request) {
    refuseLongBody(request);
    return recognise(request, parts);
  }, injected: (answer, call) => injected(answer, call, parts.management), failed(message) {
    parts.onFailure(message);
    return { status: 500, body: errorBody(500, message) };
  } };
}

function recognise(raw: RawRequest,
  { contract, management, now, token, passwordMail }: TenantApiParts): PendingCall<Auth0Call> {
  const { method, path } = raw;
  if (method === "POST" && path === "/oauth/token") {
    return { call: { api: "token", method, path, url: path, at: now() }, run: () => token(parseBody(raw)) };
  }
  if (method === "POST" && path === "/dbconnections/change_password") {
    return { call: { api: "mail", method, path, url: path, at: now() }, run: () => passwordMail(parseBody(raw)) };
  }
  if (!path.startsWith(`${API_ROOT}/`)) throw new Refusal(404, "Not Found");
  const below = path.slice(API_ROOT.length);
  const url = decoded(below);
  const template = contract.match(method, below)?.template ?? url;
  return { call: { api: "management", method, path: template, url, at: now() },
    run: () => management.answer({ ...raw, path: below }) };
}

/** An injected answer has the headers that Auth0 would send with it. */
function injected(answer: Answer, { api, method }: Auth0Call, management: ManagementApi): Answer {
  const { status } = answer;
  const limited = status === 429;
  const body = "body" in answer ? answer.body : limited ? TOO_MANY_REQUESTS : errorBody(status, "Injected by a test");
  const rate = api === "management" ? management.headers(method) : {};
  return { status, body,
    headers: { ...rate, ...(limited ? { "x-ratelimit-remaining": "0", "retry-after": "1" } : {}),
      ...answer.headers } };
}

const TOO_MANY_REQUESTS = errorBody(429, "Global limit has been reached", "too_many_requests");

/** For the log only: a path that isn't well encoded stays as it is, and is refused by the Management API. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

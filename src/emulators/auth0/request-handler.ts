import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

import type { CallLog, CallSummary } from "./call-log.ts";
import type { Contract } from "./contract.ts";
import { answerControl } from "./control.ts";
import type { Controls } from "./control.ts";
import type { Faults, Mishap } from "./faults.ts";
import { parseBody, readRequest, send } from "./http.ts";
import type { RawRequest } from "./http.ts";
import type { ManagementApi } from "./management-api.ts";
import { errorBody, Refusal } from "./refusal.ts";
import type { Answer } from "./refusal.ts";

/** Milliseconds that a call takes before it is done. */
export type Latency = number | ((call: CallSummary) => number);

/**
 * Called when a call has come (`before` it is done) and once it is done (`after`, but before it is answered). The call
 * waits for the promise. A hook that throws makes the answer a 500 and an entry in `failures`.
 */
export type OnCall = (call: CallSummary, phase: "before" | "after") => Promise<void> | void;

/** How the emulator behaves beside its answers; changed while it runs. */
export interface Behaviour {
  latency: Latency;
  onCall: OnCall | undefined;
}

/** What a request can meet on its way. */
export interface RequestHandlerParts {
  readonly contract: Contract;
  readonly management: ManagementApi;
  /** Answers `POST /oauth/token`. */
  readonly token: (body: unknown) => Answer;
  readonly controls: Controls;
  readonly faults: Faults;
  readonly log: CallLog;
  readonly behaviour: Behaviour;
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<void>;
  /** Told what the emulator itself did wrong. */
  readonly onFailure: (message: string) => void;
}

type Outcome = Answer | "reset" | "hang";

const API_ROOT = "/api/v2";

/** The way of every request: recognise it, log it, hook, latency, fault, do it, hook, answer it or not. */
export function requestHandler(parts: RequestHandlerParts): RequestListener {
  return (request, response) => {
    handle(parts, request, response).catch((error: unknown) => {
      if (response.destroyed || response.headersSent) return;
      send(response, answerOf(error, parts.onFailure));
    });
  };
}

async function handle(parts: RequestHandlerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const raw = await readRequest(request);
  if (raw.path.startsWith("/_emulator/")) {
    send(response, answerControl(raw, parts.controls));
    return;
  }
  const recognised = recognise(raw, parts);
  if (recognised === undefined) throw new Refusal(404, "Not Found");
  const end = parts.log.begin(recognised.call);
  const outcome = await outcomeOf(parts, recognised).catch((error: unknown) => answerOf(error, parts.onFailure));
  end(typeof outcome === "string" ? outcome : outcome.status);
  if (outcome === "reset") response.socket?.resetAndDestroy();
  else if (outcome !== "hang") send(response, outcome);
}

/** A call of one of Auth0's two APIs. */
interface Recognised {
  readonly call: CallSummary;
  /** With the path below `/api/v2`. */
  readonly request: RawRequest;
}

function recognise(raw: RawRequest, { contract, now }: RequestHandlerParts): Recognised | undefined {
  const { method, path } = raw;
  if (method === "POST" && path === "/oauth/token") {
    return { call: { api: "token", method, path, url: path, at: now() }, request: raw };
  }
  if (!path.startsWith(`${API_ROOT}/`)) return undefined;
  const below = path.slice(API_ROOT.length);
  const url = decoded(below);
  const template = contract.match(method, below)?.template ?? url;
  return { call: { api: "management", method, path: template, url, at: now() }, request: { ...raw, path: below } };
}

/** Done or not done, answered or not answered: what the faults in place make of a call. */
async function outcomeOf(parts: RequestHandlerParts, { call, request }: Recognised): Promise<Outcome> {
  const { behaviour, faults, management, token, wait } = parts;
  await behaviour.onCall?.(call, "before");
  const milliseconds = typeof behaviour.latency === "number" ? behaviour.latency : behaviour.latency(call);
  if (milliseconds > 0) await wait(milliseconds);
  const mishap = faults.take(call);
  if (mishap !== undefined && !mishap.executed) return endingOf(mishap, call, management);
  const answer = call.api === "token" ? token(parseBody(request)) : management.answer(request);
  await behaviour.onCall?.(call, "after");
  return mishap === undefined ? answer : endingOf(mishap, call, management);
}

/** An injected answer has the headers that Auth0 would send with it. */
function endingOf({ ending }: Mishap, call: CallSummary, management: ManagementApi): Outcome {
  if (typeof ending === "string") return ending;
  const { status } = ending;
  const limited = status === 429;
  const body = "body" in ending ? ending.body : limited ? TOO_MANY_REQUESTS : errorBody(status, "Injected by a test");
  const rate = call.api === "management" ? management.headers(call.method) : {};
  return { status, body, headers: limited ? { ...rate, "x-ratelimit-remaining": "0", "retry-after": "1" } : rate };
}

const TOO_MANY_REQUESTS = errorBody(429, "Global limit has been reached", "too_many_requests");

function answerOf(error: unknown, onFailure: (message: string) => void): Answer {
  if (error instanceof Refusal) return { ...error.answer(), headers: { connection: "close" } };
  const message = `The emulator failed: ${error instanceof Error ? error.message : String(error)}`;
  onFailure(message);
  return { status: 500, body: errorBody(500, message) };
}

/** For the log only: a path that isn't well encoded stays as it is, and is refused by the Management API. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

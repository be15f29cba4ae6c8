import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import type { CallLog, CallSummary } from "./call-log.ts";
import type { Faults, Mishap } from "./faults.ts";
import { isOwnCaller, namesThisMachine } from "./callers.ts";
import { readRequest, send } from "./json-server.ts";
import type { RawRequest } from "./json-server.ts";
import { RefusedCall } from "./refused-call.ts";
import type { Answer } from "./refused-call.ts";

/** Milliseconds that a call takes before it is done. */
export type Latency<Summary extends CallSummary> = number | ((call: Summary) => number);

/**
 * Called when a call has come (`before` it is done) and once it is done (`after`, but before it is answered). The call
 * waits for the promise. A hook that throws makes the answer a 500.
 */
export type OnCall<Summary extends CallSummary> = (call: Summary, phase: "before" | "after") => Promise<void> | void;

/** How an emulator behaves beside its answers; changed while it runs. */
export interface Behaviour<Summary extends CallSummary> {
  latency: Latency<Summary>;
  onCall?: OnCall<Summary> | undefined;
}

/** A call of the emulated service that has come, not done yet. */
export interface PendingCall<Summary extends CallSummary> {
  readonly call: Summary;
  /** Does it. Throws a RefusedCall. */
  readonly run: () => Answer;
}

/** A request for a page: read whole, with the two ends of its connection. */
export interface PageRequest {
  readonly raw: RawRequest;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What one emulated service makes of its requests. */
export interface EmulatedApi<Summary extends CallSummary> {
  /** Answers the calls below `/_emulator/`, which the service itself doesn't have. Throws a RefusedCall. */
  readonly control: (request: RawRequest) => Promise<Answer> | Answer;
  /** Answers what a browser asks for, by itself; false: it is none of that. Neither logged nor faulty. */
  readonly page?: (request: PageRequest) => Promise<boolean>;
  /** Which call a request is. Throws a RefusedCall for what is none; that is not logged. */
  readonly recognise: (request: RawRequest) => PendingCall<Summary>;
  /** An injected answer, with what the service would send along. */
  readonly injected: (answer: Answer, call: Summary) => Answer;
  /** The answer for what the emulator itself did wrong. */
  readonly failed: (message: string) => Answer;
}

/** What a request can meet on its way. */
export interface RequestHandlerParts<Summary extends CallSummary> {
  readonly api: EmulatedApi<Summary>;
  readonly faults: Faults;
  readonly log: CallLog<Summary>;
  readonly behaviour: Behaviour<Summary>;
  /** How latency is waited for. Default a timer, which keeps no process alive. */
  readonly wait: ((milliseconds: number) => Promise<void>) | undefined;
  /** Where people look: told to a browser that opens `/`, where the service has nothing. */
  readonly frontPage?: (() => string) | undefined;
}

/** A page in somebody's browser must not command an emulator, nor call it under a name that isn't this machine's. */
const FOREIGN: Answer = { status: 403,
  body: { status: 403, error: "Only this machine's programs and this server's own pages are answered here" } };

type Outcome = Answer | "reset" | "hang";

/** The way of every request: recognise it, log it, hook, latency, fault, do it, hook, answer it or not. */
export function requestHandler<Summary extends CallSummary>(parts: RequestHandlerParts<Summary>): RequestListener {
  return (request, response) => {
    handle(parts, request, response).catch((error: unknown) => {
      if (response.destroyed || response.headersSent) return;
      send(response, answerOf(error, parts));
    });
  };
}

async function handle<Summary extends CallSummary>(parts: RequestHandlerParts<Summary>, request: IncomingMessage,
  response: ServerResponse): Promise<void> {
  const raw = await readRequest(request);
  const { headers } = request;
  if (!(raw.path.startsWith("/_emulator/") ? isOwnCaller(headers) : namesThisMachine(headers))) {
    send(response, FOREIGN);
    return;
  }
  if (parts.frontPage !== undefined && raw.path === "/" && headers.accept?.includes("text/html") === true) {
    sendWayTo(parts.frontPage(), response);
    return;
  }
  if (await parts.api.page?.({ raw, request, response })) return;
  if (raw.path.startsWith("/_emulator/")) {
    send(response, await parts.api.control(raw));
    return;
  }
  const pending = parts.api.recognise(raw);
  const end = parts.log.begin(pending.call);
  const outcome = await outcomeOf(parts, pending).catch((error: unknown) => answerOf(error, parts));
  end(typeof outcome === "string" ? outcome : outcome.status);
  if (outcome === "reset") response.socket?.resetAndDestroy();
  else if (outcome !== "hang") send(response, outcome);
}

function sendWayTo(page: string, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(
    `<!doctype html><html lang="en"><title>An emulator</title><main><h1>An emulator</h1><p>Programs ask here. The ` +
      `pages for people begin at <a href="${page}">${page}</a>.</p></main></html>`,
  );
}

/** Done or not done, answered or not answered: what the faults in place make of a call. */
async function outcomeOf<Summary extends CallSummary>(
  { api, behaviour, faults, wait = timer }: RequestHandlerParts<Summary>,
  { call, run }: PendingCall<Summary>,
): Promise<Outcome> {
  const endingOf = ({ ending }: Mishap): Outcome => (typeof ending === "string" ? ending : api.injected(ending, call));
  await behaviour.onCall?.(call, "before");
  const milliseconds = typeof behaviour.latency === "number" ? behaviour.latency : behaviour.latency(call);
  if (milliseconds > 0) await wait(milliseconds);
  const mishap = faults.take(call);
  if (mishap !== undefined && !mishap.executed) return endingOf(mishap);
  const answer = run();
  await behaviour.onCall?.(call, "after");
  return mishap === undefined ? answer : endingOf(mishap);
}

function answerOf<Summary extends CallSummary>(error: unknown, { api }: RequestHandlerParts<Summary>): Answer {
  if (error instanceof RefusedCall) return error.answer;
  return api.failed(`The emulator failed: ${error instanceof Error ? error.message : String(error)}`);
}

function timer(milliseconds: number): Promise<void> {
  return sleep(milliseconds, undefined, { ref: false });
}

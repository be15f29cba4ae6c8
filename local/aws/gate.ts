import { request } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { readBody, startLoopbackServer } from "./loopback.ts";

/** The services that the functions call. */
export type Service = "sqs" | "dynamodb" | "secretsmanager" | "auth0" | "gumroad";

/** One call that a function makes, seen before it reaches the service or after the service has carried it out. */
export interface GateCall {
  readonly service: Service;
  /**
   * `SendMessage`, `UpdateItem` … for AWS; `POST /api/v2/users/{id}/roles` for Auth0; `GET /sales/:id` for Gumroad.
   */
  readonly operation: string;
  readonly phase: "before" | "after";
  /** What the caller sent. */
  readonly body: Buffer;
}

/**
 * What happens at this point. `go`: nothing. `drop`: the caller's connection breaks. `crash`: all workers at work end,
 * then the connection breaks. An answer: the caller gets that instead. With phase `before` the service never saw the
 * call; with `after` it did, and its answer is lost.
 */
export type GateVerdict = "go" | "crash" | "drop" | GateAnswer;

/** An answer in the place of the service's own. */
export interface GateAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Asked at both phases of every call. */
export type GateHook = (call: GateCall) => Promise<GateVerdict> | GateVerdict;

/** A running proxy. */
export interface Gate {
  readonly url: string;
  stop(): Promise<void>;
}

/** What a gate stands in front of. */
export interface GateOptions {
  readonly service: Service;
  /** Address of the service itself. */
  readonly target: string;
  readonly hook: GateHook;
  /** Ends all workers that are at work. */
  readonly crash: () => Promise<void>;
}

/** Puts a proxy between the workers and a service, so that a test can stop the world before or after any call. */
export async function startGate({ service, target, hook, crash }: GateOptions): Promise<Gate> {
  async function passes(call: GateCall, outgoing: ServerResponse): Promise<boolean> {
    const verdict = await hook(call);
    if (typeof verdict === "object") outgoing.writeHead(verdict.status, verdict.headers).end(verdict.body);
    if (verdict === "crash") await crash();
    if (verdict === "crash" || verdict === "drop") outgoing.destroy();
    return verdict === "go";
  }

  const server = await startLoopbackServer({ port: 0 }, async (incoming, outgoing) => {
    const body = await readBody(incoming);
    const operation = operationOf(service, incoming);
    if (!(await passes({ service, operation, phase: "before", body }, outgoing))) return;
    const answer = await forward(target, incoming, body);
    if (!(await passes({ service, operation, phase: "after", body }, outgoing))) return;
    outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  });
  return { url: server.url, stop: () => server.stop() };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function forward(target: string, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  const headers = endToEnd(incoming.headers);
  const answered = await new Promise<IncomingMessage>((resolve, reject) => {
    const call = request(new URL(incoming.url ?? "/", target), { method: incoming.method,
      headers: { ...headers, "content-length": body.length } });
    call.once("response", resolve);
    call.once("error", reject);
    call.end(body);
  });
  return { status: answered.statusCode ?? 502, headers: endToEnd(answered.headers), body: await readBody(answered) };
}

/** Headers without those that belong to one connection, not to the message. */
function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const hop = new Set(["host", "connection", "keep-alive", "transfer-encoding"]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hop.has(name)));
}

/** The AWS operation, or method and path with ids taken out. */
function operationOf(service: Service, incoming: IncomingMessage): string {
  const target = incoming.headers["x-amz-target"];
  if (typeof target === "string") return target.slice(target.lastIndexOf(".") + 1);
  const path = (incoming.url ?? "/").split("?")[0] ?? "/";
  const call = service === "gumroad"
    ? path.replace(/^\/v2/, "").replace(/^\/(sales|subscribers|products|resource_subscriptions)\/[^/]+/, "/$1/:id")
    : path.replace(/\/(users|roles)\/[^/]+/, "/$1/{id}");
  return `${incoming.method ?? "GET"} ${call}`;
}

import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as z from "zod";
import { ACCOUNT_ID } from "./account.ts";
import { type RouteMatch, routeTable } from "./api-routes.ts";
import { corsHeaders, preflightHeaders } from "./cors.ts";
import type { Lambda } from "./lambda.ts";
import { readBody, startLoopbackServer } from "./loopback.ts";
import type { CorsSpec } from "./template.ts";

/** What the API needs. */
export interface ApiOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** The setting that chooses the port, for the message where it is taken. */
  readonly portSetting?: string;
  /** Route keys (`POST /ping/{token}`) and the functions behind them. */
  readonly routes: Iterable<readonly [routeKey: string, lambda: Lambda]>;
  readonly cors?: CorsSpec | undefined;
  /** Asked before the routes: true if it answered. What it answers is none of the API. */
  readonly pages?: ((incoming: IncomingMessage, outgoing: ServerResponse) => Promise<boolean>) | undefined;
  /** Told of each answer. It gets the route key, never the path: that holds the ping token. */
  readonly onAnswer?: ((answer: ApiAnswer) => void) | undefined;
}

/** One answered request, for the console. `routeKey` is undefined where no route is declared. */
export interface ApiAnswer {
  readonly routeKey: string | undefined;
  readonly status: number;
  readonly ms: number;
}

/** A running HTTP API. */
export interface Api {
  readonly url: string;
  readonly port: number;
  /** Takes no more requests, lets running ones finish. */
  stop(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: string | Buffer;
}

/** API Gateway's limit for a request's body, in bytes. */
const BODY_LIMIT = 10 * 1024 * 1024;
/** API Gateway waits this long for a function. */
const INTEGRATION_TIMEOUT_MS = 30_000;
/** Longer than any function may run behind the API. */
const STOP_GRACE_MS = 35_000;
/** Bodies of these types reach a function as text, all others as base64. Forms are among the others. */
const TEXT_TYPES = /^(text\/.*|application\/(json|xml|javascript))$/;

const structured = z.object({ statusCode: z.coerce.number().int().min(100).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).nullish(),
  body: z.string().nullish(), isBase64Encoded: z.boolean().nullish(), cookies: z.array(z.string()).nullish() });

/**
 * Starts an HTTP API with Lambda integrations, payload format 2.0, over node:http on 127.0.0.1.
 * @throws {ConfigError} PORT_TAKEN
 */
export async function startApi(options: ApiOptions): Promise<Api> {
  const routes = routeTable(options.routes);

  async function answer(incoming: IncomingMessage): Promise<{ routeKey: string | undefined; reply: Reply }> {
    const method = incoming.method ?? "GET";
    const origin = incoming.headers.origin;
    if (options.cors !== undefined && method === "OPTIONS" && origin !== undefined) {
      const asked = incoming.headers["access-control-request-method"];
      return { routeKey: undefined,
        reply: { status: 204, headers: preflightHeaders(options.cors, origin, asked), body: "" } };
    }
    const [rawPath = "/", ...query] = (incoming.url ?? "/").split("?");
    const path = decodePath(rawPath);
    const match = path === undefined ? undefined : routes(method, path);
    const body = await readBody(incoming, BODY_LIMIT);
    if (path === undefined || match === undefined) return { routeKey: undefined, reply: message(404, "Not Found") };
    const reply = body === undefined
      ? message(413, "Request Entity Too Large")
      : await integrate(match, incoming, path, query.join("?"), body);
    return { routeKey: match.routeKey, reply };
  }

  const server = await startLoopbackServer({ ...options, openToPages: true }, async (incoming, outgoing) => {
    if (await options.pages?.(incoming, outgoing)) return;
    const started = performance.now();
    const { routeKey, reply } = await answer(incoming);
    const cors = options.cors === undefined ? {} : corsHeaders(options.cors, incoming.headers.origin);
    write(outgoing, incoming, { ...reply, headers: { ...reply.headers, ...cors } });
    options.onAnswer?.({ routeKey, status: reply.status, ms: Math.round(performance.now() - started) });
  });
  return { url: server.url, port: server.port, stop: () => server.stop(STOP_GRACE_MS) };
}

function write(outgoing: ServerResponse, incoming: IncomingMessage, { status, headers, body }: Reply): void {
  // A body that was not read to its end (413) can't be followed by another request.
  if (!incoming.complete) outgoing.setHeader("connection", "close");
  const length = Buffer.byteLength(body);
  outgoing.writeHead(status,
    status === 204 ? headers : { ...headers, "content-length": length, "apigw-requestid": randomUUID() });
  outgoing.end(incoming.method === "HEAD" ? undefined : body);
}

async function integrate(match: RouteMatch<Lambda>, incoming: IncomingMessage, path: string, query: string,
  body: Buffer): Promise<Reply> {
  const timedOut = new Promise<undefined>((resolve) => {
    setTimeout(() => resolve(undefined), INTEGRATION_TIMEOUT_MS).unref();
  });
  const result = await Promise.race([match.target.invoke(httpEvent(match, incoming, path, query, body)), timedOut]);
  if (result === undefined || result.kind === "throttled") return message(503, "Service Unavailable");
  if (result.kind === "too-large") return message(413, "Request Entity Too Large");
  return (result.kind === "answer" ? interpret(result.payload) : undefined) ?? message(500, "Internal Server Error");
}

/** The event of payload format 2.0. */
function httpEvent(match: RouteMatch<Lambda>, incoming: IncomingMessage, path: string, query: string,
  body: Buffer): Record<string, unknown> {
  const { cookie, ...headers } = joinedHeaders(incoming);
  const sourceIp = (incoming.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  const now = Date.now();
  const domainName = headers["host"] ?? "localhost";
  const type = (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const isBase64Encoded = body.length > 0 && !TEXT_TYPES.test(type);
  const parameters = joinedQuery(query);
  return { version: "2.0", routeKey: match.routeKey, rawPath: path, rawQueryString: query,
    ...(cookie === undefined ? {} : { cookies: cookie.split(/;\s*/) }),
    headers: { ...headers, "x-forwarded-for": sourceIp, "x-forwarded-port": "443", "x-forwarded-proto": "https" },
    ...(parameters === undefined ? {} : { queryStringParameters: parameters }),
    ...(match.pathParameters === undefined ? {} : { pathParameters: match.pathParameters }),
    requestContext: { accountId: ACCOUNT_ID, apiId: "local", domainName, domainPrefix: domainName.split(/[.:]/)[0],
      http: { method: incoming.method, path, protocol: `HTTP/${incoming.httpVersion}`, sourceIp,
        userAgent: headers["user-agent"] ?? "" }, requestId: randomUUID(), routeKey: match.routeKey, stage: "$default",
      time: new Date(now).toUTCString(), timeEpoch: now },
    ...(body.length === 0 ? {} : { body: body.toString(isBase64Encoded ? "base64" : "utf8") }), isBase64Encoded };
}

/** Header names in lower case, repeated ones joined with a comma (cookies with a semicolon), as API Gateway does. */
function joinedHeaders(incoming: IncomingMessage): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    if (values !== undefined) joined[name] = values.join(name === "cookie" ? "; " : ",");
  }
  return joined;
}

function joinedQuery(query: string): Record<string, string> | undefined {
  if (query === "") return undefined;
  const joined = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(query)) {
    const before = joined.get(key);
    joined.set(key, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(joined);
}

/** API Gateway decodes the path before it looks for a route, so an encoded slash is a slash. */
function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function message(status: number, text: string): Reply {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify({ message: text }) };
}

/**
 * A function's answer as HTTP: structured if it has a statusCode, else a 200 with the answer as its body. Undefined if
 * malformed.
 */
function interpret(payload: string): Reply | undefined {
  const value: unknown = JSON.parse(payload);
  if (typeof value !== "object" || value === null || !("statusCode" in value)) {
    const body = typeof value === "string" ? value : payload;
    return { status: 200, headers: { "content-type": "application/json" }, body };
  }
  const parsed = structured.safeParse(value);
  if (!parsed.success) return undefined;
  const { statusCode: status, headers, body, isBase64Encoded, cookies } = parsed.data;
  const lower = Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name.toLowerCase(), text]));
  return { status,
    headers: { "content-type": "text/plain;charset=utf-8", ...lower,
      ...(cookies === null || cookies === undefined || cookies.length === 0 ? {} : { "set-cookie": cookies }) },
    body: isBase64Encoded === true ? Buffer.from(body ?? "", "base64") : (body ?? "") };
}

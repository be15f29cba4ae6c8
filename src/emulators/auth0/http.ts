import type { IncomingMessage, ServerResponse } from "node:http";

import { Refusal } from "./refusal.ts";
import type { Answer } from "./refusal.ts";

/** A request off the wire, its body not parsed yet. */
export interface RawRequest {
  /** In upper case. */
  readonly method: string;
  /** Still encoded, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | string[]>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Bytes of the longest body that is read: Auth0's limit for its Management API. */
const LONGEST_BODY = 1_048_576;

/** Reads a request whole. Throws 413 for a body above 1 MiB. */
export async function readRequest(request: IncomingMessage): Promise<RawRequest> {
  const { pathname, searchParams } = new URL(`http://emulator${request.url ?? "/"}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    // What is too much is still read to its end: leaving off would break the connection before the refusal is sent.
    if (bytes <= LONGEST_BODY) chunks.push(piece);
  }
  if (bytes > LONGEST_BODY) {
    throw new Refusal(413, `Payload content length greater than maximum allowed: ${String(LONGEST_BODY)}`);
  }
  return {
    method: request.method ?? "GET",
    path: pathname,
    query: pairs(searchParams),
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

/** The body as JSON or as a form, by its content type; undefined when there is none. Throws 400 and 415. */
export function parseBody({ body, headers }: RawRequest): unknown {
  if (body === "") return undefined;
  const type = (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (type === "application/x-www-form-urlencoded") return pairs(new URLSearchParams(body));
  if (type !== "application/json") throw new Refusal(415, "Unsupported Media Type");
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new Refusal(400, "Invalid request payload JSON format", undefined, { cause: error });
  }
}

/** Sends an answer. */
export function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const text = body === undefined ? "" : JSON.stringify(body);
  const typed = text === "" ? {} : { "content-type": "application/json; charset=utf-8" };
  response.writeHead(status, { ...typed, ...headers }).end(text);
}

/** A name that comes several times has a list. */
function pairs(parameters: URLSearchParams): Record<string, string | string[]> {
  return Object.fromEntries(
    [...new Set(parameters.keys())].map((name) => {
      const values = parameters.getAll(name);
      return [name, values.length === 1 ? (values[0] ?? "") : values];
    }),
  );
}

import type { IncomingMessage, Server, ServerResponse } from "node:http";

import { badRequest } from "./answer.ts";
import type { Answer } from "./answer.ts";

/** A request off the wire. */
export interface RawRequest {
  readonly method: string;
  /** Still encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly contentType: string;
  readonly body: string;
}

/** Reads a request whole. */
export async function readRequest(request: IncomingMessage): Promise<RawRequest> {
  const { pathname, searchParams } = new URL(`http://emulator${request.url ?? "/"}`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return {
    method: request.method ?? "GET",
    path: pathname,
    query: searchParams,
    authorization: request.headers.authorization,
    contentType: (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "",
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

/** The body as JSON; undefined if there is none. Throws a 400. */
export function jsonOf({ body }: RawRequest): unknown {
  if (body === "") return undefined;
  try {
    return JSON.parse(body);
  } catch {
    throw badRequest("The body is no JSON.");
  }
}

/** Query and body (a form, or flat JSON) together, as Rails has them. */
export function parametersOf(request: RawRequest): Map<string, string> {
  const parameters = new Map(request.query);
  if (request.contentType === "application/json") {
    const body = jsonOf(request);
    if (typeof body === "object" && body !== null) {
      for (const [name, value] of Object.entries(body)) if (["string", "number", "boolean"].includes(typeof value)) parameters.set(name, String(value));
    }
  } else {
    for (const [name, value] of new URLSearchParams(request.body)) parameters.set(name, value);
  }
  return parameters;
}

/** Sends an answer. */
export function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const text = body === undefined ? "" : JSON.stringify(body);
  const typed = text === "" ? {} : { "content-type": "application/json; charset=utf-8" };
  response.writeHead(status, { ...typed, ...headers }).end(text);
}

/** Listens on 127.0.0.1; the address. Rejects with Node's error (`EADDRINUSE`). */
export function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("The emulator has no port."));
      else resolve(`http://127.0.0.1:${String(address.port)}`);
    });
  });
}

/** Breaks off what runs and frees the port. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

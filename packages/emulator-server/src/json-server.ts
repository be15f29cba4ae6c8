import type { IncomingMessage, Server, ServerResponse } from "node:http";

import type { Answer } from "./refused-call.ts";

/** A request off the wire, its body not parsed yet. */
export interface RawRequest {
  /** In upper case. */
  readonly method: string;
  /** Still encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** In lower case, without its parameters; empty if there is none. */
  readonly contentType: string;
  readonly body: string;
  /** Length of the body as it was sent. */
  readonly bodyBytes: number;
}

/**
 * Reads a request whole, however long: to leave off would break the connection before a refusal is sent.
 */
export async function readRequest(request: IncomingMessage): Promise<RawRequest> {
  const { pathname, searchParams } = new URL(`http://emulator${request.url ?? "/"}`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks);
  return { method: request.method ?? "GET", path: pathname, query: searchParams,
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
    contentType: request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "",
    body: body.toString("utf8"), bodyBytes: body.length };
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

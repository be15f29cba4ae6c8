import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isOwnCaller, namesThisMachine } from "emulator-server/callers";

import { ConfigError } from "../../src/errors.ts";
import { messageOf, systemCodeOf } from "./errors.ts";

/** A server that only this machine can reach. */
export interface LoopbackServer {
  readonly url: string;
  readonly port: number;
  /**
   * Takes no more connections, waits for running requests up to `graceMs` (default: not at all), then closes what is
   * open.
   */
  stop(graceMs?: number): Promise<void>;
}

/** Answers one request. What it throws is a 500, so a caller never waits for nothing. */
export type Respond = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void> | void;

/** Where to listen: port 0 takes a free one. `portSetting` is what chose the port, named where it is taken. */
export interface Listening {
  readonly port: number;
  readonly portSetting?: string | undefined;
  /** Answers pages of other origins too: it decides by itself which. */
  readonly openToPages?: boolean;
}

/**
 * Starts an HTTP server on 127.0.0.1.
 * @throws {ConfigError} PORT_TAKEN if somebody else listens there.
 */
export async function startLoopbackServer(where: Listening, respond: Respond): Promise<LoopbackServer> {
  const open = new Set<ServerResponse>();
  let stopping = false;
  const server = createServer((incoming, outgoing) => {
    open.add(outgoing);
    outgoing.once("close", () => open.delete(outgoing));
    if (stopping) outgoing.shouldKeepAlive = false;
    if (!(where.openToPages === true ? namesThisMachine : isOwnCaller)(incoming.headers)) {
      refuse(outgoing);
      return;
    }
    void (async () => respond(incoming, outgoing))().catch((error: unknown) => {
      if (outgoing.headersSent) outgoing.destroy();
      else {outgoing.writeHead(500, { "content-type": "application/json" }).end(
          JSON.stringify({ message: messageOf(error) }),
        );}
    });
  });
  const taken = await listen(server, where);
  return { url: `http://127.0.0.1:${String(taken)}`, port: taken, stop: async (graceMs = 0) => {
    stopping = true;
    // A connection kept open for a next request would keep the server from closing.
    for (const outgoing of open) outgoing.shouldKeepAlive = false;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const force = setTimeout(() => server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(force);
  } };
}

/**
 * Refuses what a page in somebody's browser asks of a service that no page is meant to call. A tunnel to this machine
 * has to set Host to its address here.
 */
function refuse(outgoing: ServerResponse): void {
  outgoing.writeHead(403, { "content-type": "application/json", connection: "close" }).end(
    JSON.stringify({ message: "Only calls to 127.0.0.1 or localhost are answered, and not those of other pages" }),
  );
}

/** Lets a server of somebody else's making answer this machine's programs only. */
export function closeToPages(server: Server): void {
  const listeners = server.listeners("request");
  server.removeAllListeners("request").on("request", (incoming, outgoing) => {
    if (!isOwnCaller(incoming.headers)) refuse(outgoing);
    else for (const listener of listeners) listener.call(server, incoming, outgoing);
  });
}

/**
 * Makes a server listen on 127.0.0.1 and gives the port it got.
 * @throws {ConfigError} PORT_TAKEN if somebody else listens there.
 */
export async function listen(server: Server, { port, portSetting }: Listening): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const code = systemCodeOf(error);
      const reason = code === "EADDRINUSE"
        ? "is taken by another process"
        : code === "EACCES"
        ? "needs rights you don't have"
        : messageOf(error);
      reject(
        new ConfigError("PORT_TAKEN",
          `port ${String(port)} ${reason}; choose another${portSetting === undefined ? "" : ` with ${portSetting}`}`, {
          cause: error,
        }),
      );
    });
    server.listen(port, "127.0.0.1", () => resolve(portOf(server.address())));
  });
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Reads a whole body; undefined once it is longer than `limit` bytes. */
export async function readBody(incoming: IncomingMessage): Promise<Buffer>;
export async function readBody(incoming: IncomingMessage, limit: number): Promise<Buffer | undefined>;
export async function readBody(incoming: IncomingMessage,
  limit = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

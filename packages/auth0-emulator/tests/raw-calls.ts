import * as z from "zod";

import type { Auth0Emulator } from "../src/emulator.ts";

/** A password that Auth0's policy "good" takes. */
export const GOOD_PASSWORD = "Correct-horse-1";

/** An answer, read whole. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

const Token = z.object({ access_token: z.string() });

/** Gets a Management token as a client does. */
export async function tokenOf(emulator: Auth0Emulator): Promise<string> {
  const { body } = await askToken(emulator, {});
  return Token.parse(body).access_token;
}

/** Asks for a token; what is not given is right. */
export async function askToken(emulator: Auth0Emulator,
  changed: Record<string, string | undefined>): Promise<RawAnswer> {
  const body = { grant_type: "client_credentials", client_id: "local-client", client_secret: "local-secret",
    audience: `${emulator.url}/api/v2/`, ...changed };
  return rawCall(emulator, "POST", "/oauth/token", { body });
}

/** Calls the emulator without an SDK between: for what no SDK would send. */
export async function rawCall(emulator: Auth0Emulator, method: string, path: string,
  { token, body, headers = {} }: { token?: string; body?: unknown; headers?: Record<string, string> } = {}
): Promise<RawAnswer> {
  const init: RequestInit = { method,
    headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers } };
  if (body !== undefined) {
    init.body = typeof body === "string" ? body : JSON.stringify(body);
    init.headers = { "content-type": "application/json", ...init.headers };
  }
  const response = await fetch(`${emulator.url}${path}`, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
}

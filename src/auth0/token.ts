import { once } from "node:events";

import * as z from "zod/mini";

import type { Secret } from "../config/secret.ts";
import { NeedsPersonError, TemporaryError } from "../errors.ts";
import type { Fetch } from "../http/retry.ts";
import type { Auth0Credentials } from "./secret.ts";

const answerShape = z.object({ access_token: z.string(), expires_in: z.number(), scope: z.optional(z.string()) });
const DOUBT_MS = 60_000;
const EARLY_MS = 60_000;
const ATTEMPT_MS = 10_000;

/** Client credentials, once a process: Auth0's tokens last a day, and each that is fetched counts against a quota. */
export function managementToken(secret: Secret<Auth0Credentials>, fetch: Fetch, now: () => number = Date.now) {
  let known: { readonly token: string; readonly since: number; readonly until: number } | undefined;
  let fetching: Promise<string> | undefined;

  async function fresh(): Promise<string> {
    const credentials = await secret.get();
    let answer = await askForToken(credentials, fetch);
    if (answer === null) {
      // Refused: perhaps the secret was rotated since we read it.
      const reread = await secret.reread();
      if (JSON.stringify(reread) !== JSON.stringify(credentials)) answer = await askForToken(reread, fetch);
    }
    if (answer === null) {
      throw new NeedsPersonError("AUTH0_CREDENTIALS",
        "Auth0 refuses the client in the secret auth0: put the right domain, client_id and client_secret there, and " +
          "authorize that application for the Auth0 Management API.");
    }
    known = { token: answer.token, since: now(), until: now() + answer.seconds * 1000 - EARLY_MS };
    return answer.token;
  }

  return {
    /** The token, fetched anew a minute before it expires. The signal ends one's own waiting, not the fetching. */
    get: async (signal?: AbortSignal): Promise<string> => {
      if (known !== undefined && now() < known.until) return known.token;
      fetching ??= fresh().finally(() => {
        fetching = undefined;
      });
      return signal === undefined ? fetching : Promise.race([fetching, ending(signal)]);
    },
    /**
     * Drops a token that was refused (401), or one that lacks a scope (403) and is over a minute old: tokens keep the
     * scopes they were issued with. Tells whether it pays to try again, with another.
     */
    drop: (token: string, status: 401 | 403) => {
      if (known?.token !== token) return true;
      if (status === 403 && now() - known.since < DOUBT_MS) return false;
      known = undefined;
      return true;
    },
  };
}

async function ending(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, "abort");
  throw new TemporaryError("AUTH0_UNREACHABLE", "Auth0 gave no token in time.");
}

/** Asks for a token; null means that Auth0 refuses these credentials. Throws TemporaryError AUTH0_UNREACHABLE. */
export async function askForToken({ url, audience, clientId, clientSecret }: Auth0Credentials, send: Fetch) {
  let response: Response;
  try {
    response = await send(`${url}/oauth/token`, { method: "POST", headers: { "content-type": "application/json" },
      body: JSON.stringify({ grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret,
        audience }), signal: AbortSignal.timeout(ATTEMPT_MS), redirect: "error" });
  } catch (error) {
    throw noToken(`nothing answers at ${url}`, error);
  }
  if (response.ok) {
    const { data } = answerShape.safeParse(await response.json().catch(() => null));
    if (data === undefined) throw noToken("its answer was not understood");
    const scopes = (data.scope ?? "").split(" ").filter((scope) => scope !== "");
    return { token: data.access_token, seconds: data.expires_in, scopes };
  }
  await response.body?.cancel();
  if ([400, 401, 403, 404].includes(response.status)) return null;
  throw noToken(`it answered ${String(response.status)}`);
}

function noToken(why: string, cause?: unknown): TemporaryError {
  return new TemporaryError("AUTH0_UNREACHABLE", `Auth0 gave no token: ${why}.`, { cause });
}

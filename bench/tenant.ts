import { RateLimiter, type Limits } from "auth0-emulator/rate-limit";
import * as z from "zod";

import type { SimulatedClock } from "./clock.ts";

/** An Auth0 tenant in memory on a simulated clock, with the emulator's limits: the calls that giving a role takes. */
export type SimulatedTenant = ReturnType<typeof simulatedTenant>;

/** What a call comes to instead of being carried out: an answer, a broken connection, or no answer ever. */
export type Fault = Response | Error | "hang";

const emailShape = z.looseObject({ email: z.string() });

/** What a simulated tenant is like. */
export interface TenantOptions {
  readonly limits: Limits;
  /** Its one role, whose id is its name. */
  readonly role: string;
  /** How long a call takes. */
  readonly callMs: () => number;
  readonly fault?: () => Fault | null;
  /** After how long who called gives up on an answer. */
  readonly patienceMs: number;
}

/** A tenant without users. */
export function simulatedTenant(clock: SimulatedClock,
  { limits, role, callMs, fault = () => null, patienceMs }: TenantOptions) {
  const limiter = new RateLimiter(limits, clock.now);
  const users = new Map<string, { readonly user_id: string; readonly email: string }>();
  /** When each email's role was given (epoch ms). */
  const granted = new Map<string, number>();
  const counts = { token: 0, served: 0, refused: 0 };

  function answer(method: string, { pathname, searchParams }: URL, body: unknown): Response {
    if (pathname === "/oauth/token") {
      counts.token += 1;
      return Response.json({ access_token: "token", token_type: "Bearer", expires_in: 86_400 });
    }
    const ruling = limiter.take(method === "GET" ? "read" : "write");
    counts[ruling.allowed ? "served" : "refused"] += 1;
    const { headers } = ruling;
    if (!ruling.allowed) {
      return Response.json({ statusCode: 429, error: "Too Many Requests", message: "Global limit has been reached" }, {
        status: 429,
        headers,
      });
    }
    const call = `${method} ${pathname.replace("/api/v2", "").replace(/\/users\/[^/]+/, "/users/{id}")}`;
    switch (call) {
      case "GET /roles":
        return Response.json({ start: 0, limit: 100, total: 1, roles: [{ id: role, name: role }] }, { headers });
      case "GET /users-by-email": {
        const user = users.get(searchParams.get("email") ?? "");
        return Response.json(user === undefined ? [] : [user], { headers });
      }
      case "POST /users": {
        const { email, ...rest } = emailShape.parse(body);
        if (users.has(email)) {
          return Response.json({ statusCode: 409, error: "Conflict", message: "The user already exists." }, {
            status: 409,
            headers,
          });
        }
        const user = { ...rest, user_id: `auth0|${email}`, email };
        users.set(email, user);
        return Response.json(user, { status: 201, headers });
      }
      case "POST /users/{id}/roles": {
        const email = decodeURIComponent(pathname.split("/").at(-2) ?? "").replace("auth0|", "");
        if (!granted.has(email)) granted.set(email, clock.now());
        return new Response(null, { status: 204, headers });
      }
      default:
        throw new Error(`no such call here: ${call}`);
    }
  }

  return { granted, counts,
    fetch: async (input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> => {
      const url = new URL(input instanceof Request ? input.url : input);
      const ms = callMs();
      await clock.sleep(ms / 2);
      const instead = url.pathname === "/oauth/token" ? null : fault();
      const body: unknown = typeof init?.body === "string" && init.body.startsWith("{")
        ? JSON.parse(init.body)
        : undefined;
      if (instead === "hang") {
        await clock.sleep(patienceMs);
        throw new DOMException("The operation was aborted due to timeout", "TimeoutError");
      }
      const response = instead ?? answer(init?.method ?? "GET", url, body);
      await clock.sleep(ms / 2);
      if (response instanceof Error) throw response;
      return response;
    } };
}

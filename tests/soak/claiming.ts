import * as z from "zod";

import type { Claimant } from "../../src/access/facts.ts";
import type { Stack } from "../../local/stack.ts";
import { httpEvent } from "../accounts/http-events.ts";
import { auth0Audience, rolesClaim, Tenant } from "../accounts/tenant.ts";

/** How people show licence keys: at the deployed functions, logged in with a verified email or the own login. */
export interface Claiming {
  /** What the function `claim` is given. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Shows a key, and again where that isn't answered just now.
   * @throws {Error} if it never is, or is refused
   */
  show(stack: Stack, by: Claimant, licenseKey: string): Promise<void>;
  close(): Promise<void>;
}

/** Only what never works is tried so often. */
const TRIES = 100;
const PASSWORD = "plum-tree-at-noon";
const MINUTE = 60_000;
const answerShape = z.object({ statusCode: z.number(), body: z.string() });
const loginShape = z.object({ token: z.string() });

/** Starts what stands for Auth0 where its access tokens are checked. */
export async function startClaiming(): Promise<Claiming> {
  const tenant = await Tenant.start();
  /** Each comes from a network of its own. */
  let requests = 0;

  async function ask(stack: Stack, functionKey: "claim" | "login", token: string | null,
    body: Readonly<Record<string, string>>): Promise<unknown> {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      requests += 1;
      const event = httpEvent({ routeKey: `POST /${functionKey}`, body,
        headers: token === null ? {} : { authorization: `Bearer ${token}` },
        sourceIp: `10.${String(requests >> 8)}.${String(requests & 255)}.1` });
      const requestContext = { ...event.requestContext, requestId: `request-${String(requests)}` };
      const result = await stack.invoke(functionKey, { ...event, requestContext });
      if (result.kind !== "answer") continue;
      const { statusCode, body: told } = answerShape.parse(JSON.parse(result.payload));
      if (statusCode < 300) return JSON.parse(told);
      if (statusCode === 429) await stack.advance(MINUTE);
      else if (statusCode < 500) throw new Error(`${functionKey} answers ${String(statusCode)}: ${told}`);
    }
    throw new Error(`${functionKey} never answers`);
  }

  async function tokenOf(stack: Stack, by: Claimant): Promise<string> {
    if (by.startsWith("email:")) {
      return tenant.accessToken(Math.floor(stack.gumroad.now() / 1_000), {
        [`${rolesClaim}_email`]: by.slice("email:".length),
      });
    }
    const credentials = { username: by.slice("name:".length), password: PASSWORD };
    return loginShape.parse(await ask(stack, "login", null, credentials)).token;
  }

  return {
    environment: { AUTH0_ISSUER: tenant.issuer, AUTH0_AUDIENCE: auth0Audience, ROLES_CLAIM: rolesClaim,
      LOG_LEVEL: "SILENT", POWERTOOLS_METRICS_DISABLED: "true", PATIENCE: "0.3", WAITS: "0.02" },
    show: async (stack, by, licenseKey) => {
      await ask(stack, "claim", await tokenOf(stack, by), { licenseKey });
    },
    close: tenant.close,
  };
}

import * as z from "zod";

import type { Logged } from "emulator-server/call-log";
import type { RawRequest } from "emulator-server/json-server";
import type { Answer } from "emulator-server/refused-call";
import type { Auth0Call, CallCounts } from "./calls.ts";
import { parseBody } from "./request-body.ts";
import type { Plan } from "./rate-limit.ts";
import { errorBody, Refusal } from "./refusal.ts";

/** What another process may see and do. */
export interface Controls {
  calls(): CallCounts & { readonly calls: readonly Logged<Auth0Call>[] };
  users(): readonly unknown[];
  /** Every mail that Auth0 would have sent, oldest first. */
  mails(): readonly unknown[];
  setPlan(plan: Plan): void;
  reset(): void;
}

const LimitsBody = z.strictObject({ plan: z.enum(["free", "essentials", "enterprise", "none"]) });

/**
 * Answers the calls below `/_emulator/`, which Auth0 doesn't have. They need no token: the emulator is on loopback
 * only.
 */
export function answerControl(request: RawRequest, controls: Controls): Answer {
  switch (`${request.method} ${request.path}`) {
    case "GET /_emulator/calls":
      return { status: 200, body: controls.calls() };
    case "GET /_emulator/users":
      return { status: 200, body: controls.users() };
    case "GET /_emulator/mails":
      return { status: 200, body: controls.mails() };
    case "POST /_emulator/limits": {
      const parsed = LimitsBody.safeParse(parseBody(request));
      if (!parsed.success) {
        throw new Refusal(400, 'Send {"plan": "free" | "essentials" | "enterprise" | "none"} as JSON.');
      }
      controls.setPlan(parsed.data.plan);
      return { status: 204 };
    }
    case "POST /_emulator/reset":
      controls.reset();
      return { status: 204 };
    default:
      return { status: 404, body: errorBody(404, "Not Found") };
  }
}

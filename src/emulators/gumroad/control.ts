import * as z from "zod";

import type { Logged } from "../service/call-log.ts";
import type { RawRequest } from "../service/json-server.ts";
import type { Answer } from "../service/refused-call.ts";
import { badRequest } from "./answer.ts";
import type { GumroadCall } from "./calls.ts";
import { jsonOf } from "./parameters.ts";

/** What another process may see and do. */
export interface Controls {
  calls(): readonly Logged<GumroadCall>[];
  seed(rows: unknown): void;
  advance(milliseconds: number): Promise<void>;
  now(): number;
  reset(): void;
}

const AdvanceBody = z.strictObject({ ms: z.number().min(0) });

/** Answers the calls below `/_emulator/`, which Gumroad doesn't have. They need no token: the emulator is on loopback only. */
export async function answerControl(request: RawRequest, controls: Controls): Promise<Answer> {
  switch (`${request.method} ${request.path}`) {
    case "GET /_emulator/calls":
      return { status: 200, body: { calls: controls.calls() } };
    case "POST /_emulator/seed":
      try {
        controls.seed(jsonOf(request));
      } catch (error) {
        if (error instanceof z.ZodError) throw badRequest(z.prettifyError(error));
        throw error;
      }
      return { status: 204 };
    case "POST /_emulator/advance": {
      const parsed = AdvanceBody.safeParse(jsonOf(request));
      if (!parsed.success) throw badRequest('Send {"ms": milliseconds} as JSON.');
      await controls.advance(parsed.data.ms);
      return { status: 200, body: { now: new Date(controls.now()).toISOString() } };
    }
    case "POST /_emulator/reset":
      controls.reset();
      return { status: 204 };
    default:
      return { status: 404, body: { status: 404, error: "Not Found" } };
  }
}

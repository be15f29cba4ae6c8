import * as z from "zod";

import type { Logged } from "emulator-server/call-log";
import type { RawRequest } from "emulator-server/json-server";
import type { Answer } from "emulator-server/refused-call";
import type { ActOutcome } from "./act-requests.ts";
import { badRequest } from "./answer.ts";
import type { GumroadCall } from "./calls.ts";
import { jsonOf } from "./parameters.ts";
import { ShopError } from "./shop-error.ts";
import type { ShopErrorCode } from "./shop-error.ts";

/** What another process may see and do. */
export interface Controls {
  calls(): readonly Logged<GumroadCall>[];
  /** What the shop sells, as the API shows it. */
  products(): Record<string, unknown>[];
  /** Throws a ZodError, ShopError or RefusedCall. */
  act(name: string, body: unknown): Promise<ActOutcome>;
  /** Throws a ZodError. */
  seed(rows: unknown): void;
  seededPings(): string[];
  advance(milliseconds: number): Promise<void>;
  now(): number;
  reset(): void;
}

const AdvanceBody = z.strictObject({ ms: z.number().min(0) });
const ACTS = "/_emulator/acts/";
const STATUS: Readonly<Record<ShopErrorCode, number>> = { BAD_REQUEST: 400, NO_SUCH_PRODUCT: 404, NO_SUCH_SALE: 404,
  NO_SUCH_SUBSCRIPTION: 404, NOT_FOR_SALE: 409, NOT_POSSIBLE_NOW: 409 };

/**
 * Answers the calls below `/_emulator/`, which Gumroad doesn't have. They need no token: the emulator is on loopback
 * only.
 */
export async function answerControl(request: RawRequest, controls: Controls): Promise<Answer> {
  try {
    return await answer(request, controls);
  } catch (error) {
    if (error instanceof z.ZodError) throw badRequest(z.prettifyError(error));
    if (error instanceof ShopError) {
      return { status: STATUS[error.code], body: { status: STATUS[error.code], error: error.message } };
    }
    throw error;
  }
}

async function answer(request: RawRequest, controls: Controls): Promise<Answer> {
  const { method, path } = request;
  if (method === "POST" && path.startsWith(ACTS)) {
    return { status: 200, body: await controls.act(path.slice(ACTS.length), jsonOf(request)) };
  }
  switch (`${method} ${path}`) {
    case "GET /_emulator/calls":
      return { status: 200, body: { calls: controls.calls() } };
    case "GET /_emulator/products":
      return { status: 200, body: { products: controls.products() } };
    case "GET /_emulator/seed":
      return { status: 200, body: { pings: controls.seededPings() } };
    case "POST /_emulator/seed":
      controls.seed(jsonOf(request));
      return { status: 204 };
    case "GET /_emulator/advance":
      return { status: 200, body: { now: new Date(controls.now()).toISOString() } };
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

import { RefusedCall } from "emulator-server/refused-call";
import type { Answer } from "emulator-server/refused-call";

/** Gumroad's success. */
export function success(fields: object): Answer {
  return { status: 200, body: { success: true, ...fields } };
}

/** Gumroad's "no", with HTTP status 200. */
export function failure(message: string): Answer {
  return { status: 200, body: { success: false, message } };
}

/** Gumroad's answer for what isn't there: 200 too. */
export function notFound(what: string): Answer {
  return failure(`The ${what} was not found.`);
}

/** A parameter that can't be read. */
export function badRequest(error: string): RefusedCall {
  return new RefusedCall({ status: 400, body: { status: 400, error } });
}

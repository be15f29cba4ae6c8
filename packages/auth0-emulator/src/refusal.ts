import { STATUS_CODES } from "node:http";

import { RefusedCall } from "emulator-server/refused-call";

/**
 * A call that Auth0 would refuse. The message and `errorCode` are what the caller reads in the body; where Auth0's own
 * wording is known from public error reports it is used, so that code which looks at the message can be tested.
 */
export class Refusal extends RefusedCall {
  override readonly name = "Auth0Refusal";

  /**
   * `status` is 400 to 501; `errorCode` is Auth0's stable code, e.g. `inexistent_user`, which some of its refusals
   * lack.
   */
  constructor(status: number, message: string, errorCode?: string, options?: ErrorOptions) {
    // The Management API puts its own headers in place of these.
    super({ status, body: errorBody(status, message, errorCode), headers: { connection: "close" } }, message, options);
  }
}

/** The body of every error of the Management API. */
export function errorBody(status: number, message: string, errorCode?: string): Record<string, unknown> {
  const body = { statusCode: status, error: STATUS_CODES[status] ?? "Error", message };
  return errorCode === undefined ? body : { ...body, errorCode };
}

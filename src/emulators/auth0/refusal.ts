import { STATUS_CODES } from "node:http";

/** What the emulator answers: a status, and a JSON body unless the answer has none (204). */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  /** Header names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A call that Auth0 would refuse. The message and `errorCode` are what the caller reads in the body; where Auth0's own
 * wording is known from public error reports it is used, so that code which looks at the message can be tested.
 */
export class Refusal extends Error {
  override readonly name = "Auth0Refusal";
  /** HTTP status, 400 to 501. */
  readonly status: number;
  /** Auth0's stable code, e.g. `inexistent_user`; some of its refusals have none. */
  readonly errorCode: string | undefined;

  constructor(status: number, message: string, errorCode?: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.errorCode = errorCode;
  }

  /** The refusal as the Management API sends it. */
  answer(): Answer {
    return { status: this.status, body: errorBody(this.status, this.message, this.errorCode) };
  }
}

/** The body of every error of the Management API. */
export function errorBody(status: number, message: string, errorCode?: string): Record<string, unknown> {
  const body = { statusCode: status, error: STATUS_CODES[status] ?? "Error", message };
  return errorCode === undefined ? body : { ...body, errorCode };
}

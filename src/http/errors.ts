/** The JSON body of every failed call. */
export interface ErrorBody {
  readonly status: "error";
  readonly error: string;
}

/** Writes the body of a failed call. `error` is read by strangers: it says what to do and gives nothing away. */
export function errorBody(error: string): string {
  const body: ErrorBody = { status: "error", error };
  return JSON.stringify(body);
}

/**
 * A call that is refused or can't be served. Its message is the response's body, which is how
 * `@middy/http-error-handler` passes a message on; `reason` is the plain text.
 */
export class HttpError extends Error {
  readonly statusCode: number;
  /** Tells `@middy/http-error-handler` that the message was written for the caller, for 5xx too. */
  readonly expose = true;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(statusCode: number, reason: string,
    options: ErrorOptions & { readonly headers?: Readonly<Record<string, string>> } = {}) {
    super(errorBody(reason), options);
    this.name = "HttpError";
    this.statusCode = statusCode;
    this.reason = reason;
    this.headers = options.headers ?? {};
  }
}

/** A call that's refused or can't be served. Strangers read its message: it says what to do and gives nothing away. */
export class HttpError extends Error {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(statusCode: number, message: string,
    options: ErrorOptions & { readonly headers?: Readonly<Record<string, string>> } = {}) {
    super(message, options);
    this.name = "HttpError";
    this.statusCode = statusCode;
    this.headers = options.headers ?? {};
  }
}

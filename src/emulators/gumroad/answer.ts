/** What the emulator answers. */
export interface Answer {
  readonly status: number;
  /** JSON; undefined: an empty body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that ends a call early. */
export class Refusal extends Error {
  override readonly name = "GumroadRefusal";
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`${String(answer.status)} ${JSON.stringify(answer.body)}`);
    this.answer = answer;
  }
}

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
export function badRequest(error: string): Refusal {
  return new Refusal({ status: 400, body: { status: 400, error } });
}

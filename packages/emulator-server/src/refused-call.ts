/** What an emulator answers. */
export interface Answer {
  readonly status: number;
  /** JSON; undefined: an empty body. */
  readonly body?: unknown;
  /** Header names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A call that the emulated service would refuse: its answer ends the call early. */
export class RefusedCall extends Error {
  override readonly name: string = "RefusedCall";
  readonly answer: Answer;

  constructor(answer: Answer, message = `${String(answer.status)} ${JSON.stringify(answer.body)}`,
    options?: ErrorOptions) {
    super(message, options);
    this.answer = answer;
  }
}

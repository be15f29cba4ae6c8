/** A call as latency functions and faults see it. */
export interface CallSummary {
  readonly method: string;
  /** The template below `/v2`, e.g. `/sales/:id`; the path itself where Gumroad has no such call. */
  readonly path: string;
  /** The path below `/v2` as it came, without the query. */
  readonly url: string;
  /** Query and form fields, but for the token. */
  readonly parameters: Readonly<Record<string, string>>;
  /** When it came, epoch milliseconds. */
  readonly at: number;
}

/** A call in the log. */
export interface Call extends CallSummary {
  /** What was answered; `reset` and `hang` for an injected fault; undefined while the call runs. */
  readonly status: number | "reset" | "hang" | undefined;
}

/** Every API call since the start or the last reset, in the order they came. */
export class CallLog {
  readonly #calls: (CallSummary & { status: Call["status"] })[] = [];

  /** The log; the entries of running calls still change. */
  get calls(): readonly Call[] {
    return this.#calls;
  }

  /** Adds a call; the function returned notes how it ended. */
  begin(call: CallSummary): (status: Call["status"]) => void {
    const entry: CallSummary & { status: Call["status"] } = { ...call, status: undefined };
    this.#calls.push(entry);
    return (status) => {
      entry.status = status;
    };
  }

  /** Forgets all calls. */
  clear(): void {
    this.#calls.length = 0;
  }
}

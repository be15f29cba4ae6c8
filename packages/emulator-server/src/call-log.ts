/** A call as tests, hooks, latency functions and faults see it; each emulator adds what its calls have besides. */
export interface CallSummary {
  readonly method: string;
  /** The template below the API's root, e.g. `/users/{id}`; the path itself where the service has no such call. */
  readonly path: string;
  /** The path below the API's root, without the query. */
  readonly url: string;
  /** When it came, epoch milliseconds. */
  readonly at: number;
}

/** A call in the log. */
export type Logged<Summary extends CallSummary> = Summary & {
  /** What was answered; `reset` and `hang` for an injected fault; undefined while the call runs. */
  readonly status: CallStatus;
};

type CallStatus = number | "reset" | "hang" | undefined;

/** Every API call since the start or the last reset, in the order they came. */
export class CallLog<Summary extends CallSummary> {
  readonly #calls: (Summary & { status: CallStatus })[] = [];

  /** The log; the entries of running calls still change. */
  get calls(): readonly Logged<Summary>[] {
    return this.#calls;
  }

  /** Adds a call; the function returned notes how it ended. */
  begin(call: Summary): (status: CallStatus) => void {
    const entry: Summary & { status: CallStatus } = { ...call, status: undefined };
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

/** A call as tests and hooks see it. */
export interface CallSummary {
  readonly api: "token" | "management";
  readonly method: string;
  /** The template, e.g. `/users/{id}/roles` or `/oauth/token`; the path itself where Auth0 has no such call. */
  readonly path: string;
  /** The decoded path below `/api/v2`, without the query. */
  readonly url: string;
  /** When it came, in milliseconds. */
  readonly at: number;
}

/** A call in the log. */
export interface Call extends CallSummary {
  /** What was answered; `reset` and `hang` for an injected fault; undefined while the call runs. */
  readonly status: number | "reset" | "hang" | undefined;
}

/** How many calls of each sort there were. */
export interface CallCounts {
  /** Management calls, but for the listing of the role names, which a process makes once. */
  readonly management: number;
  readonly token: number;
  /** Listings of the role names (`GET /roles`). */
  readonly roles: number;
}

/** Every token and Management call since the start or the last reset, in the order they came. */
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

  /** Refused and failed calls count too. */
  counts(): CallCounts {
    const token = this.#calls.filter(({ api }) => api === "token").length;
    const roles = this.#calls.filter(({ method, path }) => method === "GET" && path === "/roles").length;
    return { token, roles, management: this.#calls.length - token - roles };
  }

  /** Forgets all calls. */
  clear(): void {
    this.#calls.length = 0;
  }
}

import type { CallSummary } from "./call-log.ts";
import type { Answer } from "./refused-call.ts";

/** How a faulty call ends. */
export type FaultAnswer =
  /** An answer of your own; the body defaults to the service's error body for that status. */
  | Answer
  /** The connection breaks off and nothing was done. */
  | "reset"
  /** Nothing was done and no answer ever comes; the connection stays open. */
  | "hang"
  /** The call is done, then the connection breaks off: the caller can't know. */
  | "answerThenReset";

/** A fault that a test injects. */
export interface FaultOptions {
  /** E.g. `POST`; any if left out. */
  readonly method?: string;
  /** A template, or a pattern for the path below the API's root (`path` and `url` of the call); any if left out. */
  readonly path?: string | RegExp;
  /** How many calls fail; 1 if left out, `Infinity` for all. */
  readonly times?: number;
  /** How many matching calls go well first; 0 if left out. */
  readonly skip?: number;
  readonly answer: FaultAnswer;
  /** Whether the call is done before it fails; false if left out, and always true for `answerThenReset`. */
  readonly executed?: boolean;
}

/** A fault in place. */
export interface Fault {
  /** How many calls it has failed. */
  readonly hits: number;
  /** Takes it away. */
  remove(): void;
}

/** A fault that befalls one call. */
export interface Mishap {
  readonly ending: "reset" | "hang" | Answer;
  readonly executed: boolean;
}

interface ArmedFault {
  readonly options: FaultOptions;
  skipped: number;
  hits: number;
}

/** The faults in place; the oldest that fits a call befalls it. */
export class Faults {
  readonly #armed = new Set<ArmedFault>();

  /** Puts a fault in place. */
  add(options: FaultOptions): Fault {
    const fault: ArmedFault = { options, skipped: 0, hits: 0 };
    this.#armed.add(fault);
    return { get hits() {
      return fault.hits;
    }, remove: () => this.#armed.delete(fault) };
  }

  /** The fault that befalls this call, which is then used up by one. */
  take(call: CallSummary): Mishap | undefined {
    for (const fault of this.#armed) {
      const { options } = fault;
      if (!fits(options, call)) continue;
      if (fault.skipped < (options.skip ?? 0)) {
        fault.skipped += 1;
        continue;
      }
      fault.hits += 1;
      if (fault.hits >= (options.times ?? 1)) this.#armed.delete(fault);
      if (options.answer === "answerThenReset") return { ending: "reset", executed: true };
      return { ending: options.answer, executed: options.executed ?? false };
    }
    return undefined;
  }

  /** Takes all away. */
  clear(): void {
    this.#armed.clear();
  }
}

function fits({ method, path }: FaultOptions, call: CallSummary): boolean {
  if (method !== undefined && method.toUpperCase() !== call.method) return false;
  if (path === undefined) return true;
  return typeof path === "string" ? path === call.path : call.url.search(path) >= 0;
}

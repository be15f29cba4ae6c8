import type { Answer } from "./answer.ts";
import type { CallSummary } from "./call-log.ts";

/** How a faulty call ends: an answer of your own, a connection that breaks, or no answer ever. */
export type FaultAnswer = Answer | "reset" | "hang";

/** A fault that a test injects. Nothing is done by a call that it befalls. */
export interface FaultOptions {
  /** Any if left out. */
  readonly method?: string;
  /** A template (`/sales/:id`), or a pattern for the path below `/v2`; any if left out. */
  readonly path?: string | RegExp;
  /** How many calls fail; 1 if left out, `Infinity` for all. */
  readonly times?: number;
  /** How many matching calls go well first; 0 if left out. */
  readonly skip?: number;
  readonly answer: FaultAnswer;
}

/** A fault in place. */
export interface Fault {
  /** How many calls it has failed. */
  readonly hits: number;
  /** Takes it away. */
  remove(): void;
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
    return {
      get hits() {
        return fault.hits;
      },
      remove: () => this.#armed.delete(fault),
    };
  }

  /** What befalls this call, which uses the fault up by one. */
  take(call: CallSummary): FaultAnswer | undefined {
    for (const fault of this.#armed) {
      const { method, path, times = 1, skip = 0, answer } = fault.options;
      if (method !== undefined && method.toUpperCase() !== call.method) continue;
      if (typeof path === "string" ? path !== call.path : path !== undefined && call.url.search(path) < 0) continue;
      if (fault.skipped < skip) {
        fault.skipped += 1;
        continue;
      }
      fault.hits += 1;
      if (fault.hits >= times) this.#armed.delete(fault);
      return answer;
    }
    return undefined;
  }

  /** Takes all away. */
  clear(): void {
    this.#armed.clear();
  }
}

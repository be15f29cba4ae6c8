/** A clock that nothing but waiting moves: hours of it pass in seconds, through whatever code waits by it. */
export type SimulatedClock = ReturnType<typeof simulatedClock>;

/** How often nothing may be due in a row, while libraries read a body, before somebody waits for what never comes. */
const MOST_IDLE = 10_000;

/** What is to happen once. */
class Due {
  readonly at: number;
  /** Those of one moment come in the order in which they were asked for. */
  readonly nth: number;
  go: (() => void) | null;

  constructor(at: number, nth: number, go: () => void) {
    this.at = at;
    this.nth = nth;
    this.go = go;
  }
}

const isBefore = (a: Due, b: Due) => a.at < b.at || (a.at === b.at && a.nth < b.nth);

/** What is due first comes out first: a binary heap, as a burst of 10,000 has 100,000 timers at once. */
function calendar() {
  const heap: Due[] = [];
  let count = 0;
  function swap(a: number, b: number): void {
    const [first, second] = [heap[a], heap[b]];
    if (first === undefined || second === undefined) return;
    heap[a] = second;
    heap[b] = first;
  }
  const precedes = (a: number, b: number): boolean => {
    const [first, second] = [heap[a], heap[b]];
    return first !== undefined && (second === undefined || isBefore(first, second));
  };
  return { add: (at: number, go: () => void): Due => {
    const event = new Due(at, count++, go);
    let place = heap.push(event) - 1;
    for (let parent = (place - 1) >> 1; place > 0 && precedes(place, parent); parent = (place - 1) >> 1) {
      swap(place, parent);
      place = parent;
    }
    return event;
  }, next: (): Due | undefined => {
    swap(0, heap.length - 1);
    const event = heap.pop();
    for (let place = 0;;) {
      const child = precedes(2 * place + 1, 2 * place + 2) ? 2 * place + 1 : 2 * place + 2;
      if (!precedes(child, place)) return event;
      swap(child, place);
      place = child;
    }
  } };
}

/** A clock that begins at `start` (epoch ms). */
export function simulatedClock(start: number) {
  let now = start;
  const due = calendar();
  const at = (when: number, go: () => void): Due => due.add(when, go);
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      at(now + ms, () => {
        if (signal?.aborted === true) reject(new DOMException("The time is up.", "AbortError"));
        else resolve();
      });
    });

  return {
    now: () => now,
    sleep,
    at,
    /** Lets time pass until `isDone`, with the global timers on this clock, as libraries wait by those. */
    run: async (isDone: () => boolean): Promise<void> => {
      const { setImmediate: immediately, setTimeout: realSet, clearTimeout: realClear } = globalThis;
      Object.assign(globalThis, { setTimeout: (go: () => void, ms = 0) => at(now + ms, go),
        clearTimeout: (timer?: Due | NodeJS.Timeout | number) => {
          // What else runs in this process may end a timer from before.
          if (timer instanceof Due) timer.go = null;
          else realClear(timer);
        } });
      const settled = async () => new Promise<void>((resolve) => immediately(resolve));
      try {
        for (let idle = 0; idle < MOST_IDLE;) {
          await settled();
          await settled();
          if (isDone()) return;
          let next = due.next();
          while (next?.go === null) next = due.next();
          idle = next === undefined ? idle + 1 : 0;
          now = Math.max(now, next?.at ?? now);
          next?.go?.();
        }
        throw new Error("somebody waits for what never comes");
      } finally {
        Object.assign(globalThis, { setTimeout: realSet, clearTimeout: realClear });
      }
    },
  };
}

/** Chance that is always the same: numbers from 0 to below 1. */
export function seededChance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

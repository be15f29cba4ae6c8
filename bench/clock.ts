import { mock } from "node:test";

/** A clock that nothing but waiting moves: hours of it pass in seconds, through whatever code waits by it. */
export type SimulatedClock = ReturnType<typeof simulatedClock>;

/** How often nothing may be due in a row, while libraries read a body, before somebody waits for what never comes. */
const MOST_IDLE = 10_000;

/** A clock that begins at `start` (epoch ms). */
export function simulatedClock(start: number) {
  let now = start;
  /** By time, the latest first. */
  const due: { readonly at: number; readonly go: () => void }[] = [];

  function at(when: number, go: () => void) {
    const event = { at: when, go };
    let [low, high] = [0, due.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((due[middle]?.at ?? 0) > when) low = middle + 1;
      else high = middle;
    }
    due.splice(low, 0, event);
    return event;
  }
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
      const { setImmediate: immediately } = globalThis;
      const timers = [
        mock.method(globalThis, "setTimeout", (go: () => void, ms = 0) => at(now + ms, go)),
        mock.method(globalThis, "clearTimeout", (event: { readonly at: number; readonly go: () => void }) => {
          const position = due.indexOf(event);
          if (position >= 0) due.splice(position, 1);
        }),
      ];
      const settled = async () => new Promise<void>((resolve) => immediately(resolve));
      try {
        for (let idle = 0; idle < MOST_IDLE;) {
          await settled();
          await settled();
          if (isDone()) return;
          const next = due.pop();
          idle = next === undefined ? idle + 1 : 0;
          now = Math.max(now, next?.at ?? now);
          next?.go();
        }
        throw new Error("somebody waits for what never comes");
      } finally {
        for (const timer of timers) timer.mock.restore();
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

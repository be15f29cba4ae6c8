/** The emulator's time: another clock, moved forward. It never runs backwards by itself. */
export class Clock {
  readonly #base: () => number;
  readonly #forward: ((milliseconds: number) => void) | undefined;
  #offset = 0;

  /** `base` gives epoch milliseconds. With `forward` that clock itself is moved, for all who go by it. */
  constructor(base: () => number, forward?: (milliseconds: number) => void) {
    this.#base = base;
    this.#forward = forward;
  }

  /** Epoch milliseconds. */
  now(): number {
    return this.#base() + this.#offset;
  }

  /** Moves forward to a time; a time that has passed changes nothing. */
  moveTo(at: number): void {
    const milliseconds = at - this.now();
    if (milliseconds <= 0) return;
    if (this.#forward === undefined) this.#offset += milliseconds;
    else this.#forward(milliseconds);
  }

  /** Back to the clock beneath; how far that one was moved stays. */
  reset(): void {
    this.#offset = 0;
  }
}

/** A time as Rails writes it: whole seconds, UTC. */
export function timeText(at: number): string {
  return `${new Date(Math.floor(at / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

const MONTHS = { monthly: 1, quarterly: 3, biannually: 6, yearly: 12, every_two_years: 24 } as const;

/** How often a membership is charged, in Gumroad's words. */
export type Recurrence = keyof typeof MONTHS;

/** One period later. The 31st becomes the last day of a shorter month. */
export function onePeriodAfter(at: number, recurrence: Recurrence): number {
  const date = new Date(at);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + MONTHS[recurrence]);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.getTime();
}

/** What kind of thing is due: something in the shop, or a ping that waits to be posted. */
export type Due = "shop" | "ping";

/** Something that happens later. */
export interface Appointment {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly due: Due;
  readonly happen: () => void;
}

/** What falls due by time, in order of time; at the same moment in the order it was put in. */
export class Agenda {
  readonly #appointments: Appointment[] = [];

  /** Puts something in; the function returned takes it out again. */
  put(appointment: Appointment): () => void {
    this.#appointments.splice(this.#placeAfter(appointment.at), 0, appointment);
    return () => {
      const place = this.#appointments.indexOf(appointment);
      if (place >= 0) this.#appointments.splice(place, 1);
    };
  }

  /** Takes out the next thing due at or before a time. `only` looks at one kind. */
  next(until: number, only?: Due): Appointment | undefined {
    const place = only === undefined ? 0 : this.#appointments.findIndex(({ due }) => due === only);
    const found = this.#appointments[place];
    if (found === undefined || found.at > until) return undefined;
    this.#appointments.splice(place, 1);
    return found;
  }

  /** How many things are still to come. */
  get size(): number {
    return this.#appointments.length;
  }

  /** Forgets everything. */
  clear(): void {
    this.#appointments.length = 0;
  }

  #placeAfter(at: number): number {
    let low = 0;
    let high = this.#appointments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#appointments[middle]?.at ?? at) <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

import type { Act, Decision } from "../../src/access/facts.ts";

/** What operators decided, and what counts of it: a plain list, searched anew each time. */
export class OperatorsBook {
  readonly #acts: { readonly about: string; readonly act: Act }[] = [];

  /** Notes a decision about a sale, a subscription, or somebody's grant. `at` is epoch ms. */
  note(about: string, at: number, decision: Decision): Act {
    // Falling numbers, so that of two acts at one moment it isn't always the later written that counts.
    const act: Act = { at, id: `act ${String(999 - this.#acts.length)}`, by: "dee", why: "asked by mail", decision };
    this.#acts.push({ about, act });
    return act;
  }

  /** When it was moved away, if that was decided last. */
  movedAt(about: string): number | undefined {
    const last = this.#last(about);
    return last?.decision.kind === "move" ? last.at : undefined;
  }

  /** What the last decision means now; null: that the shop's books decide. */
  lastWord(about: string, now: number): "has" | "has not" | null {
    const last = this.#last(about);
    if (last === undefined || last.decision.kind === "follow") return null;
    if (last.decision.kind !== "give") return "has not";
    return last.decision.until === null || now < last.decision.until ? "has" : null;
  }

  #last(about: string): Act | undefined {
    const acts = this.#acts.filter((noted) => noted.about === about).map(({ act }) => act);
    const latest = Math.max(...acts.map(({ at }) => at));
    return acts.filter(({ at }) => at === latest).sort((a, b) => b.id.localeCompare(a.id))[0];
  }
}

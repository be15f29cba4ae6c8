/**
 * What became of one step: it was right already; it was done; it would be done, in a dry run; or a person has to do
 * it.
 */
export type StepOutcome = "kept" | "done" | "planned" | "by hand";

/** One step of an operation that changes several things. */
export interface Step {
  readonly step: string;
  readonly outcome: StepOutcome;
  readonly detail: string;
}

/** The steps of an operation, told as they happen. */
export interface Steps {
  readonly all: readonly Step[];
  /** Nothing to do. */
  kept(step: string, detail: string): void;
  /** Does it, unless this is a dry run. What `make` throws goes on to the caller. */
  change(step: string, detail: string, make: () => Promise<unknown>): Promise<void>;
  /** Needs a person; the operation goes on. */
  byHand(step: string, detail: string): void;
}

/** An empty list of steps. */
export function makeSteps(told: (step: Step) => void, dryRun: boolean): Steps {
  const all: Step[] = [];
  const add = (step: string, outcome: StepOutcome, detail: string): void => {
    all.push({ step, outcome, detail });
    told({ step, outcome, detail });
  };
  return { all, kept: (step, detail) => {
    add(step, "kept", detail);
  }, change: async (step, detail, make) => {
    if (!dryRun) await make();
    add(step, dryRun ? "planned" : "done", detail);
  }, byHand: (step, detail) => {
    add(step, "by hand", detail);
  } };
}

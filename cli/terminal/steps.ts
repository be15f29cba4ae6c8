import type { Output, Tone } from "./output.ts";

/**
 * What became of one step: it was right already; it was done; it would be done, in a dry run; or a person has to do
 * it.
 */
export type Outcome = "kept" | "done" | "planned" | "by hand";

/** One step of a command that changes several things, as `--json` shows it. */
export interface Step {
  readonly step: string;
  readonly outcome: Outcome;
  readonly detail: string;
}

/** The steps of a command, told as they happen. */
export interface Steps {
  readonly all: readonly Step[];
  /** Nothing to do. */
  kept(step: string, detail: string): void;
  /** Does it, unless this is a dry run. What `make` throws goes on to the caller. */
  change(step: string, detail: string, make: () => Promise<void>): Promise<void>;
  /** Needs a person; the command goes on. */
  byHand(step: string, detail: string): void;
}

const TONES: Readonly<Record<Outcome, Tone>> = { kept: "quiet", done: "good", planned: "strong",
  "by hand": "warning" };
const WIDTH = "by hand".length;

/** An empty list of steps. */
export function makeSteps(output: Output, dryRun: boolean): Steps {
  const all: Step[] = [];
  const add = (step: string, outcome: Outcome, detail: string): void => {
    all.push({ step, outcome, detail });
    output.say(`${output.tone(TONES[outcome], outcome.padEnd(WIDTH))}  ${step}: ${detail}`);
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

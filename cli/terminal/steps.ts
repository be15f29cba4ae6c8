import type { Step, StepOutcome } from "../operations/steps.ts";
import type { Output, Tone } from "./output.ts";

const TONES: Readonly<Record<StepOutcome, Tone>> = { kept: "quiet", done: "good", planned: "strong",
  "by hand": "warning" };
const WIDTH = "by hand".length;

/** Says what became of a step, as it happens. */
export function stepSaid({ say, tone }: Pick<Output, "say" | "tone">): (step: Step) => void {
  return ({ step, outcome, detail }) => say(`${tone(TONES[outcome], outcome.padEnd(WIDTH))}  ${step}: ${detail}`);
}

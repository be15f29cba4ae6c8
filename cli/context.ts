import type { Policy } from "../src/access/policy.ts";
import type { ExitCode } from "./failures.ts";
import type { Output } from "./terminal/output.ts";
import type { Questions } from "./terminal/questions.ts";
import type { Stage } from "./stage/stage.ts";

/** The world around the program: what a test puts in its place. */
export interface World {
  readonly env: NodeJS.ProcessEnv;
  /** Print a text and a line end on stdout, and on stderr. */
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
  readonly colours: boolean;
  /** How many columns the terminal has; left out or null where nobody reads along. */
  readonly columns?: number | null;
  /** Null where nobody can be asked. */
  readonly questions: Questions | null;
  readonly openStage: (name: string, env: NodeJS.ProcessEnv) => Promise<Stage>;
  /** The policy of src/products.ts. Throws ConfigError POLICY_INVALID. */
  readonly policy: () => Promise<Policy>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<void>;
}

/** What a command works with. */
export interface Context extends Omit<World, "print" | "openStage" | "colours" | "columns"> {
  /** Epoch milliseconds: the stage's own time, once it is open. */
  readonly now: () => number;
  readonly output: Output;
  /** The name given with `--stage`. */
  readonly stageName: () => string;
  /**
   * The stage given with `--stage`: opened at the first call, closed when the command is done. Throws as `openStage`.
   */
  readonly stage: () => Promise<Stage>;
  /** The whole command that somebody would type, for this stage: `npx gumroad-auth0 setup --stage prod`. */
  readonly commandLine: (command: string) => string;
  /**
   * Makes a command's action of what it does: give its result to commander's `action`. What it returns is the exit
   * code (0 for nothing); what it throws becomes one line on stderr.
   */
  readonly action: <Args extends unknown[]>(
    work: (...args: Args) => Promise<ExitCode | undefined>,
  ) => (...args: Args) => Promise<void>;
}

import { ConfigError } from "../../src/errors.ts";

/** Asks the person at the terminal. */
export interface Questions {
  /** A line, trimmed; `fallback` for an empty one. */
  ask(question: string, fallback?: string): Promise<string>;
  /** As `ask`, but what is typed is not shown. */
  askSecret(question: string): Promise<string>;
  /** Yes or no; `fallback` for an empty line. */
  confirm(question: string, fallback: boolean): Promise<boolean>;
}

/** What somebody types at, and where the questions are shown. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/**
 * Questions at a terminal. Where nobody sits there (a script, a pipe), there are none: a command then says which flags
 * it needs. All throw ConfigError ASKING_STOPPED on Ctrl-C and Ctrl-D.
 */
export function terminalQuestions(terminal: Terminal): Questions {
  return { ask: async (message, fallback = "") => {
    const { input } = await import("@inquirer/prompts");
    return (await answered(input({ message, ...(fallback === "" ? {} : { default: fallback }) }, terminal))).trim();
  }, askSecret: async (message) => {
    const { password } = await import("@inquirer/prompts");
    return (await answered(password({ message: `${message} (not shown)` }, terminal))).trim();
  }, confirm: async (message, fallback) => {
    const { confirm } = await import("@inquirer/prompts");
    return answered(confirm({ message, default: fallback }, terminal));
  } };
}

async function answered<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw new ConfigError("ASKING_STOPPED", "stopped at a question: nothing more was changed", { cause: error });
  }
}

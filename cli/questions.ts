import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

import { ConfigError } from "../src/errors.ts";

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
export function terminalQuestions({ input, output }: Terminal): Questions {
  async function read(question: string, hidden: boolean): Promise<string> {
    // readline repeats what is typed on its output. For a secret that is a hole, and the question is written past it.
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => {
      done();
    } });
    const lines = createInterface({ input, output: hidden ? nowhere : output, terminal: true });
    const stopped = new AbortController();
    lines.once("SIGINT", () => {
      stopped.abort();
    });
    lines.once("close", () => {
      stopped.abort();
    });
    try {
      if (hidden) output.write(question);
      const answer = await lines.question(hidden ? "" : question, { signal: stopped.signal });
      if (hidden) output.write("\n");
      return answer.trim();
    } catch (error) {
      output.write("\n");
      throw new ConfigError("ASKING_STOPPED", "stopped at a question: nothing more was changed", { cause: error });
    } finally {
      lines.close();
    }
  }

  return {
    ask: async (question, fallback = "") =>
      (await read(`${question}${fallback === "" ? "" : ` [${fallback}]`}: `, false)) || fallback,
    askSecret: (question) => read(`${question} (not shown): `, true),
    confirm: async (question, fallback) => {
      for (;;) {
        const answer = (await read(`${question} [${fallback ? "Y/n" : "y/N"}]: `, false)).toLowerCase();
        if (answer === "") return fallback;
        if (answer === "y" || answer === "yes") return true;
        if (answer === "n" || answer === "no") return false;
      }
    },
  };
}

import { styleText } from "node:util";

import { table } from "./table.ts";

/** What a line is for: its colour on a terminal. */
export type Tone = "good" | "bad" | "warning" | "quiet" | "strong";

/**
 * Where a command's words go. People get lines and tables; with `--json`, a script gets the one object of `result` and
 * nothing else.
 */
export interface Output {
  /** Whether `--json` was given. */
  readonly json: boolean;
  /** A line, or several, for people. */
  say(text: string): void;
  /** A table, for people. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): void;
  /** The whole outcome for scripts, once a command: printed with `--json` only. */
  result(value: unknown): void;
  /** The text in its tone's colour where colours are wanted, else as it is. */
  tone(tone: Tone, text: string): string;
}

/** What `makeOutput` needs. */
export interface OutputParts {
  /** Prints a text and a line end on stdout. */
  readonly print: (text: string) => void;
  readonly colours: boolean;
  /** Asked at each use: the command line is read after the commands are made. */
  readonly json: () => boolean;
}

const STYLES = { good: "green", bad: "red", warning: "yellow", quiet: "dim", strong: "bold" } as const;

/** The output of a command. */
export function makeOutput({ print, colours, json }: OutputParts): Output {
  const say = (text: string): void => {
    if (!json()) print(text);
  };
  return {
    get json() {
      return json();
    },
    say,
    table: (head, rows) => {
      say(table(head, rows));
    },
    result: (value) => {
      if (json()) print(JSON.stringify(value, null, 2));
    },
    tone: (tone, text) => (colours ? styleText(STYLES[tone], text, { validateStream: false }) : text),
  };
}

/** Colours are for terminals, unless `NO_COLOR` says otherwise (https://no-color.org). */
export function wantsColours(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  return isTerminal && (env["NO_COLOR"] ?? "") === "";
}

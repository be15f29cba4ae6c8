import { stripVTControlCharacters, styleText } from "node:util";

import { table } from "./table.ts";
import { wrapped } from "./wrapped.ts";

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
  /** How many columns the terminal has; null where there is none, and lines stay as they are. */
  readonly columns?: number | null;
  /** Asked at each use: the command line is read after the commands are made. */
  readonly json: () => boolean;
}

const STYLES = { good: "green", bad: "red", warning: "yellow", quiet: "dim", strong: "bold" } as const;

/** What `tone` writes before and after a text. */
const OWN_COLOURS = new Set(
  Object.values(STYLES).flatMap((style) => styleText(style, "|", { validateStream: false }).split("|")),
);
/** Control characters, and what turns the direction of a text or can't be seen in it. */
const UNSHOWN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A text as a terminal may get it: whoever buys decides what some of the texts are that a command shows. */
export function printable(text: string): string {
  return text
    .split(/(\p{Cc}\[\d+m)/u)
    .map((part) => (OWN_COLOURS.has(part) ? part : stripVTControlCharacters(part).replace(UNSHOWN, "")))
    .join("");
}

/** JSON in which no character does anything to a terminal, and none is lost. */
function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(UNSHOWN,
    (found) => found.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""));
}

/** The output of a command. */
export function makeOutput({ print, colours, json, columns = null }: OutputParts): Output {
  const say = (text: string): void => {
    if (!json()) print(columns === null ? printable(text) : wrapped(printable(text), columns));
  };
  return { get json() {
    return json();
  }, say, table: (head, rows) => {
    say(table(head, rows.map((cells) => cells.map((cell) => printable(cell).replaceAll(/\s/g, " "))), columns));
  }, result: (value) => {
    if (json()) print(printableJson(value));
  }, tone: (tone, text) => (colours ? styleText(STYLES[tone], text, { validateStream: false }) : text) };
}

/** Colours are for terminals, unless `NO_COLOR` says otherwise (https://no-color.org). */
export function wantsColours(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  return isTerminal && (env["NO_COLOR"] ?? "") === "";
}

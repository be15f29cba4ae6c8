import { stripVTControlCharacters } from "node:util";

/** Lines go on so far to the right of where they began. */
const INDENT = "  ";

/**
 * A text with no line wider than the terminal: broken at blanks, and further in where it goes on. A word that is wider
 * stays whole, as an address or a command must be to be copied.
 */
export function wrapped(text: string, columns: number): string {
  return text.split("\n").map((line) => (width(line) <= columns ? line : broken(line, columns))).join("\n");
}

function broken(line: string, columns: number): string {
  const start = /^\s*/.exec(line)?.[0] ?? "";
  const lines = [""];
  for (const [, blanks = "", word = ""] of line.matchAll(/(\s*)(\S+)/g)) {
    const last = lines.at(-1) ?? "";
    if (last === "" || width(last + blanks + word) <= columns) lines[lines.length - 1] = last + blanks + word;
    else lines.push(`${start}${INDENT}${word}`);
  }
  return lines.join("\n");
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}

import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";

import { markdown, type Table } from "./figures.ts";

/** One part of a run: its tables, and what it took. */
export interface PartRun {
  readonly name: string;
  readonly tables: readonly Table[];
  readonly seconds: number;
  /** The machine's load average of the last minute when it began: above its cores, times say little. */
  readonly load: number;
}

/** Where, when and how busy: one line for each part, as parts may be measured apart. */
export function circumstances({ seconds, load }: Pick<PartRun, "seconds" | "load">, now: Date): string {
  const [first, ...others] = cpus();
  return `${now.toISOString().slice(0, 16).replace("T", " ")} UTC, ${String(others.length + 1)} × ${
    first?.model ?? "an unknown processor"
  }, Node ${process.version.slice(1)}; load ${load.toFixed(1)} at the beginning; ${seconds.toFixed(0)} s`;
}

/**
 * Puts each part's tables between its two markers in the file, and leaves the rest of the file alone.
 * Throws where a part has no markers.
 */
export function writeInto(file: string, parts: readonly PartRun[], now: Date): void {
  let text = readFileSync(file, "utf8");
  for (const { name, tables, ...measured } of parts) {
    const [begin, end] = [`<!-- bench ${name} -->`, `<!-- /bench ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${file} has no ${begin} … ${end} for the tables of ${name}`);
    text = [text.slice(0, from + begin.length), `*${circumstances(measured, now)}.*`, ...tables.map(markdown),
      text.slice(to)].join("\n\n");
  }
  writeFileSync(file, text);
}

/** What a person sees of the bundles: a table, and whether one has outgrown its budget. */
import type { FunctionBundle } from "./bundle.ts";

/**
 * A table of the bundles: name, size and budget in KB (1 KB = 1024 bytes), and which are over it.
 * @returns lines joined by newlines, without one at the end
 */
export function sizeTable(bundles: readonly FunctionBundle[]): string {
  const rows = [
    ["function", "bundle", "budget", ""],
    ...bundles.map((
      each,
    ) => [each.name, inKb(each.bytes), inKb(each.budget), each.bytes > each.budget ? "OVER" : "ok"]),
  ];
  const width = (column: number) => Math.max(...rows.map((row) => (row[column] ?? "").length));
  const widths = [0, 1, 2].map(width);
  return rows
    .map(([name = "", ...cells]) =>
      [name.padEnd(widths[0] ?? 0), ...cells.map((cell, at) => cell.padStart(widths[at + 1] ?? 0))].join("  ")
        .trimEnd()
    )
    .join("\n");
}

/** The names of the functions whose bundle is over its budget. */
export function overBudget(bundles: readonly FunctionBundle[]): string[] {
  return bundles.filter(({ bytes, budget }) => bytes > budget).map(({ name }) => name);
}

function inKb(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}

/**
 * Columns as wide as their widest cell, two spaces between them, a rule below the head. Where the terminal has no room
 * for that, a row is a block: a line for each cell that isn't empty.
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[],
  columns: number | null = null): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd();
  const lines = [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
  if (columns === null || lines.every(({ length }) => length <= columns)) return lines.join("\n");
  const longest = Math.max(...head.map(({ length }) => length));
  return rows.map((row) =>
    row.flatMap((cell, column) => (cell === "" ? [] : [`${(head[column] ?? "").padEnd(longest)}  ${cell}`])).join("\n")
  ).join("\n\n");
}

/**
 * A line of CSV. Outsiders choose some of the texts: what a spreadsheet would take for a formula begins with an
 * apostrophe.
 */
export function csvLine(cells: readonly string[]): string {
  return cells.map((cell) => {
    const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }).join(",");
}

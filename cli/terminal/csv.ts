/**
 * A line of CSV. Outsiders choose some of the texts: what a spreadsheet would take for a formula, also in the
 * full-width signs of a Japanese one, begins with an apostrophe.
 */
export function csvLine(cells: readonly string[]): string {
  return cells.map((cell) => {
    const text = /^[=+\-@＝＋－＠\t\r\n]/.test(cell) ? `'${cell}` : cell;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }).join(",");
}

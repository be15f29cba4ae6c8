/** A table as it is printed and as JSON. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences under it: first where the handbook's way is ahead, and why. */
  readonly notes: readonly string[];
  /** Rows on which the handbook's way is ahead for no reason that is known. */
  readonly unexplained: readonly string[];
}

/** A figure of both ways. */
export interface Pair {
  readonly what: string;
  readonly ours: number;
  readonly theirs: number;
  readonly better: "less" | "more";
  /** Why the handbook's way may be ahead here. Left out: it mustn't be. */
  readonly why?: string | undefined;
}

/** Figures this close (a part of them) are called level. */
const LEVEL = 0.02;

/** Where the handbook's way is ahead, and why: the first note of a table. */
export function standing(pairs: readonly Pair[]): Pick<Table, "notes" | "unexplained"> {
  const behind = pairs.filter(({ ours, theirs, better }) =>
    better === "less" ? ours > theirs * (1 + LEVEL) : ours < theirs * (1 - LEVEL)
  );
  const unexplained = behind.filter(({ why }) => why === undefined).map(({ what }) => what);
  if (behind.length === 0) return { notes: ["Ahead of the handbook's way on every row, or level."], unexplained };
  const reasons = Map.groupBy(behind, ({ why }) => why ?? "no reason is known");
  return { unexplained,
    notes: [...reasons].map(([why, pairsOf]) =>
      `**Behind the handbook's way** (${
        pairsOf.map(({ what, ours, theirs }) => `${what}: ${times(ours, theirs)}`).join("; ")
      }): ${why}.`
    ) };
}

/** What is said under a table that the handbook's way has nothing to put into. */
export function alone(note: string): Pick<Table, "notes" | "unexplained"> {
  return { notes: [`The handbook's way has none to compare: ${note}`], unexplained: [] };
}

/** The value below which this part (0 to 1) of the sorted values lies. */
export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** The values in order. */
export function inOrder(values: readonly number[]): readonly number[] {
  return [...values].sort((a, b) => a - b);
}

/** A number as short as it still says something. */
export function brief(value: number, unit = ""): string {
  if (!Number.isFinite(value)) return "–";
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : value >= 0.01 ? 2 : 4;
  return `${value.toFixed(digits)}${unit === "" ? "" : ` ${unit}`}`;
}

/** How many times `ours` is `other`. */
export function times(ours: number, other: number): string {
  return other === 0 || !Number.isFinite(ours / other) ? "–" : `${brief(ours / other)} ×`;
}

/** The table in Markdown, with its notes. */
export function markdown({ title, columns, rows, notes }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [`**${title}**`, "", line(columns), line(columns.map(() => "---")), ...rows.map(line), "",
    ...notes.map((note) => `- ${note}`)].join("\n");
}

/** In characters, of a category, an option or a tier: far above any real one. */
export const LONGEST_NAME = 300;
const MOST_VARIANTS = 20;

/** A name as a seller can have typed it. */
export function label(text: string): string {
  return text.replace(/\p{Cc}/gu, "");
}

/** Chosen options, as `{"Tier": "Basic"}`, in sorted pairs; null for what is no object of names. */
export function variantsIn(options: unknown): [string, string][] | null {
  if (options === undefined || options === null || options === "") return [];
  if (typeof options !== "object") return null;
  const entries: [string, unknown][] = Object.entries(options);
  const pairs = entries.flatMap(([category, name]): [string, string][] =>
    Array.isArray(options) || typeof name !== "string" || category.length > LONGEST_NAME || name.length > LONGEST_NAME
      ? []
      : [[label(category), label(name)]]
  );
  if (pairs.length < entries.length || pairs.length > MOST_VARIANTS) return null;
  return pairs.sort(([a], [b]) => (a < b ? -1 : 1));
}

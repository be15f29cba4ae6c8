/** A field of an answer, whatever it is; undefined where it has none. */
export function fieldIn(body: unknown, field: string): unknown {
  return typeof body === "object" && body !== null ? Reflect.get(body, field) : undefined;
}

/** A text field of an answer; null where it has none. */
export function textIn(body: unknown, field: string): string | null {
  const value = fieldIn(body, field);
  return typeof value === "string" ? value : null;
}

/** The texts of a list in an answer. */
export function textsIn(body: unknown, field: string): readonly string[] {
  const value = fieldIn(body, field);
  return Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
}

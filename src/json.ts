/** What a JSON text holds; undefined where it is none. No error tells: it would quote the text, secret or email. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** In every text that a hostile request holds: no answer repeats it. */
const MARK = "qzjkmark";
/** In passwords, tokens and emails, beside the at sign: no line of a log holds it. */
export const SECRET_MARK = "qzjkhush";

/** Puts the mark into a text, somewhere. */
export function withMark(text: string, at: number): string {
  const units = Array.from(text);
  return [...units.slice(0, at), MARK, ...units.slice(at)].join("");
}

/** Whether a text repeats anything that a request said. */
export function isMarked(text: string): boolean {
  return /qzjk(?:mark|hush)/i.test(text);
}

/** Whether a text holds what must stay between the caller and us. */
export function isSecret(text: string): boolean {
  return text.toLowerCase().includes(SECRET_MARK);
}

import { HttpError } from "../http/errors.ts";

/** The longest stored username, in code points: the longest email address there is. */
export const longestUsername = 254;

/** What is longer, in UTF-16 units, is refused before it is normalized: NFKC can make a text 18 times longer. */
const longestTyped = 1_024;

/** Controls, line breaks, format characters, lone surrogates, private use, unassigned: much hides in those. */
const neverInAName = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** Case folding. Upper case first joins "ß" and "ss"; the final sigma is a matter of spelling. */
function fold(text: string): string {
  return text.normalize("NFKC").toUpperCase().toLowerCase().replaceAll("ς", "σ").normalize("NFKC");
}

/** A fold can open a character that folds again. */
function foldFully(text: string): string {
  const once = fold(text);
  return once === text ? once : foldFully(once);
}

/**
 * The stored form of a username: NFKC, case-folded, trimmed, each run of spaces one space; that of itself is itself.
 * @throws {HttpError} 400 if it is empty, too long, or holds characters that can't be seen
 */
export function normalizeUsername(typed: string): string {
  if (typed.length > longestTyped) {
    throw new HttpError(400, `The username is longer than ${String(longestUsername)} characters`);
  }
  const folded = foldFully(typed.trim());
  if (neverInAName.test(folded)) throw new HttpError(400, "The username holds characters that can't be seen");
  const name = folded.replace(/\s+/gu, " ").trim();
  if (name === "") throw new HttpError(400, "The username is empty");
  if (Array.from(name).length > longestUsername) {
    throw new HttpError(400, `The username is longer than ${String(longestUsername)} characters`);
  }
  return name;
}

/** Which passwords are taken. At login only what can't be a password is refused: one that was taken stays good. */
import { HttpError } from "../http/errors.ts";

/** The shortest and the longest password, in code points after NFKC. Longer ones are refused, never cut. */
const [shortest, longest] = [8, 128];

/** Of what is longer, in UTF-16 units, nothing is looked at: NFKC can make a text 18 times longer. */
const longestTyped = 1_024;

/**
 * The lowest score taken, of zxcvbn's 0 to 4: 2 is beyond 10^6 guesses, which at the throttle's bound takes years.
 * With 3 no password of 8 characters would do, however random: the meter counts 10 guesses a character.
 */
const lowestScore = 2;

/** So many characters are rated, as the time grows faster than the length: what is strong in these is strong. */
const rated = 40;

/** Refuses (HttpError 400) what can't be anybody's password, before anything is computed from it. */
export function checkTypedPassword(password: string): void {
  if (password.length > longestTyped) {
    throw new HttpError(400, `The password is longer than ${String(longest)} characters`);
  }
  // Hashing would take every broken character for the same one.
  if (!password.isWellFormed()) throw new HttpError(400, "The password holds broken characters");
}

/** Refuses (HttpError 400) a new password by its length and how fast it would be guessed, not by its characters. */
export async function checkNewPassword(password: string, username: string): Promise<void> {
  checkTypedPassword(password);
  const normalized = password.normalize("NFKC");
  const length = Array.from(normalized).length;
  if (length < shortest) throw new HttpError(400, `The password is shorter than ${String(shortest)} characters`);
  if (length > longest) throw new HttpError(400, `The password is longer than ${String(longest)} characters`);
  if (username.includes(normalized.toLowerCase())) {
    throw new HttpError(400, "The password is easy to guess. It is a part of the username.");
  }
  const wordsOfTheName = [username, ...username.split(/[^\p{L}\p{N}]+/u).filter((word) => word.length > 2)];
  meter ??= loadMeter();
  const { score, feedback } = (await meter).check(normalized.slice(0, rated), wordsOfTheName);
  if (score >= lowestScore) return;
  const remarks = [feedback.warning ?? "", ...feedback.suggestions].filter((remark) => remark !== "");
  throw new HttpError(400, ["The password is easy to guess.", ...remarks].join(" "));
}

let meter: ReturnType<typeof loadMeter> | undefined;

/** zxcvbn. Its 1.6 MB of word lists take 0.2 s to read: only the first new password of a process pays for them. */
async function loadMeter() {
  const [{ ZxcvbnFactory }, common, english] = await Promise.all([
    import("@zxcvbn-ts/core"),
    import("@zxcvbn-ts/language-common"),
    import("@zxcvbn-ts/language-en"),
  ]);
  return new ZxcvbnFactory({
    // With its own 100 readings of "4@8({[<" as letters a password that is made for it costs ten times as much.
    l33tMaxSubstitutions: 8,
    dictionary: { ...common.dictionary, ...english.dictionary },
    graphs: common.adjacencyGraphs,
    translations: english.translations,
  });
}

/** Which passwords are taken. At login only what can't be a password is refused: one that was taken stays good. */
import { PasswordRefused } from "./errors.ts";

/** The shortest password, in code points after NFKC. */
const shortest = 8;

/** The longest password, in code points after NFKC. Longer ones are refused, never cut. */
const longest = 128;

/**
 * The longest password that is looked at at all, in UTF-16 units: NFKC can make a text 18 times longer,
 * and no password over {@link longest} was ever taken.
 */
const longestTyped = 1_024;

/**
 * The lowest score taken, of zxcvbn's 0 to 4: 2 is beyond 10^6 guesses, which at the throttle's bound takes years.
 * With 3 no password of 8 characters would do, however random: the meter counts 10 guesses a character, so these end
 * at 10^8.
 */
const lowestScore = 2;

/**
 * How much of a password is rated, in characters. The time grows faster than the length; what is strong
 * within this is strong, and a long password that repeats itself within it is weak.
 */
const rated = 40;

/**
 * Refuses what no user's password can be, before anything is computed from it.
 * @throws {PasswordRefused}
 */
export function checkTypedPassword(password: string): void {
  if (password.length > longestTyped) {
    throw new PasswordRefused(`The password is longer than ${String(longest)} characters`);
  }
  // Hashing would take every broken character for the same one.
  if (!password.isWellFormed()) throw new PasswordRefused("The password holds broken characters");
}

/**
 * Refuses a password that must not be set for a user, with a reason to show.
 * No rule on which characters: only length, and how fast it would be guessed.
 *
 * @throws {PasswordRefused}
 */
export async function checkNewPassword(password: string, username: string): Promise<void> {
  checkTypedPassword(password);
  const normalized = password.normalize("NFKC");
  const length = Array.from(normalized).length;
  if (length < shortest) throw new PasswordRefused(`The password is shorter than ${String(shortest)} characters`);
  if (length > longest) throw new PasswordRefused(`The password is longer than ${String(longest)} characters`);
  if (username.includes(normalized.toLowerCase())) {
    throw new PasswordRefused("The password is easy to guess. It is a part of the username.");
  }
  const wordsOfTheName = [username, ...username.split(/[^\p{L}\p{N}]+/u).filter((word) => word.length > 2)];
  meter ??= loadMeter();
  const { score, feedback } = (await meter).check(normalized.slice(0, rated), wordsOfTheName);
  if (score >= lowestScore) return;
  const remarks = [feedback.warning ?? "", ...feedback.suggestions].filter((remark) => remark !== "");
  throw new PasswordRefused(["The password is easy to guess.", ...remarks].join(" "));
}

let meter: ReturnType<typeof loadMeter> | undefined;

/**
 * The strength meter, zxcvbn. Its word lists are 1.6 MB, and reading them takes about 0.2 s, so they are
 * loaded by the first new password of a process and by nothing else: a login never pays for them.
 */
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

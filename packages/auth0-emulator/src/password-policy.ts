import { Refusal } from "./refusal.ts";

const SHORTEST = 8;
const CLASSES_NEEDED = 3;
const CLASSES = [/[a-z]/u, /[A-Z]/u, /[0-9]/u, /[^A-Za-z0-9]/u];

/**
 * Auth0's policy "good": at least 8 characters, of at least 3 of 4 classes (lower case, upper case, digits, others).
 * Throws the 400 of the Management API, which names no rule.
 */
export function requireGoodPassword(password: string): void {
  const classes = CLASSES.filter((pattern) => pattern.test(password)).length;
  if (password.length < SHORTEST || classes < CLASSES_NEEDED) {
    throw new Refusal(400, "PasswordStrengthError: Password is too weak");
  }
}

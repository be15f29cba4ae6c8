/** Changing a password: as a login first, with its throttle and its work; then the rules of a new password. */
import { TemporaryError } from "../errors.ts";
import { BadCredentials } from "./errors.ts";
import type { Login, LoginDependencies } from "./log-in.ts";
import { checkNewPassword, checkTypedPassword } from "./password-rules.ts";
import { normalizeUsername } from "./username.ts";

/** What changing a password works with. */
export type ChangePasswordDependencies = Pick<LoginDependencies, "users" | "throttle" | "passwords">;

/** What the caller typed, and from where; `password` is the current one. */
export interface PasswordChange extends Login {
  readonly newPassword: string;
}

/**
 * A login at the same moment may upgrade the hash under us: then once more, on the new one. Three times running is no
 * accident.
 */
const tries = 3;

/**
 * Replaces the password of a user who knows the current one. An unknown user costs the same reads and the same hash as
 * a wrong password, and gets the same error. Tokens given out before last out their time.
 *
 * @throws {UsernameRefused} @throws {PasswordRefused} what was typed can't be taken, with a reason; for the new
 * password only once the current one was right
 * @throws {TooManyAttempts} before anything was looked at
 * @throws {BadCredentials}
 * @throws {TemporaryError} ACCOUNTS_UNREACHABLE, PASSWORD_CONTENDED
 */
export async function changePassword(change: PasswordChange,
  { users, throttle, passwords }: ChangePasswordDependencies): Promise<void> {
  const { password, newPassword, address } = change;
  const username = normalizeUsername(change.username);
  checkTypedPassword(password);
  checkTypedPassword(newPassword);

  const admission = await throttle.admit({ username, address });
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const user = await users.find(username);
    const isTheirs = await passwords.verify(password, user?.passwordHash);
    if (user === undefined || !isTheirs) throw new BadCredentials();
    if (attempt === 1) await admission.succeeded("login");
    await checkNewPassword(newPassword, username);
    if (await users.replaceHash(user, await passwords.hash(newPassword))) return;
  }
  throw new TemporaryError("PASSWORD_CONTENDED", "The stored hash of a user was replaced by others again and again.");
}

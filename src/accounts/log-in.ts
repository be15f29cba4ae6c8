/** Logging in: throttle, look up, check the password or sign the user up, upgrade the hash, hand out a token. */
import type { ClientAddress } from "./client-address.ts";
import { BadCredentials } from "./errors.ts";
import { checkNewPassword, checkTypedPassword } from "./password-rules.ts";
import type { Passwords } from "./password.ts";
import type { Renewing } from "./renew.ts";
import type { Throttle } from "./throttle.ts";
import { normalizeUsername } from "./username.ts";
import type { User, Users } from "./users.ts";

/** Whether an unknown username becomes a new user. */
export type SignUp = "open" | "closed";

/** What logging in works with, and changing a password. */
export interface Accounts extends Pick<Renewing, "tokens" | "rolesOf" | "now"> {
  readonly users: Users;
  readonly throttle: Throttle;
  readonly passwords: Passwords;
  readonly signUp: SignUp;
}

/** What the caller typed, and from where. */
export interface Typed {
  readonly username: string;
  readonly password: string;
  readonly address: ClientAddress;
}

/**
 * Logs a user in, and signs them up first if nobody has the name and sign-up is open; `remember`: for long. With
 * sign-up closed an unknown user costs the same work as a wrong password, and gets the same error.
 *
 * @throws {InputRefused} {@link BadCredentials} {@link TooManyAttempts} before anything was looked at
 * @throws {TemporaryError} ACCOUNTS_UNREACHABLE
 */
export async function logIn(
  { username: typed, password, address, remember = false }: Typed & { readonly remember?: boolean | undefined },
  { users, throttle, passwords, tokens, rolesOf, signUp, now = Date.now }: Accounts,
) {
  const username = normalizeUsername(typed);
  checkTypedPassword(password);

  const admission = await throttle.admit({ username, address });
  const found = await users.find(username);
  let mine: User | undefined;
  if (found === undefined && signUp === "open") {
    await checkNewPassword(password, username);
    mine = { username, createdAt: new Date(now()).toISOString(), passwordHash: await passwords.hash(password) };
  }
  // If somebody else has signed up with this name a moment before, it is theirs, and only their password counts.
  const user = mine === undefined ? found : await users.create(mine);
  const isMine = mine !== undefined && user?.passwordHash === mine.passwordHash;
  const isTheirs = isMine || (await passwords.verify(password, user?.passwordHash));
  if (user === undefined || !isTheirs) throw new BadCredentials();
  if (!isMine && (await passwords.needsUpgrade(user.passwordHash))) {
    await users.replaceHash(user, await passwords.hash(password));
  }
  await admission.succeeded(isMine ? "sign-up" : "login");
  const login = { subject: username, roles: await rolesOf(user), loggedInAt: Math.floor(now() / 1_000), remember };
  return { user: { username, createdAt: user.createdAt }, token: await tokens.issue(login) };
}

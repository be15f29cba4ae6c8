import * as z from "zod/mini";

import { type HttpFunction, json, jsonBodyOf } from "../http/handler.ts";
import { clientAddress } from "./client-address.ts";
import { BadCredentials } from "./errors.ts";
import { checkNewPassword, checkTypedPassword } from "./password-rules.ts";
import type { createPasswords } from "./password.ts";
import type { Renewing } from "./renew.ts";
import type { Throttle } from "./throttle.ts";
import { normalizeUsername } from "./username.ts";
import { passwordSinceOf, type User, type Users } from "./users.ts";

/** What logging in works with, and changing a password. */
export interface Accounts extends Pick<Renewing, "tokens" | "rolesOf" | "now"> {
  readonly users: Users;
  readonly throttle: Throttle;
  readonly passwords: ReturnType<typeof createPasswords>;
  /** Whether an unknown username becomes a new user. */
  readonly signUp: "open" | "closed";
}

/** A field that every call of this kind has. */
export const textField = z.string().check(z.minLength(1));
const bodyShape = z.object({ username: textField, password: textField, remember: z._default(z.boolean(), false) });

/**
 * `POST /login {username, password, remember?}`: the user and a token; makes the user first if nobody has the name and
 * sign-up is open; else an unknown user costs the same work as a wrong password, and gets the same error.
 * @throws {HttpError} 400, 401; 429 before anything was looked at
 * @throws {TemporaryError} ACCOUNTS_UNREACHABLE
 */
export function loginCall(
  { users, throttle, passwords, tokens, rolesOf, signUp, now = Date.now }: Accounts,
): HttpFunction {
  return async (event) => {
    const { password, remember, ...typed } = jsonBodyOf(event, bodyShape);
    const username = normalizeUsername(typed.username);
    checkTypedPassword(password);

    const admission = await throttle.admit({ username, address: clientAddress(event.requestContext.http.sourceIp) });
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
    const token = await tokens.issue({ subject: username, roles: await rolesOf(user), remember,
      loggedInAt: Math.floor(now() / 1_000), passwordSince: passwordSinceOf(user) });
    return json({ user: { username, createdAt: user.createdAt }, token });
  };
}

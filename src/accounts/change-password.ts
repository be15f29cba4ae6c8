import * as z from "zod/mini";

import { TemporaryError } from "../errors.ts";
import { type HttpFunction, json, jsonBodyOf } from "../http/handler.ts";
import { clientAddress } from "./client-address.ts";
import { BadCredentials } from "./errors.ts";
import { type Accounts, textField } from "./log-in.ts";
import { checkNewPassword, checkTypedPassword } from "./password-rules.ts";
import { normalizeUsername } from "./username.ts";
import { hashOfCode, type User } from "./users.ts";

/** A login at the same moment may upgrade the hash under us: then once more. Three times running is no accident. */
const tries = 3;

const bodyShape = z.object({ username: textField, password: textField, newPassword: textField });

/**
 * `POST /password {username, password, newPassword}`: replaces the password of a user who knows the current one, or an
 * operator's one-time code, which it uses up. An unknown user costs the same work and gets the same error as a wrong
 * password; the new one is only looked at once the current one was right. Tokens from before aren't renewed.
 * @throws {HttpError} 400, 401; 429 before anything was looked at
 * @throws {TemporaryError} ACCOUNTS_UNREACHABLE, PASSWORD_CONTENDED
 */
export function passwordCall(
  { users, throttle, passwords, now = Date.now }: Pick<Accounts, "users" | "throttle" | "passwords" | "now">,
): HttpFunction {
  return async (event) => {
    const { password, newPassword, ...typed } = jsonBodyOf(event, bodyShape);
    const username = normalizeUsername(typed.username);
    checkTypedPassword(password);
    checkTypedPassword(newPassword);

    const admission = await throttle.admit({ username, address: clientAddress(event.requestContext.http.sourceIp) });
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      const user = await users.find(username);
      const isTheirs = (await passwords.verify(password, user?.passwordHash)) || isCodeOf(user, password, now());
      if (user === undefined || !isTheirs) throw new BadCredentials();
      if (attempt === 1) await admission.succeeded("login");
      await checkNewPassword(newPassword, username);
      if (await users.replaceHash(user, await passwords.hash(newPassword), new Date(now()).toISOString())) {
        return json({ status: "changed" });
      }
    }
    throw new TemporaryError("PASSWORD_CONTENDED",
      "The stored hash of a user was replaced by others again and again.");
  };
}

/** A comparison of hashes of what nobody guesses: the time it takes tells nothing. */
function isCodeOf(user: User | undefined, typed: string, now: number): boolean {
  return user?.oneTime !== undefined && now < user.oneTime.until && hashOfCode(typed) === user.oneTime.hash;
}

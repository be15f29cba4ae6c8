/** A login that goes on: a new token for a valid one, as long as the login is young and its account stands. */
import * as z from "zod/mini";

import { type HttpFunction, json } from "../http/handler.ts";
import { jsonBodyOf } from "../http/json-body.ts";
import { TokenRefused } from "./errors.ts";
import type { Tokens } from "./tokens.ts";
import type { User, Users } from "./users.ts";

const hour = 3_600;

/** How long after the password was typed tokens are renewed (seconds). */
export const loginSeconds = { plain: 12 * hour, remembered: 30 * 24 * hour };

/** What renewing works with. `rolesOf` derives the roles of an account as they are now; `now` gives epoch ms. */
export interface Renewing {
  readonly tokens: Tokens;
  readonly users: Pick<Users, "find">;
  readonly rolesOf: (user: User) => Promise<readonly string[]>;
  readonly now?: () => number;
}

/**
 * A new token with the roles of now; undefined once the login is too old.
 * @throws {TokenRefused} the token is not valid, the account is gone, or its password was changed since the login
 * @throws {TemporaryError} ACCOUNTS_UNREACHABLE
 */
export async function renewed(token: string,
  { tokens, users, rolesOf, now = Date.now }: Renewing): Promise<string | undefined> {
  const login = await tokens.verify(token);
  const user = await users.find(login.subject);
  if (user === undefined || login.loggedInAt < Math.floor(Date.parse(user.passwordSince ?? user.createdAt) / 1_000)) {
    throw new TokenRefused("The account is gone, or its password was changed");
  }
  const age = now() / 1_000 - login.loggedInAt;
  if (age >= (login.remember ? loginSeconds.remembered : loginSeconds.plain)) return undefined;
  return tokens.issue({ ...login, roles: await rolesOf(user) });
}

const bodyShape = z.object({ token: z.string().check(z.minLength(1)) });

/** `POST /verify {token}`: whether a token of ours is good now, and a new one while the login is young. */
export function verifyCall(renewing: Renewing): HttpFunction {
  return async (event) =>
    json({ status: "valid", token: await renewed(jsonBodyOf(event, bodyShape).token, renewing) });
}

import * as z from "zod/mini";

import { type HttpFunction, json, jsonBodyOf } from "../http/handler.ts";
import { TokenRefused } from "./errors.ts";
import type { Tokens } from "./tokens.ts";
import { passwordSinceOf, type User, type Users } from "./users.ts";

/** How long after the password was typed tokens are renewed (seconds). */
const loginSeconds = { plain: 12 * 3_600, remembered: 30 * 24 * 3_600 };

/** What renewing works with. `rolesOf` derives the roles of an account as they are now; `now` gives epoch ms. */
export interface Renewing {
  readonly tokens: Tokens;
  readonly users: Pick<Users, "find">;
  readonly rolesOf: (user: User) => Promise<readonly string[]>;
  readonly now?: () => number;
}

const bodyShape = z.object({ token: z.string().check(z.minLength(1)) });

/**
 * `POST /verify {token}`: whether a token of ours is good now, and a new one with the roles of now; none once the
 * login is too old, nor for a token of an earlier version.
 * @throws {TokenRefused} the token is not valid, the account is gone, or its password was changed since the login
 * @throws {TemporaryError} ACCOUNTS_UNREACHABLE
 */
export function verifyCall({ tokens, users, rolesOf, now = Date.now }: Renewing): HttpFunction {
  return async (event) => {
    const login = await tokens.verify(jsonBodyOf(event, bodyShape).token);
    const { subject, passwordSince, loggedInAt, remember } = login;
    const user = await users.find(subject);
    if (user === undefined || (passwordSince !== undefined && passwordSince !== passwordSinceOf(user))) {
      throw new TokenRefused("The account is gone, or its password was changed");
    }
    const age = now() / 1_000 - loggedInAt;
    if (passwordSince === undefined || age >= loginSeconds[remember ? "remembered" : "plain"]) {
      return json({ status: "valid" });
    }
    return json({ status: "valid", token: await tokens.issue({ ...login, roles: await rolesOf(user) }) });
  };
}

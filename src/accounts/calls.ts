/** Logging in and changing a password, as calls behind the HTTP API. */
import * as z from "zod/mini";

import { type HttpFunction, json } from "../http/handler.ts";
import { jsonBodyOf } from "../http/json-body.ts";
import { changePassword } from "./change-password.ts";
import { clientAddress } from "./client-address.ts";
import { logIn } from "./log-in.ts";

/** What every field of these calls is. */
const textField = z.string().check(z.minLength(1));
const loginShape = z.object({ username: textField, password: textField, remember: z.optional(z.boolean()) });
const passwordShape = z.object({ username: textField, password: textField, newPassword: textField });

/** `POST /login {username, password}`: the user and a token; makes the user first if sign-up is open. */
export function loginCall(accounts: Parameters<typeof logIn>[1]): HttpFunction {
  return async (event) => {
    const typed = jsonBodyOf(event, loginShape);
    return json(await logIn({ ...typed, address: clientAddress(event.requestContext.http.sourceIp) }, accounts));
  };
}

/** `POST /password {username, password, newPassword}`: replaces the password of a user who knows the current one. */
export function passwordCall(accounts: Parameters<typeof changePassword>[1]): HttpFunction {
  return async (event) => {
    const typed = jsonBodyOf(event, passwordShape);
    await changePassword({ ...typed, address: clientAddress(event.requestContext.http.sourceIp) }, accounts);
    return json({ status: "changed" });
  };
}

/** The calls of the self-built login, as functions behind the HTTP API. */
import * as z from "zod/mini";

import { type HttpFunction, json } from "../http/handler.ts";
import { jsonBodyOf } from "../http/json-body.ts";
import { checkAccess } from "./authorize.ts";
import { changePassword } from "./change-password.ts";
import { clientAddress } from "./client-address.ts";
import type { VerifyToken } from "./identity.ts";
import { logIn } from "./log-in.ts";
import { renewed, type Renewing } from "./renew.ts";

/** What every field of these calls is. */
const textField = z.string().check(z.minLength(1));
const loginShape = z.object({ username: textField, password: textField, remember: z.optional(z.boolean()) });
const passwordShape = z.object({ username: textField, password: textField, newPassword: textField });
const verifyShape = z.object({ token: textField });

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

/** `POST /verify {token}`: whether a token of ours is good now, and a new one while the login is young. */
export function verifyCall(renewing: Renewing): HttpFunction {
  return async (event) =>
    json({ status: "valid", token: await renewed(jsonBodyOf(event, verifyShape).token, renewing) });
}

/** `GET /private` and `GET /private/{role}`: a greeting, and the role's lesson, for whom the token lets in. */
export function privateCall(verify: VerifyToken, lessons: ReadonlyMap<string, readonly string[]>): HttpFunction {
  return async ({ headers, pathParameters }) => {
    const role = pathParameters?.["role"];
    const { subject, email = subject } = await checkAccess(headers["authorization"], verify, role);
    return json({ message: `Hello ${email}`, lesson: lessons.get(role ?? "") });
  };
}

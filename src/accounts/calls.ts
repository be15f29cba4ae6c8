/** The calls of the self-built login, as functions behind the HTTP API. */
import * as z from "zod/mini";

import { type HttpFunction, json } from "../http/handler.ts";
import { jsonBodyOf } from "../http/json-body.ts";
import { identityOf } from "./authorize.ts";
import { changePassword, type ChangePasswordDependencies } from "./change-password.ts";
import { clientAddress } from "./client-address.ts";
import type { VerifyToken } from "./identity.ts";
import { logIn, type LoginDependencies } from "./log-in.ts";

/** What every field of these calls is. */
const textField = z.string().check(z.minLength(1));
const loginShape = z.object({ username: textField, password: textField });
const passwordShape = z.object({ username: textField, password: textField, newPassword: textField });
const verifyShape = z.object({ token: textField });

/** `POST /login {username, password}`: the user and a token; makes the user first if sign-up is open. */
export function loginCall(dependencies: LoginDependencies): HttpFunction {
  return async (event) => {
    const typed = jsonBodyOf(event, loginShape);
    const address = clientAddress(event.requestContext.http.sourceIp);
    return json(await logIn({ ...typed, address }, dependencies));
  };
}

/** `POST /password {username, password, newPassword}`: replaces the password of a user who knows the current one. */
export function passwordCall(dependencies: ChangePasswordDependencies): HttpFunction {
  return async (event) => {
    const typed = jsonBodyOf(event, passwordShape);
    const address = clientAddress(event.requestContext.http.sourceIp);
    await changePassword({ ...typed, address }, dependencies);
    return json({ status: "changed" });
  };
}

/** `POST /verify {token}`: whether a token of ours is good now. */
export function verifyCall(verify: VerifyToken): HttpFunction {
  return async (event) => {
    await verify(jsonBodyOf(event, verifyShape).token);
    return json({ status: "valid" });
  };
}

/** `GET /private` and `GET /private/{role}`: a greeting for whom `authorize` let in. */
export const privateCall: HttpFunction = (event) =>
  Promise.resolve(json({ message: `Hello ${identityOf(event).subject}` }));

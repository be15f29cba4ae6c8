/** The calls of the self-built login, as functions behind the HTTP API. */
import * as z from "zod/mini";

import { HttpError } from "../http/errors.ts";
import { bodyOf, type HttpFunction, json } from "../http/handler.ts";
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
    const typed = bodyFields(bodyOf(event), loginShape);
    const address = clientAddress(event.requestContext.http.sourceIp);
    return json(await logIn({ ...typed, address }, dependencies));
  };
}

/** `POST /password {username, password, newPassword}`: replaces the password of a user who knows the current one. */
export function passwordCall(dependencies: ChangePasswordDependencies): HttpFunction {
  return async (event) => {
    const typed = bodyFields(bodyOf(event), passwordShape);
    const address = clientAddress(event.requestContext.http.sourceIp);
    await changePassword({ ...typed, address }, dependencies);
    return json({ status: "changed" });
  };
}

/** `POST /verify {token}`: whether a token of ours is good now. */
export function verifyCall(verify: VerifyToken): HttpFunction {
  return async (event) => {
    await verify(bodyFields(bodyOf(event), verifyShape).token);
    return json({ status: "valid" });
  };
}

/** `GET /private` and `GET /private/{role}`: a greeting for whom `authorize` let in. */
export const privateCall: HttpFunction = (event) =>
  Promise.resolve(json({ message: `Hello ${identityOf(event).subject}` }));

/**
 * The body of a call, in the given shape. The content type is not looked at: clients that post `JSON.stringify(…)`
 * with fetch say text/plain.
 *
 * @throws {HttpError} 400 if the body is not JSON, or naming the field that is missing or no text
 */
function bodyFields<T>(body: string, shape: z.ZodMiniType<T>): T {
  const fields = shape.safeParse(parsed(body));
  if (fields.success) return fields.data;
  const [name] = fields.error.issues.flatMap((issue) => issue.path);
  throw new HttpError(400, name === undefined
    ? "The body has to be a JSON object."
    : `The field "${String(name)}" is missing or not a text.`);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // The cause would quote the body, and with it a password.
    throw new HttpError(400, "The body is not JSON.");
  }
}

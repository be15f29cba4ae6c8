import { HttpError } from "../http/errors.ts";
import { type HttpFunction, json } from "../http/handler.ts";
import { TokenRefused } from "./errors.ts";
import type { Identity, VerifyToken } from "./identity.ts";

const realm = 'Bearer realm="accounts"';

/**
 * Checks an `Authorization` header. Without a `role`, a valid token is enough.
 * @throws {HttpError} 401 without a valid token, 403 without the role, each with RFC 6750's `WWW-Authenticate`
 * @throws {TemporaryError} while the token can't be checked
 */
export async function checkAccess(authorization: string | undefined, verify: VerifyToken,
  role?: string): Promise<Identity> {
  const token = /^Bearer +(?<token>[\w.~+/-]+=*)$/iu.exec(authorization ?? "")?.groups?.["token"];
  // RFC 6750, 3.1: a request without any token is told no error code.
  if (token === undefined) throw unauthorized(realm);
  const identity = await verify(token).catch((error: unknown) => {
    if (!(error instanceof TokenRefused)) throw error;
    throw unauthorized(`${realm}, error="invalid_token", error_description="${error.message}"`, error);
  });
  if (role === undefined || identity.roles.includes(role)) return identity;
  throw new HttpError(403, "Your account does not have the role this needs", {
    headers: { "WWW-Authenticate": `${realm}, error="insufficient_scope"` },
  });
}

/** A 401 says the same whatever was wrong: the client's next step is the same. */
function unauthorized(challenge: string, cause?: unknown): HttpError {
  return new HttpError(401, "This is a private resource", { cause, headers: { "WWW-Authenticate": challenge } });
}

/** `GET /private` and `GET /private/{role}`: a greeting, and the role's lesson, for whom the token lets in. */
export function privateCall(verify: VerifyToken, lessons: ReadonlyMap<string, readonly string[]>): HttpFunction {
  return async ({ headers, pathParameters }) => {
    const role = pathParameters?.["role"];
    const { subject, email = subject } = await checkAccess(headers["authorization"], verify, role);
    return json({ message: `Hello ${email}`, lesson: lessons.get(role ?? "") });
  };
}

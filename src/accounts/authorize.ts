/**
 * Who may call: a valid token, and one of the roles asked for. `checkAccess` is the plain function, `authorize` the
 * same as middy middleware.
 */
import type { MiddlewareObj } from "@middy/core";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";

import { HttpError } from "../http/errors.ts";
import { TokenRefused } from "./errors.ts";
import type { Identity, VerifyToken } from "./identity.ts";

const realm = 'Bearer realm="accounts"';

/** What every 401 says, whatever was wrong: the client's next step is the same. */
const privateResource = "This is a private resource";

/** What a call needs. */
export interface AccessRule {
  readonly verify: VerifyToken;
  /** One of these is enough; left out or empty, a valid token is. */
  readonly anyRole?: readonly string[] | undefined;
}

/**
 * Checks an `Authorization` header.
 * @throws {HttpError} 401 without a valid token, 403 without one of the roles, both with a `WWW-Authenticate` header
 * in RFC 6750's form
 * @throws {TemporaryError} while the token can't be checked
 */
export async function checkAccess(authorization: string | undefined,
  { verify, anyRole = [] }: AccessRule): Promise<Identity> {
  const token = /^Bearer +(?<token>[\w.~+/-]+=*)$/iu.exec(authorization ?? "")?.groups?.["token"];
  // RFC 6750, 3.1: a request without any token is told no error code.
  if (token === undefined) throw unauthorized(realm);
  const identity = await verify(token).catch((error: unknown) => {
    if (!(error instanceof TokenRefused)) throw error;
    throw unauthorized(`${realm}, error="invalid_token", error_description="${error.message}"`, error);
  });
  if (anyRole.length > 0 && !anyRole.some((role) => identity.roles.includes(role))) {
    throw new HttpError(403, "Your account does not have the role this needs", {
      headers: { "WWW-Authenticate": `${realm}, error="insufficient_scope"` },
    });
  }
  return identity;
}

function unauthorized(challenge: string, cause?: unknown): HttpError {
  return new HttpError(401, privateResource, { cause, headers: { "WWW-Authenticate": challenge } });
}

/** What {@link authorize} needs. `anyRole` can depend on the request, such as on its path. */
export interface AuthorizeOptions {
  readonly verify: VerifyToken;
  readonly anyRole?: readonly string[] | ((event: APIGatewayProxyEventV2) => readonly string[]);
}

/** Whom each request speaks for, from the middleware to the handler. A request that is done takes its entry along. */
const identities = new WeakMap<APIGatewayProxyEventV2, Identity>();

/**
 * {@link checkAccess} as middleware, before the handler. {@link identityOf} then tells the handler who calls.
 * API Gateway writes the names of headers in lower case.
 */
export function authorize(
  { verify, anyRole = [] }: AuthorizeOptions,
): MiddlewareObj<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2> {
  return { before: async ({ event }) => {
    const roles = typeof anyRole === "function" ? anyRole(event) : anyRole;
    identities.set(event, await checkAccess(event.headers["authorization"], { verify, anyRole: roles }));
  } };
}

/**
 * Who calls, in a handler behind {@link authorize}.
 * @throws {Error} in a handler that is not: a mistake in the code, which must not let anybody in
 */
export function identityOf(event: APIGatewayProxyEventV2): Identity {
  const identity = identities.get(event);
  if (identity === undefined) {
    throw new Error("This handler reads an identity, but authorize() does not stand before it");
  }
  return identity;
}

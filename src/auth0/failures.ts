import { ConfigError, NeedsPersonError, RefusedError, TemporaryError } from "../errors.ts";

/** Auth0's status for a failed call, or undefined where no answer came (time-outs, socket errors). */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && "statusCode" in error && typeof error.statusCode === "number"
    ? error.statusCode
    : undefined;
}

/**
 * Turns what the SDK throws into our errors: what mends itself, and what needs a person. `what` names the call:
 * "create a user".
 */
export function failureOf(error: unknown, what: string): Error {
  if (error instanceof TemporaryError || error instanceof NeedsPersonError || error instanceof RefusedError ||
    error instanceof ConfigError) return error;
  const status = statusOf(error);
  const options = { cause: error };
  switch (status) {
    case 400:
      return new NeedsPersonError("AUTH0_REFUSED", `Auth0 refused to ${what}: ${saidBy(error)}.`, options);
    case 401:
      return new NeedsPersonError("AUTH0_CREDENTIALS",
        `Auth0 refused a new token's call to ${what}: check the secret auth0 and the application's grant.`, options);
    case 403:
      return new NeedsPersonError("AUTH0_SCOPE",
        `The Auth0 application may not ${what}: grant it the scopes in the README. Auth0 says: ${saidBy(error)}.`,
        options);
    case undefined:
    default:
      return new TemporaryError("AUTH0_UNREACHABLE",
        `Auth0 could not ${what} in time${status === undefined ? "" : `: it answered ${String(status)}`}.`, options);
  }
}

/** Auth0's own message, which names the scope or the field. The log scrubs emails from it. */
function saidBy(error: unknown): string {
  if (!(error instanceof Error) || !("body" in error)) return "nothing";
  const { body } = error;
  return typeof body === "object" && body !== null && "message" in body && typeof body.message === "string"
    ? body.message
    : "nothing";
}

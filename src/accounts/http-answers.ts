/** What this room's refusals are over HTTP. */
import { NeedsPersonError, TemporaryError } from "../errors.ts";
import { HttpError } from "../http/errors.ts";
import { BadCredentials, PasswordRefused, TokenRefused, TooManyAttempts, UsernameRefused } from "./errors.ts";

/** The answer for an error; what is not for the caller's eyes comes back as it is and becomes a 500. */
function httpAnswer(error: unknown): unknown {
  if (error instanceof UsernameRefused || error instanceof PasswordRefused) {
    return new HttpError(400, error.message, { cause: error });
  }
  if (error instanceof BadCredentials || error instanceof TokenRefused) {
    return new HttpError(401, error.message, { cause: error });
  }
  if (error instanceof TooManyAttempts) {
    return new HttpError(429, error.message, { cause: error,
      headers: { "Retry-After": String(error.retryAfterSeconds) } });
  }
  if (error instanceof TemporaryError || error instanceof NeedsPersonError) {
    return new HttpError(503, "This can't be answered at the moment. Try again in a minute.", { cause: error,
      headers: { "Retry-After": "60" } });
  }
  return error;
}

/** Runs a step and answers its refusals over HTTP. */
export async function answering<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw httpAnswer(error);
  }
}
